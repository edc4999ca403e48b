#!/usr/bin/env bash
# `make test-unit`: the Swift tests. Those of MySQL and the storage get a MariaDB of their own, whose
# user may create databases (chattrix_test_*), through TEST_MYSQL_*. FILTER picks tests by name.
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
swift test --explicit-target-dependency-import-check error ${FILTER:+--filter "$FILTER"} 9>&-
