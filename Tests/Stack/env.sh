# shellcheck shell=bash
# $STACK_DIR/env: what a shell or a test needs to know of a stack that is up (design, section 5).

env_quoted() { # VALUE
  if [[ $1 =~ ^[A-Za-z0-9_./:@%+=,-]*$ ]]; then
    printf '%s' "$1"
  else
    printf "'%s'" "${1//\'/\'\\\'\'}"
  fi
}

env_lines() { # NAME…
  local name
  for name in "$@"; do
    printf '%s=%s\n' "$name" "$(env_quoted "${!name-}")"
  done
}

env_write() {
  local API_URL=https://$SITE/api/v1 WS_URL=wss://$SITE/ws
  local OPS_URL=https://localhost:$STACK_PORT CHATTRIX_STACK=$STACK_DIR
  local SUPERVISOR_PID='' SIGNALING_PID='' MYSQL_PID REDIS_PID NGINX_PID name
  MYSQL_PID=$(process_of mariadb) REDIS_PID=$(redis_pid) NGINX_PID=$(process_of nginx)
  for name in mariadb redis nginx; do
    env_starter "$name"
  done
  {
    cat <<END
# A running Chattrix Calls: \`. $ENV_FILE\` gives a shell all of this, and chattrix-ctl what it needs.
# The stack starts supervisor and sidecar again when they die and writes their new ids here. MariaDB,
# Redis and nginx it does not; after stopping one by its id, start it again (that updates the id):
#   $STACK_DIR/bin/start-mariadb  $STACK_DIR/bin/start-redis  $STACK_DIR/bin/start-nginx
set -a # each NAME=value that follows is exported
END
    [[ -z $NGINX_PID ]] || env_lines API_URL WS_URL OPS_URL
    env_lines CA_FILE
    env_lines MYSQL_SOCKET MYSQL_USER MYSQL_PASSWORD MYSQL_DATABASE REDIS_URL
    env_lines AGORA_APP_ID AGORA_APP_CERTIFICATE JWT_SECRET
    for name in MYSQL_HOST MYSQL_PORT JWT_ALGORITHMS JWT_ISSUER JWT_AUDIENCE JWT_PUBLIC_KEY_FILE \
      JWT_JWKS_FILE AGORA_WEBHOOK_SECRET; do
      [[ -z ${!name-} ]] || env_lines "$name"
    done
    env_lines FASTCGI_SOCKET SIGNALING_ADDRESS SQL_DIR LOG_DIR
    env_lines SUPERVISOR_PID SIGNALING_PID MYSQL_PID REDIS_PID NGINX_PID CHATTRIX_STACK
    echo "set +a # end of the NAME=value lines"
  } >"$ENV_FILE.new"
  mv -f -- "$ENV_FILE.new" "$ENV_FILE"
}

# Changes one value. Readers see the old file or the new one, never a part.
env_set() { # NAME VALUE
  local lock line
  exec {lock}>"$STACK_DIR/env.lock"
  flock "$lock"
  if [[ -f $ENV_FILE ]]; then
    while IFS= read -r line; do
      [[ $line != "$1="* ]] || line=$1=$(env_quoted "$2")
      printf '%s\n' "$line"
    done <"$ENV_FILE" >"$ENV_FILE.$1"
    mv -f -- "$ENV_FILE.$1" "$ENV_FILE"
  fi
  exec {lock}>&-
}

env_get() { # NAME FILE: a value of another stack's
  (
    unset "$1"
    # shellcheck source=/dev/null
    source "$2"
    printf '%s' "${!1-}"
  )
}

env_refresh() {
  env_set MYSQL_PID "$(process_of mariadb)"
  env_set REDIS_PID "$(redis_pid)"
  env_set NGINX_PID "$(process_of nginx)"
}

# $STACK_DIR/bin/start-NAME, for tests that stop a server and want it back.
env_starter() { # NAME
  cat >"$STACK_DIR/bin/start-$1" <<END
#!/usr/bin/env bash
STACK_DIR=$(printf %q "$STACK_DIR") STACK_PORT=$STACK_PORT STACK_SHARE=$(printf %q "$STACK_SHARE") \
  STACK_ADDRESS=$STACK_ADDRESS STACK_NETNS=${STACK_NETNS-} STACK_DATABASE=$STACK_DATABASE \
  STACK_SERVER=$STACK_SERVER STACK_HTTP_PORT=${STACK_HTTP_PORT-} STACK_BALANCER=${STACK_BALANCER-} STACK_LIMITS=${STACK_LIMITS-} \
  ALLOWED_ORIGINS=$(printf %q "${ALLOWED_ORIGINS-}") exec $(printf %q "$here/stack.sh") start $1
END
  chmod 700 "$STACK_DIR/bin/start-$1"
}

env_announce() {
  local token="\$($PROGRAM_DIR/chattrix-ctl jwt --user alice)"
  cat <<END

Chattrix Calls is up. See it, with a first call in two clicks:

  https://localhost:$STACK_PORT/console/        two users, alice and bob, who are contacts
  https://localhost:$STACK_PORT/console/ops/    what an operator watches
  https://localhost:$STACK_PORT/guide/          the guide, and the reference of the interface

The browser does not know the certificate's issuer: go on all the same, or import the CA.

  API        https://$SITE/api/v1
  WebSocket  wss://$SITE/ws
  CA         $CA_FILE
  logs       $LOG_DIR
  settings   . $ENV_FILE

  . $ENV_FILE
  curl --cacert \$CA_FILE -H "Authorization: Bearer $token" \\
    -H 'Content-Type: application/json' -d '{"calleeId":"bob","callType":"video"}' \\
    \$API_URL/calls/initiate

END
}
