#!/usr/bin/env bash
# `make test`: lint, unit tests and the end-to-end suite, each also after a failure, so that one run tells everything.
# What failed is said again at the end: what keeps a long log often keeps its end only.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=/dev/null
source "$here/say.sh"
readonly recap_lines=60
logs=$(mktemp -d)
trap 'rm -rf -- "$logs"' EXIT
failed=()

recap() { # PART: the lines of its log that say what failed, or its last ones
  grep --text -E '✘|: error: |^(FAILED|ERROR) |^E   ' "$logs/$1" | tail -n $recap_lines | grep . ||
    tail -n $recap_lines "$logs/$1"
}

# What a failure may come from: load, memory and disk.
machine() {
  local load
  read -r load _ </proc/loadavg
  printf 'load %s, %s of memory available, %s of disk free' "$load" \
    "$(awk '/^MemAvailable:/ { printf "%.1f GB", $2 / 1e6 }' /proc/meminfo)" \
    "$(df --output=avail --block-size=GB "$here" | tail -n 1 | tr -d ' ')"
}

for part in lint test-unit test-e2e; do
  say "== make $part ($(machine))"
  "${MAKE:-make}" -C "$here/../.." --no-print-directory "$part" 2>&1 | tee "$logs/$part" || failed+=("$part")
done
((${#failed[@]} > 0)) || exit 0
for part in "${failed[@]}"; do
  say "== make $part failed ($(machine)):"
  recap "$part" >&2
done
exit 1
