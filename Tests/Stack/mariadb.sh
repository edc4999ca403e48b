# shellcheck shell=bash
# A private MariaDB under STACK_DIR, or MySQL where STACK_DATABASE says so, made durable as a real one is:
# a Unix socket, and no network unless the stack has a STACK_ADDRESS, where other hosts reach it.

MYSQL_DATABASE=chattrix
MYSQL_USER=chattrix

mariadb_configure() {
  cat >"$CONFIG_DIR/mariadb.cnf" <<END
[mysqld]
datadir = $STACK_DIR/mysql
socket = $MYSQL_SOCKET
pid-file = $PID_DIR/mariadb.pid
log-error = $LOG_DIR/mariadb.log
tmpdir = $STACK_DIR/tmp
init-file = $CONFIG_DIR/mariadb.sql
$(mariadb_network)
skip-name-resolve
skip-log-bin
default-time-zone = +00:00
character-set-server = utf8mb4
collation-server = utf8mb4_unicode_ci
innodb-flush-log-at-trx-commit = 1
innodb-buffer-pool-size = 256M
max-connections = 400
performance-schema = OFF
$([[ $STACK_DATABASE != mysql ]] || printf 'mysqlx = OFF\nsecure-file-priv = NULL')
END
  # Neither runs as root without being told to.
  ((EUID != 0)) || echo "user = root" >>"$CONFIG_DIR/mariadb.cnf"
  # The server runs this at every start, before it lets anybody in; so no administrator's login.
  {
    echo "CREATE DATABASE IF NOT EXISTS $MYSQL_DATABASE" \
      "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;"
    mariadb_account localhost
    [[ -z $STACK_ADDRESS ]] || mariadb_account "'%'"
  } >"$CONFIG_DIR/mariadb.sql"
}

mariadb_account() { # HOST
  cat <<END
CREATE USER IF NOT EXISTS $MYSQL_USER@$1;
ALTER USER $MYSQL_USER@$1 IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL PRIVILEGES ON ${MYSQL_SCOPE:-$MYSQL_DATABASE.*} TO $MYSQL_USER@$1${MYSQL_SCOPE:+ WITH GRANT OPTION};
END
}

mariadb_network() {
  if [[ -z $STACK_ADDRESS ]]; then
    echo skip-networking
  else
    printf 'bind-address = %s\nport = %s\n' "$STACK_ADDRESS" "$MARIADB_PORT"
  fi
}

mariadb_install() {
  local kind=$STACK_DIR/mysql/stack-database
  if [[ -d $STACK_DIR/mysql ]]; then
    # Neither reads the other's files. A stack from before this was noted is MariaDB's.
    [[ $(cat -- "$kind" 2>/dev/null || echo mariadb) != "$STACK_DATABASE" ]] || return 0
    say "The data in $STACK_DIR is another server's: make clean-stack, or another STACK_DIR"
    return 1
  fi
  rm -rf -- "$STACK_DIR/mysql.new"
  mariadb_initialize "$STACK_DIR/mysql.new" >"$LOG_DIR/mariadb-install.log" 2>&1 || {
    cat "$LOG_DIR/mariadb-install.log" >&2
    return 1
  }
  echo "$STACK_DATABASE" >"$STACK_DIR/mysql.new/stack-database"
  mv -- "$STACK_DIR/mysql.new" "$STACK_DIR/mysql"
}

# MySQL's root has no password; nobody but who owns the stack comes to its socket.
mariadb_initialize() { # FOLDER
  # In a temporary folder shared with another's start, that one sweeps away our tables.
  local -x TMPDIR=$STACK_DIR/tmp
  if [[ $STACK_DATABASE == mysql ]]; then
    local options=(--no-defaults --initialize-insecure --secure-file-priv=NULL --datadir="$1")
    ((EUID != 0)) || options+=(--user=root)
    mysqld "${options[@]}"
  else
    mariadb-install-db --no-defaults --datadir="$1" --skip-test-db \
      --auth-root-authentication-method=socket
  fi
}

mariadb_query() { # SQL
  MYSQL_PWD=$MYSQL_PASSWORD "$STACK_DATABASE" --no-defaults --host=localhost --socket="$MYSQL_SOCKET" \
    --user="$MYSQL_USER" --batch --skip-column-names --execute="$1" "$MYSQL_DATABASE"
}

mariadb_answers() { mariadb_query 'SELECT 1' >/dev/null 2>&1; }

mariadb_start() {
  mariadb_configure
  [[ -z $(process_of mariadb) ]] || ! mariadb_answers || return 0
  mariadb_stop
  mariadb_install
  # MySQL takes whoever has the id of one that was killed for its owner.
  rm -f -- "$MYSQL_SOCKET.lock"
  local program=mariadbd
  [[ $STACK_DATABASE != mysql ]] || program=mysqld
  process_start "$LOG_DIR/mariadb.log" \
    "$(command -v "$program")" --defaults-file="$CONFIG_DIR/mariadb.cnf"
  process_await MariaDB "$PROCESS_PID" 180 "$LOG_DIR/mariadb.log" mariadb_answers
}

mariadb_stop() { process_stop MariaDB "$(process_of mariadb)" 60; }
