#!/usr/bin/env bash
# `make conformance`: the fuzzing client of Autobahn's test suite against EchoServer, which is the
# sidecar's event loop and WebSocket module. Every case has to be OK, or INFORMATIONAL where there is
# no right or wrong; NON-STRICT is not good enough. Groups 12 and 13 are about compression, which is
# not offered.
#
#   CONFORMANCE_CASES="6.* 7.*"   some cases only; summary.md stays as it is then
#   CONFORMANCE_PORT=19001        where the echo server listens, on loopback
#
# Autobahn's suite needs Python 2.7, so it is no part of `make test`; a choice of its cases is in
# Tests/WebSocketTests/AutobahnTests.swift.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
repository=$(realpath ../..)
readonly repository suite=$repository/.build/autobahn port=${CONFORMANCE_PORT:-19001}

find_python() {
  local python
  for python in python2.7 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/2.7.*/bin/python; do
    if "$python" -m pip --version >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
  echo "Autobahn's test suite needs Python 2.7 with pip (pyenv install 2.7.18)" >&2
  return 1
}

# A user base of its own serves as the virtual environment that Python 2.7 does not come with.
install_suite() {
  [[ ! -x $PYTHONUSERBASE/bin/wstest ]] || return 0
  echo "Installing Autobahn's test suite into $PYTHONUSERBASE"
  "$python" -m pip install --user --quiet --disable-pip-version-check --no-warn-script-location \
    --requirement requirements.txt 2>"$suite/pip.log" || { cat "$suite/pip.log" >&2; return 1; }
}

start_server() {
  "$repository/.build/release/echo-server" "127.0.0.1:$port" &
  server=$!
  trap 'kill "$server" 2>/dev/null; wait "$server"' EXIT
  for _ in {1..50}; do
    kill -0 "$server" || return 1
    ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || return 0
    sleep 0.1
  done
  return 1
}

specification() {
  local cases=${CONFORMANCE_CASES:-*}
  cat <<END
{"outdir": "$suite/reports", "servers": [{"agent": "echo", "url": "ws://127.0.0.1:$port"}],
 "cases": ["${cases// /\", \"}"], "exclude-cases": ["12.*", "13.*"], "exclude-agent-cases": {}}
END
}

mkdir -p "$suite"
rm -rf -- "$suite/reports"
python=$(find_python)
export PYTHONUSERBASE=$suite
install_suite
start_server
set -f
specification >"$suite/specification.json"
"$PYTHONUSERBASE/bin/wstest" --mode fuzzingclient --spec "$suite/specification.json" \
  >"$suite/wstest.log" 2>&1 || { tail -n 30 "$suite/wstest.log" >&2; exit 1; }
status=0
"$python" summary.py "$suite/reports/index.json" >"$suite/summary.md" || status=$?
cat "$suite/summary.md"
[[ -n ${CONFORMANCE_CASES-} ]] || cp "$suite/summary.md" summary.md
((status == 0)) || echo "See $suite/reports/index.html" >&2
exit "$status"
