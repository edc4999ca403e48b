#!/usr/bin/env bash
# Memory, handshakes and round trips of the sidecar beside uWebSockets and Node's ws.
#
#   UWEBSOCKETS=/path/to/checkout  NODE_WS=/path/to/checkout
set -euo pipefail
flags=(-c release --static-swift-stdlib --explicit-target-dependency-import-check error)
swift build "${flags[@]}" --product load
swift build "${flags[@]}" --product echo-server
[[ -z ${UWEBSOCKETS-} ]] || Tests/Bench/Peers/build.sh
exec "$BENCH_PYTHON" Tests/Bench/signaling.py "$@"
