#!/usr/bin/env bash
# Builds uwebsockets.cpp with the sources of UWEBSOCKETS (its submodule uSockets in it) as their own
# makefiles do, without TLS and zlib, into .build/bench.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
out=$(realpath ../../..)/.build/bench
sources=${UWEBSOCKETS:?names a checkout of uWebSockets with its submodule uSockets}
sockets=$sources/uSockets/src

mkdir -p "$out/usockets"
[[ ! $out/uwebsockets -nt uwebsockets.cpp ]] || exit 0
(cd "$out/usockets" &&
  "${CC:-gcc}" -std=c11 -O3 -march=native -flto -DLIBUS_NO_SSL -I"$sockets" -c "$sockets"/*.c "$sockets"/{eventing,crypto}/*.c)
"${CXX:-g++}" -std=c++2b -O3 -march=native -flto=auto -DLIBUS_NO_SSL -DUWS_NO_ZLIB -I"$sources/src" \
  -I"$sockets" uwebsockets.cpp "$out"/usockets/*.o -o "$out/uwebsockets"
