#!/usr/bin/env bash
# Two hosts of Chattrix Calls on this machine, each with nginx, workers, supervisor and sidecar, over
# the MariaDB and Redis of a third: every host a stack in a network namespace of its own. For trying
# what happens when one is killed or cut off, and for the end-to-end suite. Root only.
#
#   Tests/Stack/hosts.sh up && . .stack-hosts/a/env      # or b/env; settings as for `make up`
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export STACK_DIR=${STACK_DIR:-$here/../../.stack-hosts}
for part in say settings lock process network; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done

usage() {
  cat >&2 <<'END'
usage: hosts.sh up [PID]                      both hosts; gone again when the process PID is
       hosts.sh cut|mend a|b clients|data     a host's link to its clients or to the data
       hosts.sh enter a|b|data COMMAND…       run something there, where localhost is that host
       hosts.sh down | wipe
       hosts.sh obstacle                      why there can be none here; nothing where there can
END
  exit 64
}

# One host's stack; its environment says what it is.
hosts_stack() { # a|b|data ARGUMENT…
  local host=$1 ADDRESS STACK_SHARE=$STACK_DIR/data
  shift
  case $host in
    a) ADDRESS=$NETWORK.1 ;;
    b) ADDRESS=$NETWORK.3 ;;
    data) ADDRESS=$NETWORK.9 STACK_SHARE= ;;
  esac
  STACK_DIR=$STACK_DIR/$host STACK_SHARE=$STACK_SHARE STACK_ADDRESS=$ADDRESS \
    STACK_NETNS=$NETWORK_NAME-$host "$here/stack.sh" "$@" 9>&-
}

hosts_up() {
  local obstacle first
  obstacle=$(network_obstacle)
  [[ -z $obstacle ]] || {
    say "$obstacle"
    return 69 # EX_UNAVAILABLE
  }
  hosts_down
  trap hosts_failed EXIT
  trap 'exit 130' INT TERM HUP
  network_up
  [[ -z ${1-} ]] || {
    process_start /dev/null bash "$here/hosts.sh" watch "$1"
    echo "$PROCESS_PID" >"$STACK_DIR/watch.pid"
  }
  hosts_stack data up data
  hosts_stack a up >/dev/null &
  first=$!
  hosts_stack b up >/dev/null
  wait "$first"
  trap - EXIT
}

hosts_failed() {
  local status=$?
  trap - EXIT
  hosts_down
  exit "$status"
}

hosts_down() {
  local watch="" host
  network_load
  [[ -n $NETWORK_NAME ]] || return 0
  [[ ! -f $STACK_DIR/watch.pid ]] || read -r watch <"$STACK_DIR/watch.pid"
  [[ $watch == "$$" ]] || process_stop "the watch" "$watch" 5
  rm -f -- "$STACK_DIR/watch.pid"
  # Whatever is left of it: one that does not go must not keep the others.
  hosts_stack a down &
  hosts_stack b down || :
  wait
  hosts_stack data down || :
  network_down
}

hosts_wipe() {
  local host
  hosts_down
  for host in a b data; do
    [[ ! -d $STACK_DIR/$host ]] || STACK_DIR=$STACK_DIR/$host "$here/stack.sh" wipe 9>&-
  done
  rm -f -- "$STACK_DIR/lock"
  rmdir --ignore-fail-on-non-empty -- "$STACK_DIR"
}

# Nobody else clears up after a test that was killed.
hosts_watch() { # PID
  while process_alive "$1"; do
    sleep 1
  done
  lock_take
  hosts_wipe
}

hosts_link() { # a|b clients|data up|down
  [[ $1 == [ab] && $2 == @(clients|data) ]] || usage
  network_load
  network_link "$1" "$2" "$3"
}

hosts_enter() { # a|b|data COMMAND…
  local host=$1
  shift
  network_load
  exec nsenter --net="/run/netns/$NETWORK_NAME-$host" -- "$@"
}

case ${1-} in
  up) lock_take; hosts_up "${2-}" ;;
  cut) hosts_link "${2-}" "${3-}" down ;;
  mend) hosts_link "${2-}" "${3-}" up ;;
  enter) hosts_enter "${@:2}" ;;
  down) lock_take; hosts_down ;;
  wipe) lock_take; hosts_wipe ;;
  watch) hosts_watch "$2" ;;
  obstacle) network_obstacle ;;
  *) usage ;;
esac
