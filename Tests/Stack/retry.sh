# shellcheck shell=bash
# What comes over a network is tried again: a mirror that has a moment's trouble, lists that change between two
# requests, another apt that holds a lock.

# Seconds between one attempt and the next.
retry_pauses=(5 20 60)

# The command's status is that of the last attempt. `set -e` does not hold within it.
retry() { # COMMAND…
  local pause
  for pause in "${retry_pauses[@]}"; do
    if "$@"; then return 0; fi
    say "That failed; again in $pause s"
    sleep "$pause"
  done
  "$@"
}
