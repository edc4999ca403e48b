# shellcheck shell=bash
# One command at a time on one stack (flock(2)); what the command starts does not inherit the lock.

lock_take() {
  umask 077
  mkdir -p "$STACK_DIR"
  exec 9>"$STACK_DIR/lock"
  flock --nonblock 9 || {
    echo "Another command is busy with $STACK_DIR; waiting for it…" >&2
    flock --timeout 300 9
  }
}

lock_release() { exec 9>&-; }
