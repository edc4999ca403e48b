#!/usr/bin/env bash
# `make test-e2e`: pytest against a stack of its own, which is stopped again whatever happens.
# PYTEST_ARGS picks tests; KEEP_STACK=1 leaves the stack up for a look.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export STACK_DIR=${STACK_DIR:-$here/../../.stack-test} STACK_PORT=${STACK_PORT:-18443}
for part in say settings packages python; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done
readonly suite=$repository/Tests/EndToEnd

finish() {
  local status=$?
  trap - EXIT
  [[ ${KEEP_STACK:-0} == 1 ]] || "$here/stack.sh" down
  exit "$status"
}

python_ready
trap finish EXIT
trap 'exit 130' INT TERM HUP
"$here/stack.sh" up

cd "$suite"
eval "arguments=(${PYTEST_ARGS-})" # words in quotes stay together
"$venv/bin/python" -m pytest "${arguments[@]}"
