#!/usr/bin/env bash
# Part `rest` of `make bench`: design, section 7, the REST figures and a worker's size and start. Needs
# PHP-FPM, sysbench and wrk, which nothing else here does.
set -euo pipefail

bench=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
here=$bench/../Stack
# Never met, but counted, as in an installation: 0 would leave the limiter out.
export RATE_LIMIT_TOKEN_GENERATE=1000000000 RATE_LIMIT_CALL_INITIATE=1000000000
export RATE_LIMIT_CALL_HISTORY=1000000000
for part in say settings packages process nginx; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done
# shellcheck source=/dev/null
source "$bench/Rest/peers.sh"

peers_packages
trap peers_stop EXIT
trap 'exit 130' INT TERM HUP
"$here/stack.sh" up >/dev/null
# shellcheck source=/dev/null
source "$STACK_DIR/env"
export PROGRAM_DIR
# As many processes as there are workers, whatever the stack was told.
read -ra workers < <(cat "/proc/$SUPERVISOR_PID/task/$SUPERVISOR_PID/children" && echo)
peers_start "${#workers[@]}"
export PEER_ECHO_PID=$echo_pid PEER_PHP_PID=$php_pid
"${BENCH_PYTHON:-$repository/.venv/bin/python}" "$bench/Rest/rest.py" "$@"
