#!/usr/bin/env bash
# A history of a million calls beside one of a hundred.
set -euo pipefail
exec "$BENCH_PYTHON" Tests/Bench/history.py "$@"
