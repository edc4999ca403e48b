# shellcheck shell=bash
# A private Redis on 127.0.0.1:STACK_PORT+1, and there on a STACK_ADDRESS, that keeps nothing: wake-ups,
# windows, latest values.

redis_configure() {
  cat >"$CONFIG_DIR/redis.conf" <<END
bind 127.0.0.1 $STACK_ADDRESS
port $REDIS_PORT
protected-mode yes
daemonize no
dir "$STACK_DIR"
pidfile "$PID_DIR/redis.pid"
save ""
appendonly no
tcp-backlog 511
maxmemory 256mb
maxmemory-policy volatile-lru
END
  # On an address that others reach, nobody gets in without a password.
  [[ -z $STACK_ADDRESS ]] || echo "requirepass $REDIS_PASSWORD" >>"$CONFIG_DIR/redis.conf"
  # So that ps, and a test that starts it again, see the command as it was given (6.2 and newer).
  [[ $(redis-server --version) =~ v=[1-6]\.[01]\. ]] ||
    echo "set-proc-title no" >>"$CONFIG_DIR/redis.conf"
}

redis_query() { # COMMAND…
  env ${REDIS_PASSWORD:+"REDISCLI_AUTH=$REDIS_PASSWORD"} \
    redis-cli -h 127.0.0.1 -p "$REDIS_PORT" "$@" 2>/dev/null
}

redis_answers() { [[ $(redis_query PING) == PONG ]]; }

# The stack's Redis, also one that a test has started again on the stack's port by its own means. `make down` is not
# told the port: it is the one of the stack's configuration, which a stack that shares another's Redis does not have.
redis_pid() {
  local pid REDIS_PORT
  REDIS_PORT=$(sed -n 's/^port //p' "$CONFIG_DIR/redis.conf" 2>/dev/null) || return 0
  pid=$(process_recorded redis)
  if ! process_ours "$pid" && ! redis_titled "$pid"; then
    [[ -f $ENV_FILE ]] || return 0
    pid=$(redis_query INFO server |
      sed -n 's/^process_id:\([0-9]*\).*/\1/p')
  fi
  printf '%s' "$pid"
}

# Before 6.2 Redis writes over its own command line, and with it what says whose it is.
redis_titled() { # PID
  [[ $(tr '\0' ' ' 2>/dev/null <"/proc/${1:-none}/cmdline") == "redis-server 127.0.0.1:$REDIS_PORT"* ]]
} 2>/dev/null

redis_start() {
  redis_configure
  redis_stop
  port_free "$REDIS_PORT" Redis
  process_start "$LOG_DIR/redis.log" "$(command -v redis-server)" "$CONFIG_DIR/redis.conf"
  process_await Redis "$PROCESS_PID" 60 "$LOG_DIR/redis.log" redis_answers
}

redis_stop() {
  local pid
  pid=$(redis_pid)
  process_stop Redis "$pid" 10
}
