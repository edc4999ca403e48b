#!/usr/bin/env bash
# The sign-in of a demo: JWTs of the demo users in $STACK_DIR/demo/demo.json, each good for a quarter of an
# hour and written anew every five minutes. nginx gives the file to loopback only; the console asks for it.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
source "$here/settings.sh"
umask 077

readonly lifetime_seconds=900 interval_seconds=300
readonly file=$STACK_DIR/demo/demo.json

demo_user() { # ID NAME
  local token
  token=$("$PROGRAM_DIR/chattrix-ctl" jwt --user "$1" --ttl "$lifetime_seconds") || return
  printf '{"id":"%s","name":"%s","token":"%s"}' "$1" "$2" "$token"
}

demo_write() {
  local alice bob
  # Without a shared secret there is nothing to sign with, and no demo.
  alice=$(demo_user alice "Alice Example") && bob=$(demo_user bob "Bob Example") || {
    rm -f -- "$file"
    return 0
  }
  printf '{"users":[%s,%s]}\n' "$alice" "$bob" >"$file.new"
  mv -f -- "$file.new" "$file"
}

# A read of a pipe that nobody writes to waits without a process of its own.
exec {idle}<> <(:)
while :; do
  demo_write
  read -r -t "$interval_seconds" -u "$idle" _ || :
done
