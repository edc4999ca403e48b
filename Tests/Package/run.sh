#!/usr/bin/env bash
# `make test-deb`: the package in clean roots of Debian, made by debootstrap, with a systemd of their own (root.sh):
# installed, configured, upgraded in use, removed, purged (inside.sh). Root only.
#
#   DEB_SUITES="bookworm trixie"   releases; otherwise this host's and, where the programs can run on it, the next
#   DEB_MIRROR=URL                 http://deb.debian.org/debian otherwise
# shellcheck disable=SC2154
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
for part in say settings packages python; do
  # shellcheck source=/dev/null
  source "$here/../Stack/$part.sh"
done
# shellcheck source=Tests/Package/root.sh
source "$here/root.sh"
readonly work=$repository/.build/deb-test mirror=${DEB_MIRROR:-http://deb.debian.org/debian} root=$repository/.build/deb-test/root

((EUID == 0)) || { echo "debootstrap and chroot need root: sudo make test-deb" >&2; exit 69; }

# A program runs with its own glibc or a newer one: never on the release before.
suites() {
  local own
  # shellcheck source=/dev/null
  own=$(. /etc/os-release && echo "$VERSION_CODENAME")
  case $own in
    bookworm) echo "bookworm trixie" ;;
    *) echo "$own" ;;
  esac
}

# The package as it would be of the next version, with a migration, and of one whose nginx files have changed.
later_packages() {
  local tree=$work/tree file
  rm -rf -- "$tree"
  dpkg-deb --raw-extract "$package" "$tree"
  sed -i 's/^Version: .*/&+1/' "$tree/DEBIAN/control"
  echo "ALTER TABLE calls ADD COLUMN next_version INT NULL;" >"$tree/usr/share/chattrix/sql/9001_next_version.sql"
  dpkg-deb --root-owner-group -Znone --build "$tree" "$work/packages/second.deb" >/dev/null
  sed -i 's/^Version: \(.*\)+1$/Version: \1+2/' "$tree/DEBIAN/control"
  for file in host misdirected; do
    echo "# Of the third version." >>"$tree/etc/nginx/chattrix/$file.conf"
  done
  dpkg-deb --root-owner-group -Znone --build "$tree" "$work/packages/third.deb" >/dev/null
}

# The second package is installed while devices are connected and calls are made, by clients on this host that are in
# the root's network (in_use.py).
upgrade_in_use() {
  local folder=$work/installed
  mkdir -p -- "$folder"
  cat >"$folder/env" <<END
API_URL=https://localhost/api/v1 WS_URL=wss://localhost/ws CA_FILE=$work/packages/certificate.pem
MYSQL_SOCKET=/proc/$init/root/run/mysqld/mysqld.sock MYSQL_DATABASE=chattrix MYSQL_USER=chattrix
$(inside grep -E '^(MYSQL_PASSWORD|JWT_SECRET)=' /etc/chattrix/calls.env)
END
  # shellcheck disable=SC2016
  nsenter --target "$init" --net "$venv/bin/python" "$here/in_use.py" "$folder" \
    bash -c 'source "$0"; init=$1; shift; inside "$@"' "$here/root.sh" "$init" \
    VERSION="$version" bash /packages/inside.sh upgrade
}

test_in() { # SUITE
  local failed=0 part
  root_make "$1" "$package"
  cp -- "$work"/packages/* "$here/inside.sh" "$root/packages/"
  root_boot
  for part in install configure; do
    inside VERSION="$version" bash /packages/inside.sh "$part" || failed=1
  done
  upgrade_in_use || failed=1
  inside VERSION="$version" bash /packages/inside.sh remove || failed=1
  root_end
  return "$failed"
}

package=$(printf '%s\n' "$repository"/.build/chattrix-calls_*.deb | sort -V | tail -n 1)
version=$(dpkg-deb --field "$package" Version)
python_ready
mkdir -p -- "$work"
rm -rf -- "$work/packages"
mkdir -p -- "$work/packages"
trap 'root_end; rm -rf --one-file-system -- "$work/tree"' EXIT
trap 'exit 130' INT TERM HUP
cp -- "$package" "$work/packages/first.deb"
later_packages
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=calls.test -addext subjectAltName=DNS:localhost \
  -keyout "$work/packages/key.pem" -out "$work/packages/certificate.pem" 2>/dev/null

failed=()
for suite in ${DEB_SUITES:-$(suites)}; do
  echo "== $suite"
  start=$SECONDS
  set +e # to the left of a || the first command that fails would not end it
  (set -e; trap root_end EXIT; test_in "$suite")
  status=$?
  set -e
  ((status == 0)) || failed+=("$suite")
  echo "== $suite: $((SECONDS - start)) s"
done
((${#failed[@]} == 0)) || { echo "Failed: ${failed[*]}" >&2; exit 1; }
