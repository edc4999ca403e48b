#!/usr/bin/env bash
# `make bench`: the benchmarks, against a stack of their own without rate limits.
set -euo pipefail

bench=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$bench/../..
here=$root/Tests/Stack
export STACK_DIR=${STACK_DIR:-$root/.stack-bench} STACK_PORT=${STACK_PORT:-19443}
export RATE_LIMIT_CALL_HISTORY=0
for part in say settings packages python; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done

python_ready
trap '"$here/stack.sh" down' EXIT
"$here/stack.sh" up
declare -a arguments=()
eval "arguments=(${BENCH_ARGS-})"
"$root/.venv/bin/python" "$bench/history.py" "${arguments[@]}"
