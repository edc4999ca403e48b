#!/usr/bin/env bash
# `make tsan`: the tests of whatever has threads, under ThreadSanitizer. mutex.c says why something is
# preloaded. FILTER picks other tests by name.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
readonly build=$PWD/.build/tsan
filter=${FILTER:-SignalingTests|SupervisionTests|SystemTests|RedisTests|FastCGITests|HTTPClientTests}

# The compiler that came with Swift: another's does not know Swift's calling convention.
clang=$(swift -print-target-info | sed -n 's|.*"runtimeResourcePath": "\(.*\)".*|\1/../../bin/clang|p')

nice swift build --build-tests --sanitize thread --scratch-path "$build"
"$clang" -O1 -Wall -Werror -shared -fPIC Tests/ThreadSanitizer/mutex.c -o "$build/mutex.so" -ldl
# A report makes the program that it is about, the tests' or a child of theirs, end with 66.
LD_PRELOAD=$build/mutex.so TSAN_OPTIONS="exitcode=66 halt_on_error=0 ${TSAN_OPTIONS-}" \
  nice swift test --sanitize thread --scratch-path "$build" --skip-build --filter "$filter"
