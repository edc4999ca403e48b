#!/usr/bin/env bash
# `make mysql`: MySQL's server, client and router of Debian unstable under .build/mysql, for a host whose release has
# MariaDB only, as every stable one. They run on that root's own C library and change nothing of the host. Root is
# needed for debootstrap alone.
#
#   MYSQL_SUITE=sid   the release that they come from
#   DEB_MIRROR=URL    http://deb.debian.org/debian otherwise
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for part in say retry settings packages; do
  # shellcheck source=/dev/null
  source "$here/$part.sh"
done
readonly place=$repository/.build/mysql suite=${MYSQL_SUITE:-sid} mirror=${DEB_MIRROR:-http://deb.debian.org/debian}
readonly root=$place/root loader=lib64/ld-linux-x86-64.so.2

# Nothing that a package brings is started in the root, which has no /proc but during the installation.
unpack() {
  packages_as_root rm -rf --one-file-system -- "$root"
  mkdir -p -- "$place"
  packages_as_root debootstrap --variant=minbase "$suite" "$root" "$mirror" >"$place/log"
  printf '#!/bin/sh\nexit 101\n' | packages_as_root tee "$root/usr/sbin/policy-rc.d" >/dev/null
  packages_as_root chmod +x "$root/usr/sbin/policy-rc.d"
  packages_as_root env DEBIAN_FRONTEND=noninteractive chroot "$root" \
    apt-get -qq --yes --no-install-recommends install mysql-server-core mysql-client mysql-router \
    >>"$place/log" 2>&1 </dev/null
}

# A program of the root under its own name. What a server finds beside itself it has to be told, behind the option
# that has to be the first.
wrap() { # NAME PATH
  local options=
  [[ $1 != mysqld ]] || options="--lc-messages-dir=$root/usr/share/mysql --plugin-dir=$root/usr/lib/mysql/plugin"
  cat >"$place/bin/$1" <<END
#!/bin/bash
first=()
case \${1-} in
  --no-defaults | --defaults-*=*)
    first=("\$1")
    shift
    ;;
esac
exec "$root/$loader" --argv0 $1 --library-path "$libraries" "$root/$2" "\${first[@]}" $options "\$@"
END
  chmod +x "$place/bin/$1"
}

if [[ -x $place/bin/mysqld ]] || packages_has mysql mysqld; then exit 0; fi
[[ $(uname -m) == x86_64 ]] || { say "The loader's name is known for x86-64 only: install MySQL's server"; exit 69; }
say "Unpacking MySQL of Debian $suite into $place"
retry unpack || { tail -- "$place/log" >&2; exit 1; }
libraries=$root/lib/x86_64-linux-gnu:$root/usr/lib/x86_64-linux-gnu:$root/usr/lib/mysql-router
libraries+=:$root/usr/lib/mysqlrouter/plugin:$root/usr/lib/mysql/private
rm -rf -- "$place/bin"
mkdir -- "$place/bin"
for name in mysql mysqldump mysqladmin mysqlrouter; do wrap "$name" "usr/bin/$name"; done
wrap mysqld usr/sbin/mysqld
"$place/bin/mysqld" --version
