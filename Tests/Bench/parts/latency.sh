#!/usr/bin/env bash
# From an initiate to the invitation on the callee's socket.
set -euo pipefail
exec "$BENCH_PYTHON" Tests/Bench/latency.py "$@"
