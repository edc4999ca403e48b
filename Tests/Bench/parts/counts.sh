#!/usr/bin/env bash
# Part `counts` of `make bench`: instructions, allocations and system calls a request, and counts.json anew.
set -euo pipefail

"${BENCH_PYTHON:?}" "$(dirname -- "${BASH_SOURCE[0]}")/../counts.py" --write "$@"
