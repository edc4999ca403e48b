#!/usr/bin/env bash
# `make test-unit`: the Swift tests. Those of MySQL and the storage get a MariaDB of their own, whose
# user may create databases (chattrix_test_*), through TEST_MYSQL_*. FILTER picks tests by name.
# Suites that change settings of the whole server come after the others, one at a time: SET GLOBAL read_only
# waits for every transaction, and makes every statement that writes wait for it.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
STACK_DIR=${STACK_DIR:-$here/../../.stack-test}/unit
for part in say settings lock process secrets mariadb; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done

lock_take
trap 'mariadb_stop; settings_release' EXIT
trap 'exit 130' INT TERM HUP
settings_prepare
secrets_ensure
MYSQL_SCOPE='*.*' mariadb_start

export TEST_MYSQL_SOCKET=$MYSQL_SOCKET TEST_MYSQL_USER=$MYSQL_USER
export TEST_MYSQL_PASSWORD=$MYSQL_PASSWORD
cd "$repository"
readonly server_wide='StorageTests\.(SessionTests|UnwritableTests)'

run() { # ARGUMENT…
  swift test --explicit-target-dependency-import-check error "$@" 9>&-
}

if [[ -n ${FILTER-} ]]; then
  run --filter "$FILTER"
else
  status=0
  run --skip "$server_wide" || status=$?
  run --skip-build --no-parallel --filter "$server_wide" || status=$?
  exit "$status"
fi
