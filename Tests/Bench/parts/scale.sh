#!/usr/bin/env bash
# What each part of an installation costs, in processor time and memory: CONTRIBUTING.md, "Scale", multiplies it.
set -euo pipefail
exec "$BENCH_PYTHON" Tests/Bench/scale.py "$@"
