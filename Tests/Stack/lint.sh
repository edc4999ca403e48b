#!/usr/bin/env bash
# `make lint`: the format of Swift, Python, the console and the guide, the types of both, and, where their checkers
# are installed, shell and systemd files. Runs all of it and fails if one of them complained.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for part in say settings packages python apache; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done
cd -- "$repository"

lint_swift() { swift format lint --strict --parallel --recursive Sources Tests Package.swift; }

lint_shell() {
  local scripts=(Tests/{Stack,Bench,Chaos,Bench/parts,Bench/Peers,Bench/Rest,Conformance,Fuzz,Package,ThreadSanitizer}/*.sh
    .ci/run systemd/*.bash systemd/man/pages.sh systemd/debian/{build.sh,chattrix-enable,postinst,prerm,postrm})
  for script in "${scripts[@]}"; do
    bash -n "$script"
  done
  ! command -v shellcheck >/dev/null || shellcheck --external-sources "${scripts[@]}"
}

# A test that cannot even be collected is found here, before the suite has run for minutes.
lint_python() {
  python_ready
  "$venv/bin/ruff" check --quiet Tests
  "$venv/bin/ruff" format --quiet --check Tests
  local collected
  collected=$(cd Tests/EndToEnd && "$venv/bin/python" -m pytest -n 0 --collect-only -qq 2>&1) || {
    echo "$collected"
    return 1
  }
}

# nginx's files as they are deployed, within the stack's own nginx.conf. No server of ours is a default_server: other
# sites of the host may have theirs.
lint_nginx() {
  local folder report status=0
  python_ready
  folder=$(mktemp -d)
  cp -r -- nginx/chattrix.conf nginx/chattrix "$folder"
  sed -e 's|@FILES@|65536|' -e 's|@CONNECTIONS@|32768|' -e 's|@[A-Z_]*@||' Tests/Stack/nginx.conf >"$folder/nginx.conf"
  report=$("$venv/bin/gixy" --level --skips default_server_flag "$folder/nginx.conf" 2>&1) || { echo "$report"; status=1; }
  rm -rf -- "$folder"
  return "$status"
}

# Apache's files as they are installed, where it is, with a certificate of their own.
lint_apache() {
  command -v apache2 >/dev/null || return 0
  local folder report status=0
  folder=$(mktemp -d)
  cp -r -- nginx/apache/. "$folder"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=calls.example.org \
    -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null
  sed -i -e "s|/etc/ssl/certs/.*pem|$folder/certificate.pem|" -e "s|/etc/ssl/private/.*key|$folder/key.pem|" \
    "$folder/chattrix/host.conf"
  PID_DIR=$folder LOG_DIR=$folder apache_around "$folder" >"$folder/apache2.conf"
  report=$(APACHE_RUN_DIR=$folder APACHE_LOG_DIR=$folder apache2 -t -f "$folder/apache2.conf" 2>&1) || status=1
  [[ $report == "Syntax OK" ]] || { echo "$report"; status=1; }
  rm -rf -- "$folder"
  return "$status"
}

# JavaScript, CSS and HTML of the console and the guide: format and likely bugs, then the types of its JSDoc.
lint_console() {
  python_ready
  "$venv/bin/biome" check --config-path=.biome.json --colors=off --max-diagnostics=100 nginx/console nginx/guide
  tsc --project .jsconfig.json
}

# What systemd thinks a unit could do to its host, from 0 (nothing) to 10; systemd 250 and newer.
lint_exposure() { # UNIT…
  local unit status=0
  systemd-analyze --help | grep -q -- --offline || return 0
  for unit in "$@"; do
    systemd-analyze security --offline=yes --threshold=12 --no-pager "$unit" >"$unit.report" 2>&1 ||
      { grep -F Overall "$unit.report" || cat "$unit.report"; status=1; }
  done
  return "$status"
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
  lint_exposure "$folder"/*.service || status=1
  rm -rf -- "$folder"
  return "$status"
}

status=0
for check in lint_swift lint_shell lint_python lint_nginx lint_apache lint_console lint_units; do
  set +e # to the left of a || the first command that fails would not end a check
  (set -e; "$check")
  result=$?
  set -e
  ((result == 0)) || { echo "$check failed" >&2; status=1; }
done
exit "$status"
