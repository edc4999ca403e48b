#!/usr/bin/env bash
# `make chaos`: calls under faults, on a stack of the run's own, and the proof afterwards.
#
#   CHAOS_SEED=N       plays a run again; otherwise one at random
#   CHAOS_CALLS=N      how many calls (10000)
#   CHAOS_SECONDS=N    and how long at most (3600)
#   CHAOS_USERS=N      who make them (32)
#   CHAOS_REPORTS=DIR  where the report goes, and the logs of a run that failed (.build/chaos)
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for part in say settings packages python; do
  # shellcheck source=/dev/null
  source "$here/../Stack/$part.sh"
done

python_ready
unset STACK_DIR STACK_SHARE
export PYTHONPATH=$repository/Tests:$repository/Tests/EndToEnd
exec "$venv/bin/python" -m Chaos
