#!/usr/bin/env bash
# From a change of a call to the webhook at its receiver.
set -euo pipefail
exec "$BENCH_PYTHON" Tests/Bench/webhooks.py "$@"
