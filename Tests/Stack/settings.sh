# shellcheck shell=bash
# Where everything of a stack lies and where it listens. STACK_DIR and STACK_PORT tell two stacks
# apart; nothing else is shared between them.

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)

STACK_DIR=$(realpath -m -- "${STACK_DIR:-$repository/.stack}")
STACK_PORT=${STACK_PORT:-8443}
# The directory of the stack whose MariaDB and Redis this one uses, as a second host does; else empty.
STACK_SHARE=${STACK_SHARE:+$(realpath -m -- "$STACK_SHARE")}
# An address by which other hosts reach this one, besides loopback; else empty.
STACK_ADDRESS=${STACK_ADDRESS-}
# The nodes of a cluster (MYSQL_HOST), which stand in for this stack's MariaDB; else empty.
STACK_NODES=${STACK_NODES-}
# Which server the data is in: mariadb, which Debian has, or mysql, MySQL's own, where it is installed.
STACK_DATABASE=${STACK_DATABASE:-mariadb}
# What stands in front: nginx, or apache in its place, where it is installed.
STACK_SERVER=${STACK_SERVER:-nginx}
export STACK_DIR STACK_PORT STACK_SHARE STACK_ADDRESS STACK_NODES STACK_DATABASE STACK_SERVER

[[ $STACK_PORT =~ ^[1-9][0-9]{0,4}$ && $STACK_PORT -le 65532 ]] || {
  echo "STACK_PORT is a port between 1 and 65532, and the three after it belong to the stack too" >&2
  exit 64
}
[[ $STACK_ADDRESS =~ ^([0-9]{1,3}(\.[0-9]{1,3}){3})?$ ]] || {
  echo "STACK_ADDRESS is an IPv4 address of this host" >&2
  exit 64
}
[[ $STACK_DATABASE =~ ^(mariadb|mysql)$ ]] || {
  echo "STACK_DATABASE is mariadb or mysql" >&2
  exit 64
}
[[ $STACK_SERVER =~ ^(nginx|apache)$ ]] || {
  echo "STACK_SERVER is nginx or apache" >&2
  exit 64
}
[[ $STACK_DIR$STACK_SHARE != *[\"\'\\\$\`\|\&\;$'\n']* ]] || {
  echo "STACK_DIR must be a path without quotes and other characters of the shell" >&2
  exit 64
}

SITE=${STACK_ADDRESS:-localhost}:$STACK_PORT
REDIS_PORT=$((STACK_PORT + 1))
SIGNALING_ADDRESS=127.0.0.1:$((STACK_PORT + 2))
MARIADB_PORT=$((STACK_PORT + 3)) # only with a STACK_ADDRESS

CONFIG_DIR=$STACK_DIR/etc
LOG_DIR=$STACK_DIR/logs
PID_DIR=$STACK_DIR/pids
ENV_FILE=$STACK_DIR/env
CA_FILE=${STACK_SHARE:-$STACK_DIR}/tls/ca.pem
PROGRAM_DIR=$(realpath -ms -- "${STACK_PROGRAM_DIR:-$repository/.build/release}")

# Debian keeps its servers where an ordinary user does not look.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Unix socket paths end at 107 bytes (unix(7)): under a long STACK_DIR the sockets are in a directory
# of their own, whose name is kept in $STACK_DIR/sockets-at.
settings_sockets() {
  SOCKET_DIR=$(settings_sockets_of "$STACK_DIR")
  FASTCGI_SOCKET=$SOCKET_DIR/fastcgi.sock
  MYSQL_SOCKET=$(settings_sockets_of "${STACK_SHARE:-$STACK_DIR}")/mariadb.sock
}

settings_sockets_of() { # STACK
  if [[ -r $1/sockets-at ]]; then
    cat -- "$1/sockets-at"
  else
    printf '%s' "$1/sockets"
  fi
}
settings_sockets

settings_prepare() {
  umask 077
  if [[ ${STACK_FRESH:-0} == 1 ]]; then
    stack_down
    settings_wipe
  fi
  mkdir -p "$STACK_DIR"/{bin,demo,etc,logs,pids,sockets,tls,tmp}
  : >"$STACK_DIR/.chattrix-stack"
  local LC_ALL=C longest=$STACK_DIR/sockets/mariadb.sock
  if ((${#longest} > 107)) && [[ ! -f $STACK_DIR/sockets-at || ! -O $SOCKET_DIR ]]; then
    mktemp -d /tmp/chattrix.XXXXXX >"$STACK_DIR/sockets-at"
    settings_sockets
  fi
}

# Gives back what lies outside of STACK_DIR.
settings_release() {
  [[ -f $STACK_DIR/sockets-at ]] || return 0
  rm -f -- "$SOCKET_DIR"/*.sock
  rmdir -- "$SOCKET_DIR" 2>/dev/null || :
  rm -f -- "$STACK_DIR/sockets-at"
  settings_sockets
}

# Removes the data of a stack that is down; only a directory that a stack has made.
settings_wipe() {
  [[ -d $STACK_DIR ]] || return 0
  [[ -f $STACK_DIR/.chattrix-stack ]] || {
    echo "$STACK_DIR is not a stack's directory; it stays" >&2
    return 1
  }
  rm -rf -- "$STACK_DIR"
}

# The last stack's logs stay beside the new ones as *.log.1. MariaDB's is open and small.
settings_turn_logs() {
  local log
  for log in "$LOG_DIR"/*.log; do
    [[ ! -s $log || $log == */mariadb.log ]] || mv -f -- "$log" "$log.1"
  done
}
