#!/usr/bin/env bash
# `make test-deb`: the package in clean roots of Debian, made by debootstrap: installed, configured, upgraded, removed,
# purged (inside.sh). In namespaces of processes and mounts, so that nothing of it is left running. Root only.
#
#   DEB_SUITES="bookworm trixie"   releases; otherwise this host's and, where the programs can run on it, the next
#   DEB_MIRROR=URL                 http://deb.debian.org/debian otherwise
#
# A root is kept as .build/deb-test/SUITE.tar, so that a second run needs no debootstrap.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
repository=$(realpath -- "$here/../..")
readonly here repository work=$repository/.build/deb-test mirror=${DEB_MIRROR:-http://deb.debian.org/debian}

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

# The package as it would be of the next version, and of one whose nginx files have changed.
later_packages() {
  local tree=$work/tree file
  rm -rf -- "$tree"
  dpkg-deb --raw-extract "$package" "$tree"
  sed -i 's/^Version: .*/&+1/' "$tree/DEBIAN/control"
  dpkg-deb --root-owner-group -Znone --build "$tree" "$work/packages/second.deb" >/dev/null
  sed -i 's/^Version: \(.*\)+1$/Version: \1+2/' "$tree/DEBIAN/control"
  for file in host misdirected; do
    echo "# Of the third version." >>"$tree/etc/nginx/chattrix/$file.conf"
  done
  dpkg-deb --root-owner-group -Znone --build "$tree" "$work/packages/third.deb" >/dev/null
}

root_of() { # SUITE: unpacks it at $work/root
  local archive=$work/$1.tar
  rm -rf --one-file-system -- "$work/root"
  mkdir -p -- "$work/root"
  if [[ ! -e $archive ]]; then
    debootstrap --variant=minbase "$1" "$work/root" "$mirror" >"$work/$1.debootstrap.log" || {
      tail "$work/$1.debootstrap.log" >&2
      return 1
    }
    tar -C "$work/root" -cf "$archive.new" .
    mv -- "$archive.new" "$archive"
  else
    tar -C "$work/root" -xf "$archive"
  fi
}

test_in() { # SUITE
  local root=$work/root
  root_of "$1"
  cp -r -- "$work/packages" "$root/tmp/packages"
  cp -- "$here/inside.sh" "$root/tmp/inside.sh"
  cp -- /etc/resolv.conf "$root/etc/resolv.conf"
  # Services of other packages stay down.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --kill-child --uts --ipc bash -c '
    mount -t proc proc "$1/proc"
    exec chroot "$1" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      LC_ALL=C.UTF-8 HOME=/root VERSION="$2" bash /tmp/inside.sh' - "$root" "$version" </dev/null
}

package=$(printf '%s\n' "$repository"/.build/chattrix-calls_*.deb | sort -V | tail -n 1)
version=$(dpkg-deb --field "$package" Version)
mkdir -p -- "$work"
rm -rf -- "$work/packages"
mkdir -p -- "$work/packages"
trap 'rm -rf --one-file-system -- "$work/root" "$work/tree"' EXIT
cp -- "$package" "$work/packages/first.deb"
later_packages
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=calls.test -keyout "$work/packages/key.pem" \
  -out "$work/packages/certificate.pem" 2>/dev/null

failed=()
for suite in ${DEB_SUITES:-$(suites)}; do
  echo "== $suite"
  start=$SECONDS
  set +e # to the left of a || the first command that fails would not end it
  (set -e; test_in "$suite")
  status=$?
  set -e
  ((status == 0)) || failed+=("$suite")
  echo "== $suite: $((SECONDS - start)) s"
done
((${#failed[@]} == 0)) || { echo "Failed: ${failed[*]}" >&2; exit 1; }
