#!/usr/bin/env bash
# `make chaos`: calls under faults, on a stack of the run's own, and the proof afterwards.
#
#   CHAOS_SEED=N       plays a run again; otherwise one at random
#   CHAOS_CALLS=N      how many calls (10000)
#   CHAOS_SECONDS=N    and how long at most (3600)
#   CHAOS_USERS=N      who make them (32)
#   CHAOS_CLUSTER=NAME two hosts over a cluster of three nodes, instead of one over a MariaDB: galera (1), or group,
#                      which is MySQL's Group Replication
#   CHAOS_REPORTS=DIR  where the report goes, and the logs of a run that failed (.build/chaos)
set -euo pipefail

port=${STACK_PORT-}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for part in say settings packages python; do
  # shellcheck source=/dev/null
  source "$here/../Stack/$part.sh"
done

python_ready
# Without a port of the caller's it takes one that is free: on the default one there may be another stack.
unset STACK_DIR STACK_SHARE STACK_PORT
[[ -z $port ]] || export STACK_PORT=$port
[[ ${CHAOS_CLUSTER-} != group ]] || export PATH=$repository/.build/mysql/bin:$PATH
export PYTHONPATH=$repository/Tests:$repository/Tests/EndToEnd
exec "$venv/bin/python" -m Chaos
