#!/usr/bin/env bash
# Part `nginx` of `make bench`: instructions and system calls of nginx for a request, and nginx.json anew.
set -euo pipefail

"${BENCH_PYTHON:?}" "$(dirname -- "${BASH_SOURCE[0]}")/../nginx.py" --write "$@"
