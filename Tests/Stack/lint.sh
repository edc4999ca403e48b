#!/usr/bin/env bash
# `make lint`: the format of Swift, and, where their checkers are installed, shell and systemd files.
# Runs all of it and fails if one of them complained.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

lint_swift() { swift format lint --strict --parallel --recursive Sources Tests Package.swift; }

lint_shell() {
  local scripts=(Tests/{Stack,Bench,Bench/parts,Bench/Peers,Bench/Rest,Conformance,Fuzz,ThreadSanitizer}/*.sh .ci/run)
  for script in "${scripts[@]}"; do
    bash -n "$script"
  done
  ! command -v shellcheck >/dev/null || shellcheck --external-sources "${scripts[@]}"
}

# The programs may not be installed here, so something that is stands for them.
lint_units() {
  command -v systemd-analyze >/dev/null || return 0
  local folder status=0
  folder=$(mktemp -d)
  for unit in systemd/*.service systemd/*.socket; do
    sed 's|/usr/bin/chattrix-[a-z]*|/bin/true|' "$unit" >"$folder/${unit##*/}"
  done
  systemd-analyze verify --man=no "$folder"/*.service "$folder"/*.socket >"$folder/report" 2>&1 || status=1
  # What it has to say about units that are not ours is none of our business.
  ! grep -F chattrix "$folder/report" || status=1
  rm -rf -- "$folder"
  return "$status"
}

status=0
for check in lint_swift lint_shell lint_units; do
  (set -e; "$check") || { echo "$check failed" >&2; status=1; }
done
exit "$status"
