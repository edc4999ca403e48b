#!/usr/bin/env bash
# How long a newcomer takes to the first answered call: a clone, `make up` (which is `make run` in the background), and
# two clicks on the console. Prints the seconds of each step; STACK_PORT picks the port.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../Stack" && pwd)
export STACK_PORT=${STACK_PORT:-19443}
unset STACK_DIR STACK_SHARE STACK_ADDRESS STACK_NODES STACK_DATABASE
for part in say settings packages python; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done

folder=$(mktemp -d)
finish() {
  local status=$?
  trap - EXIT
  make -C "$folder/calls" down >/dev/null || :
  rm -rf -- "$folder"
  exit "$status"
}

step() { # NAME COMMAND…
  local name=$1 started=$EPOCHREALTIME
  shift
  "$@" >"$folder/log" 2>&1 || { tail -n 20 "$folder/log" >&2; return 1; }
  seconds "$name" "$started"
}

seconds() { # NAME SINCE
  printf '%-34s %7.1f s\n' "$1" "$((${EPOCHREALTIME/./} - ${2/./}))e-6"
}

python_ready
trap finish EXIT
trap 'exit 130' INT TERM HUP
started=$EPOCHREALTIME
# The newcomer has no settings.
export -n STACK_DIR STACK_SHARE STACK_ADDRESS STACK_NODES STACK_DATABASE
step "clone" git clone --quiet "${repository:?}" "$folder/calls"
step "make build" make -C "$folder/calls" build
step "make up" make -C "$folder/calls" up
step "the console, and two clicks" "${venv:?}/bin/python" "$repository/Tests/Bench/first_call.py" \
  "https://localhost:$STACK_PORT/console/"
seconds "from the clone to an answered call" "$started"
