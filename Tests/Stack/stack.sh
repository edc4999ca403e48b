#!/usr/bin/env bash
# A whole Chattrix Calls on this machine, for trying and for tests: a private MariaDB, Redis and
# nginx, the supervisor and the WebSocket server, all on loopback and all under STACK_DIR.
# The Makefile calls it; every file beside this one is one part of the stack.
#
#   STACK_SHARE=DIR    a second host: nginx and our programs over the MariaDB and Redis of DIR's stack
#   STACK_ADDRESS=IP   listen there too; what shares this one's MariaDB and Redis reaches them there
#   STACK_NODES=HOSTS  our programs over a cluster (MYSQL_HOST) that has this stack's login
#   STACK_SERVER=NAME  nginx, or apache in its place
#   STACK_NETNS=NAME   in this network namespace (ip-netns(8)), where all ports are its own
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for part in say settings lock packages process secrets certificate mariadb redis nginx apache web env \
  programs; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done

usage() {
  cat >&2 <<'END'
usage: stack.sh up | down | run | wipe            the whole stack
       stack.sh up data                           only MariaDB and Redis, for those that share them
       stack.sh start|stop mariadb|redis|nginx    one server of it
       stack.sh packages [build|stack|test|cluster|mysql|lint|deb|test-deb]
                                                  install what this machine lacks
END
  exit 64
}

# This command, in the namespace that it is meant for. Not by `ip netns exec`, which mounts anew what
# a container may not.
stack_enter() { # ARGUMENT…
  local namespace=/run/netns/${STACK_NETNS-}
  [[ -z ${STACK_NETNS-} || /proc/self/ns/net -ef $namespace ]] ||
    exec nsenter --net="$namespace" -- "$here/stack.sh" "$@"
}

# Brings everything up in the background; what is up already gets the settings of this call.
stack_up() {
  programs_present
  settings_prepare
  secrets_ensure
  programs_environment
  certificate_ensure
  programs_stop
  web_stop
  redis_stop
  settings_turn_logs
  [[ -n $STACK_SHARE ]] || {
    [[ -n $STACK_NODES ]] || mariadb_start
    redis_start
  }
  web_start
  env_write
  programs_migrate
  programs_people
  programs_start
  programs_await
}

stack_up_data() {
  settings_prepare
  secrets_ensure
  programs_environment
  certificate_ensure
  redis_stop
  settings_turn_logs
  mariadb_start
  redis_start
  env_write
}

# Stops everything, in the order in which it hangs together; stopping twice is fine.
stack_down() {
  [[ -d $STACK_DIR ]] || return 0
  programs_stop
  web_stop
  redis_stop
  mariadb_stop
  settings_release
  rm -f -- "$ENV_FILE"
}

# The same, but nothing is left behind when a part of it fails.
stack_up_or_down() { # stack_up|stack_up_data
  trap stack_failed EXIT
  "$1"
  trap - EXIT
}

stack_failed() {
  local status=$?
  trap - EXIT
  stack_down
  exit "$status"
}

# `make run`: up, the logs, and down again with the terminal's Ctrl-C.
stack_run() {
  trap stack_interrupted INT TERM HUP
  stack_up_or_down stack_up
  lock_release
  env_announce
  say "The programs' logs follow; Ctrl-C stops everything."
  tail -n +1 --pid="$(process_of keeper-supervisor)" \
    -F "$LOG_DIR/supervisor.log" "$LOG_DIR/signaling.log" 2>/dev/null &
  follower=$!
  while process_alive "$follower"; do
    wait "$follower" || :
  done
  say "Somebody has stopped $STACK_DIR."
}

stack_interrupted() {
  trap '' INT TERM HUP
  trap - EXIT
  say "Stopping…"
  [[ -z ${follower-} ]] || kill "$follower" 2>/dev/null || :
  lock_take
  stack_down
  exit 0
}

start_one() { # NAME: a server that was stopped by its id
  local server=${1/nginx/web}
  secrets_ensure
  "${server}_start"
  env_refresh
}

stop_one() { # NAME
  local server=${1/nginx/web}
  "${server}_stop"
  env_refresh
}

# No && between the steps: it would take `set -e` away from all that they call.
main() {
  case "${1-} ${2-}" in
    "start mariadb" | "start redis" | "start nginx") lock_take; start_one "$2" ;;
    "stop mariadb" | "stop redis" | "stop nginx") lock_take; stop_one "$2" ;;
    "up ") lock_take; stack_up_or_down stack_up; env_announce ;;
    "up data") lock_take; stack_up_or_down stack_up_data ;;
    "run ") lock_take; stack_run ;;
    "down ") lock_take; stack_down ;;
    "wipe ") lock_take; stack_down; settings_wipe ;;
    "packages "*) packages_ensure "${2:-stack}" ;;
    *) usage ;;
  esac
}

stack_enter "$@"
main "$@"
exit
