#!/usr/bin/env bash
# A part of the package's life, within a clean Debian (run.sh): inside.sh install|configure|upgrade|remove. Every check
# is a line, and all of them run.
set -euo pipefail

readonly packages=/packages settings=/etc/chattrix/calls.env site=/etc/nginx/sites-enabled/chattrix.conf
readonly units=(chattrix-calls.socket chattrix-signaling.socket chattrix-calls.service chattrix-signaling.service)
failures=0

check() { # DESCRIPTION COMMAND…
  local description=$1
  shift
  if "$@" >/tmp/check.log 2>&1; then
    echo "ok      $description"
  else
    echo "FAILED  $description"
    sed 's/^/          /' /tmp/check.log
    failures=$((failures + 1))
  fi
}

not() { ! "$@"; }
is() { [[ $1 == "$2" ]] || { echo "$1, and not $2"; return 1; }; }
says() { grep -qF -- "$2" "$1" || { cat "$1"; return 1; }; }
mode() { stat -c '%a %U:%G' -- "$1"; }
running() { readlink /proc/[0-9]*/exe 2>/dev/null | grep chattrix; }
state() { dpkg-query -W -f '${db:Status-Status}' chattrix-calls 2>/dev/null || :; }
sql() { mariadb --batch --skip-column-names --execute "$1"; }
all() { is "$(systemctl "$1" "${units[@]}" 2>/dev/null | sort -u)" "$2"; } # is-active|is-enabled STATE

# nginx takes a moment to read its files again.
ready() {
  curl --silent --show-error --fail --retry 10 --retry-delay 1 --retry-connrefused \
    --cacert "$packages/certificate.pem" https://localhost/readyz | grep '"ready"'
}
# A worker asks the WebSocket server over its socket, from within what the unit allows it.
scraped() {
  local page=/tmp/metrics
  for _ in {1..10}; do
    curl --silent --show-error --fail --cacert "$packages/certificate.pem" --output "$page" https://localhost/metrics
    ! grep -x 'chattrix_signaling_up 1' "$page" || return 0
    sleep 1
  done
  return 1
}
# Of what is the package's; Debian's own files may be deprecated in places.
warned_of() { nginx -t 2>&1 | grep 'warn.*chattrix'; }
# nginx has been told to reload, which takes a moment.
speaks_http2() {
  is "$(curl --silent --show-error --retry 10 --retry-delay 1 --retry-all-errors --cacert "$packages/certificate.pem" --output /dev/null --write-out '%{http_version}' https://localhost/readyz)" 2
}
refused() { # NAME
  local status=0
  chattrix-enable >/tmp/refused.log 2>&1 || status=$?
  is "$status" 78 && says /tmp/refused.log "$1"
}

# No question can be answered: standard input is empty. There is no network either: what is needed is in apt's cache.
apt() { apt-get --yes -qq -o Dpkg::Use-Pty=0 "$@" </dev/null >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; return 1; }; }

fill_in() { # SETTING VALUE
  sed -i "s|^#\?$1=.*|$1=$2|" "$settings"
}

install_it() {
  local program unit file
  check "installs on a clean root, without a question" apt install "$packages/first.deb"
  cp /tmp/apt.log /tmp/installed.log
  check "is installed" is "$(state)" installed
  check "with a database and Redis" systemctl is-active mariadb redis-server nginx
  check "says that nothing was started" says /tmp/installed.log "nothing of it has been started"
  for file in "$settings" /etc/nginx/chattrix/host.conf /etc/nginx/chattrix/site.conf; do
    check "says to fill in $file" says /tmp/installed.log "$file"
  done
  check "has no running program" not running
  for program in supervisor worker signaling webhooks ctl; do
    check "chattrix-$program --version" is "$("chattrix-$program" --version)" "chattrix-$program $VERSION"
  done
  check "has every library" not grep -r 'not found' <(ldd /usr/bin/chattrix-*)
  check "no unit is enabled" all is-enabled disabled
  check "no unit is active" all is-active inactive
  check "calls.env is root's alone" is "$(mode "$settings")" "600 root:root"
  check "calls.env is the example" cmp "$settings" /usr/share/chattrix/calls.env.example
  check "/etc/chattrix lets key files be read" is "$(mode /etc/chattrix)" "755 root:root"
  check "/run/chattrix is the service's" is "$(mode /run/chattrix)" "750 chattrix:chattrix"
  check "the account is a system's" test "$(id -u chattrix)" -lt 1000
  check "the account has no shell" grep -E '^chattrix:.*/nologin$' /etc/passwd
  check "nginx may reach the socket" grep -E '^chattrix:.*www-data' /etc/group
  check "the files are as packaged" is "$(dpkg --verify chattrix-calls)" ""
  for file in sql/0001_schema.sql sql/routines/lock_call_1.sql console/index.html description/openapi.json \
    monitoring/alerts.yml; do
    check "$file is there" test -f "/usr/share/chattrix/$file"
  done
  check "completion is there" test -f /usr/share/bash-completion/completions/chattrix-ctl
  check "nothing signs in a demo" not grep -rE '"token"|demo\.json' /etc/nginx /usr/share/chattrix/console --include=*.json --include=*.conf
  check "chattrix-enable refuses what is not filled in, and names it" refused AGORA_APP_ID
  check "no unit is active" all is-active inactive
  check "the site of nginx is not enabled" not test -e "$site"
}

settings_and_certificate() {
  fill_in AGORA_APP_ID 970ca35de60c44645bbae8a215061b33
  fill_in AGORA_APP_CERTIFICATE 5cfd2fd1755d40ecb72977518be15d3b
  fill_in JWT_SECRET a-secret-of-more-than-thirty-two-bytes
  mkdir -p /etc/ssl/certs /etc/ssl/private
  cp "$packages/certificate.pem" /etc/ssl/certs/calls.test.pem
  cp "$packages/key.pem" /etc/ssl/private/calls.test.key
  sed -i 's/calls\.example\.org/calls.test/' /etc/nginx/chattrix/{host,site}.conf
}

configure() {
  local unit
  settings_and_certificate
  fill_in MYSQL_PASSWORD a-passw0rd
  sed -i 's/^#\(RATE_LIMIT_[A-Z_]*\)=.*/\1=0/' "$settings" # for calls without a pause
  check "chattrix-enable puts it into operation" chattrix-enable
  check "every unit is enabled" all is-enabled enabled
  check "every unit is active" all is-active active
  check "the service is ready" ready
  check "one page has the metrics of the whole host" scraped
  check "chattrix-enable can be run again" chattrix-enable
  check "nginx has nothing to warn of" not warned_of
  check "speaks HTTP/2" speaks_http2
  for unit in "${units[@]:2}"; do
    check "the exposure of $unit" systemd-analyze security --threshold=12 --no-pager "$unit"
  done
  sha256sum "$settings" /etc/nginx/chattrix/{host,site}.conf >/tmp/kept
}

kept() { sha256sum --check --quiet /tmp/kept && [[ $(sql 'SELECT COUNT(*) > 0 FROM chattrix.calls') == 1 ]]; }

upgrade() {
  local before
  before=$(systemctl show --property MainPID "${units[@]:2}")
  check "upgrades in use, without a question" apt install "$packages/second.deb"
  check "has the new version" is "$(dpkg-query -W -f '${Version}' chattrix-calls)" "$VERSION+1"
  check "configuration and data stay" kept
  check "calls.env is still root's alone" is "$(mode "$settings")" "600 root:root"
  check "every unit is active" all is-active active
  check "the services are new" not is "$(systemctl show --property MainPID "${units[@]:2}")" "$before"
  check "the schema is the next version's" sql 'SELECT COUNT(next_version) FROM chattrix.calls'
  check "the service is ready" ready
  check "says nothing of a first installation" not says /tmp/apt.log "What is to be filled in"
}

remove() {
  systemctl stop chattrix-signaling.socket chattrix-signaling.service
  # What both sides have changed, as an unattended upgrade has it.
  check "upgrades where both have changed a file" \
    apt -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install "$packages/third.deb"
  check "the administrator's stays" kept
  check "the packaged one is beside it" grep -q "third version" /etc/nginx/chattrix/host.conf.dpkg-dist
  check "an unchanged one is replaced" grep -q "third version" /etc/nginx/chattrix/misdirected.conf
  check "what was stopped is not started" is "$(systemctl is-active chattrix-signaling.service)" inactive
  check "chattrix-enable starts it" chattrix-enable

  check "is removed" apt remove chattrix-calls
  check "no program runs" not running
  check "programs are gone" not ls /usr/bin/chattrix-ctl
  check "configuration and data stay" kept
  check "nginx accepts what is left" nginx -t
  check "is installed again" apt install "$packages/third.deb"
  check "with the configuration that was left" kept
  check "chattrix-enable starts it" chattrix-enable
  check "the service is ready" ready

  check "is purged" apt purge chattrix-calls
  check "dpkg knows nothing of it" is "$(state)" ""
  for path in /etc/chattrix /etc/nginx/chattrix /etc/nginx/sites-available/chattrix.conf "$site" /usr/share/chattrix \
    /var/lib/chattrix /var/log/nginx/chattrix-access.log; do
    check "$path is gone" not test -e "$path" -o -L "$path"
  done
  check "the database is gone" is "$(sql "SHOW DATABASES LIKE 'chattrix'")" ""
  check "its account is gone" is "$(sql "SELECT COUNT(*) FROM mysql.user WHERE user = 'chattrix'")" 0
  check "no unit is enabled" is "$(find /etc/systemd/system -name 'chattrix-*')" ""
  check "nginx runs with what is left" nginx -t
  check "the system's account stays, as files may be its own" id chattrix

  # A second life, by the Unix socket, in a database that is somebody's.
  sql 'CREATE DATABASE chattrix CHARACTER SET utf8mb4; CREATE TABLE chattrix.theirs (id INT)'
  check "is installed after a purge" apt install "$packages/third.deb"
  settings_and_certificate
  fill_in MYSQL_SOCKET /run/mysqld/mysqld.sock
  check "chattrix-enable needs no password" chattrix-enable
  check "the service is ready" ready
  check "is purged" apt purge chattrix-calls
  check "a database that was there before stays" sql 'SELECT COUNT(*) FROM chattrix.theirs'
}

case $1 in
  install) install_it ;;
  *) "$1" ;;
esac
echo "        $1: $failures failed"
((failures == 0))
