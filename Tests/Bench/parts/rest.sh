#!/usr/bin/env bash
# Part `rest` of `make bench`: design, section 7, the REST figures and a worker's size and start. Needs
# PHP-FPM, sysbench and wrk, which nothing else here does.
set -euo pipefail

bench=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
here=$bench/../Stack
# As many processes a pool as the bare SQL has connections in the design's figures.
export WORKERS=${WORKERS:-16}
export RATE_LIMIT_TOKEN_GENERATE=0 RATE_LIMIT_CALL_INITIATE=0 RATE_LIMIT_CALL_HISTORY=0
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
peers_start "$WORKERS"
"${BENCH_PYTHON:-$repository/.venv/bin/python}" "$bench/Rest/rest.py" "$@"
