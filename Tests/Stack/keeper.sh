#!/usr/bin/env bash
# Runs chattrix-NAME and starts it again when it dies, as systemd's Restart=always does; its id goes
# to the env file. TERM ends both.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for part in settings process env; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done

readonly name=$1
program=
stopping=

stop() {
  stopping=1
  [[ -z $program ]] || kill -TERM "$program" 2>/dev/null || :
}

# One life of the program; its exit status.
live() {
  local status=0
  # Its id is written down before it is there: whoever has an answer from it finds it under its own.
  {
    echo "$BASHPID" >"$PID_DIR/$name.pid"
    env_set "${name^^}_PID" "$BASHPID"
    exec setsid -- "$PROGRAM_DIR/chattrix-$name" >>"$LOG_DIR/$name.log" 2>&1
  } &
  program=$!
  [[ -z $stopping ]] || kill -TERM "$program" 2>/dev/null || :
  # A signal to the keeper ends a wait, not the program.
  while process_alive "$program"; do
    wait "$program" || :
  done
  wait "$program" || status=$?
  # What it leaves behind ends with it (KillMode=mixed).
  kill -KILL -- "-$program" 2>/dev/null || :
  return "$status"
}

main() {
  local status started deaths=0
  trap stop TERM INT
  ulimit -n "$(ulimit -Hn)"
  while [[ -z $stopping ]]; do
    started=$SECONDS
    status=0
    live || status=$?
    [[ -z $stopping ]] || break
    echo "$(date -u +%FT%TZ) chattrix-$name ($program) ended with status $status"
    # 78, EX_CONFIG: another start would find the same faults (RestartPreventExitStatus=).
    ((status != 78)) || exit 78
    # At once after a crash, slower for one that dies at birth again and again.
    deaths=$((SECONDS - started > 1 ? 0 : deaths + 1))
    sleep "$((deaths > 5 ? 2 : 0)).2"
  done
}

main
exit
