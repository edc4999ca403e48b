# shellcheck shell=bash
# Our own programs: what they are told (design, section 6), the schema, the demo users, and the
# keepers that start supervisor and sidecar again.

SQL_DIR=$repository/sql

programs_present() {
  local name
  for name in supervisor worker signaling webhooks ctl; do
    [[ -x $PROGRAM_DIR/chattrix-$name ]] || {
      say "$PROGRAM_DIR/chattrix-$name is not there; \`make build\` makes it"
      return 1
    }
  done
}

# Whatever the caller has in the environment stays and so overrides a default; only where the parts
# of this stack find each other is the stack's own affair. A shell that has sourced another stack's
# env file must not lead this one to its Redis.
programs_environment() {
  [[ -n ${REDIS_URL-} && -z ${CHATTRIX_STACK-} ]] || REDIS_URL=$(programs_redis)
  # A measurement's ten thousand sockets are often one user's.
  export SIGNALING_CONNECTIONS_PER_USER=${SIGNALING_CONNECTIONS_PER_USER-0}
  export MYSQL_USER MYSQL_PASSWORD MYSQL_DATABASE REDIS_URL SQL_DIR
  export FASTCGI_SOCKET SIGNALING_ADDRESS JWT_SECRET AGORA_APP_ID AGORA_APP_CERTIFICATE
  unset NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID LISTEN_FDS LISTEN_PID
  programs_database
}

# Another stack's database is reached over the network where it has an address, as from another host;
# the socket is then for whoever looks into it from this machine.
programs_database() {
  unset MYSQL_HOST MYSQL_PORT
  if [[ -n $STACK_NODES ]]; then
    MYSQL_HOST=$STACK_NODES MYSQL_PORT=3306
  elif [[ -n $STACK_SHARE ]]; then
    MYSQL_HOST=$(env_get MYSQL_HOST "$STACK_SHARE/env")
    MYSQL_PORT=$(env_get MYSQL_PORT "$STACK_SHARE/env")
  elif [[ -n $STACK_ADDRESS ]]; then
    MYSQL_HOST=$STACK_ADDRESS MYSQL_PORT=$MARIADB_PORT
  fi
  if [[ -n ${MYSQL_HOST-} ]]; then
    export MYSQL_HOST MYSQL_PORT
    export -n MYSQL_SOCKET
  else
    unset MYSQL_HOST MYSQL_PORT
    export MYSQL_SOCKET
  fi
}

programs_redis() {
  if [[ -n $STACK_SHARE ]]; then
    env_get REDIS_URL "$STACK_SHARE/env"
  elif [[ -n $STACK_ADDRESS ]]; then
    printf 'redis://default:%s@%s:%s/0' "$REDIS_PASSWORD" "$STACK_ADDRESS" "$REDIS_PORT"
  else
    printf 'redis://127.0.0.1:%s/0' "$REDIS_PORT"
  fi
}

programs_ctl() { "$PROGRAM_DIR/chattrix-ctl" "$@" </dev/null; }

programs_migrate() { programs_ctl migrate; }

# alice and bob, who may call each other.
programs_people() {
  {
    programs_ctl user add alice --username alice --full-name "Alice Example"
    programs_ctl user add bob --username bob --full-name "Bob Example"
    programs_ctl contact add alice bob
    programs_ctl contact add bob alice
  } >/dev/null
}

programs_start() {
  local name
  rm -f -- "$FASTCGI_SOCKET"
  for name in supervisor signaling; do
    process_start "$LOG_DIR/keeper.log" bash "$here/keeper.sh" "$name"
    echo "$PROCESS_PID" >"$PID_DIR/keeper-$name.pid"
  done
  process_start "$LOG_DIR/demo.log" bash "$here/demo.sh"
  echo "$PROCESS_PID" >"$PID_DIR/demo.pid"
}

programs_stop() {
  local name pid
  process_stop "the demo's sign-in" "$(process_of demo)" 10
  rm -f -- "$STACK_DIR"/demo/demo.json
  for name in supervisor signaling; do
    pid=$(process_of "keeper-$name")
    [[ -z $pid ]] || kill -TERM "$pid" 2>/dev/null || :
  done
  for name in supervisor signaling; do
    process_stop "the keeper of $name" "$(process_of "keeper-$name")" 45
    process_stop "chattrix-$name" "$(process_of "$name")" 30
  done
}

# The answer of an operations address through nginx.
programs_answer() { # PATH
  curl -q --noproxy '*' --silent --fail --max-time 10 --cacert "$CA_FILE" --output /dev/null \
    "https://localhost:$STACK_PORT$1"
}

programs_api_answers() { [[ -S $FASTCGI_SOCKET ]] && programs_answer /readyz; }

programs_await() {
  process_await "The API" "$(process_recorded keeper-supervisor)" 120 "$LOG_DIR/supervisor.log" \
    programs_api_answers
  process_await "The WebSocket server" "$(process_recorded keeper-signaling)" 120 \
    "$LOG_DIR/signaling.log" programs_answer /signaling/healthz
}
