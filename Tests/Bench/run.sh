#!/usr/bin/env bash
# `make bench`: the parts of Tests/Bench/parts, one after another, against a stack of their own that
# knows no rate limits. A part is a script; it finds the stack's env file in $STACK_DIR/env, its
# arguments in its command line, and prints its figures beside what they are to reach. What a part
# measures never makes it fail.
#
#   BENCH_PARTS="signaling latency"     which; without it, all
#   BENCH_ARGS="--rounds 3"             handed to each of them
set -euo pipefail

bench=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
here=$bench/../Stack
export STACK_DIR=${STACK_DIR:-$bench/../../.stack-bench} STACK_PORT=${STACK_PORT:-19443}
export RATE_LIMIT_TOKEN_GENERATE=0 RATE_LIMIT_TOKEN_REFRESH=0
export RATE_LIMIT_CALL_INITIATE=0 RATE_LIMIT_CALL_HISTORY=0 RATE_LIMIT_QUALITY=0
export RATE_LIMIT_TICKET=0 RATE_LIMIT_OTHER=0 SIGNALING_MESSAGES_PER_SECOND=0
for part in say settings packages python; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done
export BENCH_PYTHON=${venv:?}/bin/python

parts_chosen() {
  local part
  if [[ -n ${BENCH_PARTS-} ]]; then
    tr -s ' ' '\n' <<<"$BENCH_PARTS"
  else
    for part in "$bench"/parts/*.sh; do basename -- "$part" .sh; done
  fi
}

declare -a parts=() arguments=() failed=()
mapfile -t parts < <(parts_chosen)
for part in "${parts[@]}"; do
  [[ -f $bench/parts/$part.sh ]] || { say "There is no $bench/parts/$part.sh"; exit 64; }
done
eval "arguments=(${BENCH_ARGS-})" # words in quotes stay together

cd "${repository:?}"
python_ready
trap '"$here/stack.sh" down' EXIT
"$here/stack.sh" up
for part in "${parts[@]}"; do
  say "== $part"
  bash "$bench/parts/$part.sh" "${arguments[@]}" || failed+=("$part")
done
((${#failed[@]} == 0)) || { say "Could not be run to the end: ${failed[*]}"; exit 1; }
