#!/usr/bin/env bash
# Installs packages without starting the services they bring: the stack runs its own MariaDB, Redis
# and nginx, and the ports of the system's are somebody else's. Nothing is removed to make room,
# so a MySQL server that is installed already makes this fail rather than disappear.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for part in say retry; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done
readonly policy=/usr/sbin/policy-rc.d

# invoke-rc.d(8) and deb-systemd-invoke(1p) ask policy-rc.d before they start anything; 101 is "no".
# A container's own policy-rc.d stays as it is.
if [[ ! -e $policy ]]; then
  trap 'rm -f -- "$policy"' EXIT
  trap 'exit 1' INT TERM HUP
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
install() { # PACKAGE…
  apt-get update -qq -o Acquire::Retries=3 || say "apt-get update failed; trying with the lists that are there"
  apt-get install --yes -qq --no-remove --no-install-recommends \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -- "$@"
}

retry install "$@"
