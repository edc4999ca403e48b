#!/usr/bin/env bash
# The life of the package on a clean Debian; run.sh runs it within a root of its own. Every check is a line, and all of
# them run. systemd does not run here: what the package asks of it is recorded, and its own tools work on the files.
set -euo pipefail

readonly packages=/tmp/packages settings=/etc/chattrix/calls.env site=/etc/nginx/sites-enabled/chattrix.conf
readonly units=(chattrix-calls.socket chattrix-signaling.socket chattrix-calls.service chattrix-signaling.service)
readonly programs=(supervisor worker signaling webhooks ctl)
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
enabled() { find /etc/systemd/system -name "$1" -path '*.wants/*' | grep .; }
state() { dpkg-query -W -f '${db:Status-Status}' chattrix-calls 2>/dev/null || :; }

# No question can be answered: standard input is empty. apt would leave /usr/local out of the path.
apt() { apt-get --yes -qq -o Dpkg::Use-Pty=0 -o DPkg::Path="$PATH" "$@" </dev/null >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; return 1; }; }

# As the unit does: the account of the service, and the settings as its environment.
check_config() {
  (
    set -a
    # shellcheck disable=SC1090
    . "$settings"
    set +a
    setpriv --reuid=chattrix --regid=chattrix --init-groups chattrix-ctl check-config
  )
}

unconfigured() {
  local status=0
  check_config >/tmp/config.log 2>&1 || status=$?
  cat /tmp/config.log
  ((status == 78)) && grep -q AGORA_APP_ID /tmp/config.log && grep -q JWT /tmp/config.log
}

# What apt would install by default.
recommends() {
  apt-get --simulate install "$packages/first.deb" >/tmp/simulated.log 2>&1
  cat /tmp/simulated.log
  grep -q '^Inst mariadb-server ' /tmp/simulated.log && grep -q '^Inst redis-server ' /tmp/simulated.log
}

# nginx -t binds its addresses: in a network of its own.
nginx_accepts() { unshare --net nginx -t; }

unconnected() { # apt ARGUMENT…
  export -f apt
  unshare --net bash -c '"$@"' - "$@"
}

# Stands for a systemd that runs, in the midst of an upgrade.
record_systemctl() {
  mkdir -p /run/systemd/system
  printf '#!/bin/sh\necho "$*" >>/tmp/systemctl.log\n' >/usr/local/bin/systemctl
  chmod 755 /usr/local/bin/systemctl
  mv /usr/sbin/policy-rc.d /usr/sbin/policy-rc.d.away
  : >/tmp/systemctl.log
}

record_no_more() {
  rm -rf /run/systemd/system /usr/local/bin/systemctl
  mv /usr/sbin/policy-rc.d.away /usr/sbin/policy-rc.d
}

install_first() {
  local program unit
  apt update
  check "has apt bring a database and Redis" recommends
  check "installs on a clean root, without a question" apt install --no-install-recommends "$packages/first.deb"
  cp /tmp/apt.log /tmp/installed.log
  check "is installed" is "$(state)" installed
  check "says that nothing was started" says /tmp/installed.log "nothing of it has been started"
  for file in "$settings" /etc/nginx/chattrix/host.conf /etc/nginx/chattrix/site.conf; do
    check "says to fill in $file" says /tmp/installed.log "$file"
  done
  check "has no running program" not running
  for program in "${programs[@]}"; do
    check "chattrix-$program --version" is "$("chattrix-$program" --version)" "chattrix-$program $VERSION"
  done
  check "has every library" not grep -r 'not found' <(ldd /usr/bin/chattrix-*)
  for unit in "${units[@]}"; do
    check "$unit is there, and not enabled" is "$(systemctl is-enabled "$unit" 2>&1)" disabled
  done
  check "the site of nginx is available" test -f /etc/nginx/sites-available/chattrix.conf
  check "and not enabled" not test -e "$site"
}

files_and_account() {
  check "calls.env is root's alone" is "$(mode "$settings")" "600 root:root"
  check "calls.env is the example" cmp "$settings" /usr/share/chattrix/calls.env.example
  check "/etc/chattrix lets key files be read" is "$(mode /etc/chattrix)" "755 root:root"
  check "/run/chattrix is the service's" is "$(mode /run/chattrix)" "750 chattrix:chattrix"
  check "the account is a system's" test "$(id -u chattrix)" -lt 1000
  check "the account has no shell" grep -E '^chattrix:.*/nologin$' /etc/passwd
  check "nginx may reach the socket" grep -E '^chattrix:.*www-data' /etc/group
  check "the files are as packaged" is "$(dpkg --verify chattrix-calls)" ""
  check "migrations" test -f /usr/share/chattrix/sql/0001_schema.sql
  check "stored procedures" test -f /usr/share/chattrix/sql/routines/lock_call_1.sql
  check "the console" test -f /usr/share/chattrix/console/index.html
  check "alerts and dashboard" test -f /usr/share/chattrix/monitoring/alerts.yml
  check "completion" test -f /usr/share/bash-completion/completions/chattrix-ctl
}

configure() {
  check "check-config names what is missing" unconfigured
  sed -i -e 's/^AGORA_APP_ID=.*/&970ca35de60c44645bbae8a215061b33/' \
    -e 's/^AGORA_APP_CERTIFICATE=.*/&5cfd2fd1755d40ecb72977518be15d3b/' \
    -e 's/^JWT_SECRET=.*/&of-more-than-thirty-two-bytes-for-HS256/' "$settings"
  check "check-config is content" check_config
  mkdir -p /etc/ssl/certs /etc/ssl/private
  cp "$packages/certificate.pem" /etc/ssl/certs/calls.test.pem
  cp "$packages/key.pem" /etc/ssl/private/calls.test.key
  sed -i 's/calls\.example\.org/calls.test/' /etc/nginx/chattrix/{host,site}.conf
  ln -s ../sites-available/chattrix.conf "$site"
  check "nginx accepts the site" nginx_accepts
  systemctl enable "${units[@]}" >/dev/null 2>&1
  for unit in "${units[@]}"; do
    check "$unit can be enabled" enabled "$unit"
  done
  # A database stays whatever becomes of the package.
  mkdir -p /var/lib/mysql/chattrix
  echo data >/var/lib/mysql/chattrix/calls.ibd
  sha256sum "$settings" /etc/nginx/chattrix/{host,site}.conf /var/lib/mysql/chattrix/calls.ibd >/tmp/kept
}

kept() { sha256sum --check --quiet /tmp/kept; }

upgrade() {
  record_systemctl
  check "upgrades with changed configuration, without a question" unconnected apt install "$packages/second.deb"
  record_no_more
  check "has the new version" is "$(dpkg-query -W -f '${Version}' chattrix-calls)" "$VERSION+1"
  check "the configuration stays" kept
  check "calls.env is still root's alone" is "$(mode "$settings")" "600 root:root"
  check "the services restart where they run" grep -q 'try-restart chattrix-calls.service chattrix-signaling.service' \
    /tmp/systemctl.log
  check "nothing else is started" not grep -E '(^| )(start|restart|enable)( |$)' /tmp/systemctl.log
  check "nginx reads its files again" grep -q 'try-reload-or-restart nginx.service' /tmp/systemctl.log
  check "says nothing of a first installation" not says /tmp/apt.log "What is to be filled in"
  check "the units stay enabled" enabled chattrix-calls.service
  # What both sides have changed, as an unattended upgrade has it.
  check "upgrades where both have changed a file" \
    apt -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install "$packages/third.deb"
  check "the administrator's stays" kept
  check "the packaged one is beside it" grep -q "third version" /etc/nginx/chattrix/host.conf.dpkg-dist
  check "an unchanged one is replaced" grep -q "third version" /etc/nginx/chattrix/misdirected.conf
  check "nginx accepts the site" nginx_accepts
}

remove_and_purge() {
  record_systemctl
  check "is removed" unconnected apt remove chattrix-calls
  record_no_more
  check "the services are stopped" grep -q 'stop chattrix-calls.socket chattrix-signaling.socket chattrix-calls.service' \
    /tmp/systemctl.log
  check "programs are gone" not ls /usr/bin/chattrix-ctl
  check "configuration and data stay" kept
  check "the account stays" id chattrix
  check "nginx accepts what is left" nginx_accepts
  check "is installed again" apt install "$packages/third.deb"
  check "with the configuration that was left" kept
  check "is purged" apt purge chattrix-calls
  check "dpkg knows nothing of it" is "$(state)" ""
  for path in /etc/chattrix /etc/nginx/chattrix /etc/nginx/sites-available/chattrix.conf "$site" /usr/share/chattrix; do
    check "$path is gone" not test -e "$path" -o -L "$path"
  done
  check "no unit is enabled" not enabled 'chattrix-*'
  check "nginx accepts what is left" nginx_accepts
  check "the account stays, as files may be its own" id chattrix
  check "the database stays" grep -q data /var/lib/mysql/chattrix/calls.ibd
}

install_first
files_and_account
configure
upgrade
remove_and_purge
echo "$failures failed"
((failures == 0))
