#!/usr/bin/env bash
# `make fuzz`: builds every target with libFuzzer and AddressSanitizer and runs each for a while.
#
#   FUZZ_SECONDS=20            for each target
#   FUZZ_TARGETS="json jwt"    those alone; without it all of Targets/
#
# Corpus/ holds the seeds, which are only read; what is found on top of them is kept in
# .build/fuzz/corpus, so that a later run goes on from there. An input that breaks a target is left
# in .build/fuzz/found; `.build/fuzz/release/fuzz-TARGET FILE` runs it again.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
build=$(realpath ../../.build/fuzz 2>/dev/null || realpath -m ../../.build/fuzz)
found=$build/found
export SWIFT_BACKTRACE=enable=no # libFuzzer's report is the better one

build_targets() {
  mkdir -p "$build"
  # `--sanitize` leaves `main` to libFuzzer; the second option adds what it does not know of.
  # Debug's assertions stay in. gold's warning is about a symbol of the sanitizer's own.
  nice swift build --package-path . --scratch-path "$build" -c release --sanitize fuzzer \
    -Xswiftc -sanitize=fuzzer,address -Xswiftc -assert-config -Xswiftc Debug \
    >"$build/build.log" 2>&1 || { grep -v 'gold: warning' "$build/build.log" >&2; exit 1; }
}

# The longest input, in bytes: just over the format's own limit where a fuzzer can reach that.
longest() {
  case $1 in
    http-head) echo 8400 ;;
    jwt | agora-token) echo 8400 ;;
    *) echo 4096 ;;
  esac
}

run_target() { # TARGET: a line of the table; fails where an input was found
  local target=$1 log=$build/$1.log options=() status=0
  mkdir -p "$build/corpus/$target" "$found"
  [[ ! -f Dictionaries/$target.dict ]] || options+=("-dict=Dictionaries/$target.dict")
  # A length that is believed before it is checked shows as an allocation over the limit.
  nice "$build/release/fuzz-$target" "${options[@]}" -max_len="$(longest "$target")" \
    -max_total_time="${FUZZ_SECONDS:-20}" -timeout=10 -malloc_limit_mb=16 -print_final_stats=1 \
    -artifact_prefix="$found/$target-" "$build/corpus/$target" "Corpus/$target" \
    >"$log" 2>&1 || status=$?
  awk -v target="$target" '
    /^stat::number_of_executed_units/ { executions = $2 }
    / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") edges = $(i + 1)
                                          if ($i == "corp:") inputs = $(i + 1) } }
    END { printf "%-20s %12d %9d  %s\n", target, executions, edges, inputs }' "$log"
  ((status == 0)) || {
    grep -v '^#' "$log" | tail -n 50 >&2
    echo "$target failed; see $found" >&2
    return 1
  }
}

build_targets
printf '%-20s %12s %9s  %s\n' target executions edges corpus
failed=()
for folder in Targets/*/; do
  target=$(basename "$folder")
  [[ " ${FUZZ_TARGETS:-$target} " == *" $target "* ]] || continue
  run_target "$target" || failed+=("$target")
done
((${#failed[@]} == 0)) || { echo "Failed: ${failed[*]}" >&2; exit 1; }
