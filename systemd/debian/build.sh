#!/usr/bin/env bash
# `make deb`: a Debian package of what `make install` installs, by dpkg-deb, checked by lintian.
#
#   DEB_VERSION=1.0.0+test    in place of the programs' own version (Sources/System/Version.swift)
#   DEB_OUTPUT=DIR            where the package goes; .build otherwise
#   DEB_MAINTAINER="N <A>"    in place of the author of the last commit
set -euo pipefail
umask 022
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
cd -- "$here/../.."
readonly here work=$PWD/.build/deb root=$PWD/.build/deb/root
readonly documents=$root/usr/share/doc/chattrix-calls
output=${DEB_OUTPUT:-.build}
version=${DEB_VERSION:-$(sed -nE 's/.*let number = "(.*)"$/\1/p' Sources/System/Version.swift)}
architecture=$(dpkg --print-architecture)
# Outside of a clone: this host, and the time of the sources.
maintainer=${DEB_MAINTAINER:-$(git log -1 --format='%an <%ae>' 2>/dev/null || echo "Chattrix Calls <root@$(hostname -f)>")}
# The same commit makes the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Package.swift)}
export SOURCE_DATE_EPOCH

stage() {
  rm -rf -- "$work"
  mkdir -p -- "$root/DEBIAN" "$documents"
  make --no-print-directory -o build install DESTDIR="$root" PREFIX=/usr SYSCONFDIR=/etc >"$work/install.log"
  # The administrator's copy is made by postinst; the template is no configuration.
  mv -- "$root/etc/chattrix/calls.env.example" "$root/usr/share/chattrix/"
  chmod 644 "$root/usr/share/chattrix/calls.env.example"
  chmod 755 "$root/etc/chattrix"
  install -D -m 755 "$here/chattrix-enable" "$root/usr/sbin/chattrix-enable"
  ln -s chattrix-calls.8 "$root/usr/share/man/man8/chattrix-enable.8"
}

# Manual pages compressed, links to them too (Debian Policy, 12.1).
compress() {
  local page
  find "$root/usr/share/man" -type f -exec gzip -9n {} +
  find "$root/usr/share/man" -type l | while read -r page; do
    ln -s "$(readlink -- "$page").gz" "$page.gz"
    rm -- "$page"
  done
}

document() {
  local file
  for file in README.md CHANGELOG.md SECURITY.md; do
    gzip -9n <"$file" >"$documents/$file.gz"
  done
  install -m 644 "$here/copyright" "$documents/copyright"
  printf 'chattrix-calls (%s) unstable; urgency=medium\n\n  * CHANGELOG.md.gz says what is new.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$(LC_ALL=C date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")" |
    gzip -9n >"$documents/changelog.gz"
}

# The packages of the shared libraries, by their names in this distribution; dpkg-shlibdeps wants a source package.
# It does not see DT_RELR (Makefile), without which an older glibc loads a program that crashes at once.
libraries() {
  mkdir -p -- "$work/source/debian"
  printf 'Source: chattrix-calls\n\nPackage: chattrix-calls\nArchitecture: any\n' >"$work/source/debian/control"
  (cd -- "$work/source" && dpkg-shlibdeps -O "$root"/usr/bin/chattrix-*) | sed 's/^shlibs:Depends=//'
  ! readelf --dynamic --wide "$root/usr/bin/chattrix-worker" | grep -q '(RELR)' || echo 'libc6 (>= 2.36)'
}

control() {
  local size needed
  needed=$(libraries | paste -sd, | sed 's/,\([^ ]\)/, \1/g')
  size=$(du -k -s --apparent-size --exclude=DEBIAN -- "$root" | cut -f1)
  sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$architecture|" -e "s|@MAINTAINER@|$maintainer|" \
    -e "s|@SIZE@|$size|" -e "s#@LIBRARIES@#$needed#" "$here/control.in" >"$root/DEBIAN/control"
  install -m 755 "$here/postinst" "$here/prerm" "$here/postrm" "$root/DEBIAN/"
  (cd -- "$root" && find etc -type f -printf '/%p\n' | LC_ALL=C sort) >"$root/DEBIAN/conffiles"
  (cd -- "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
}

stage
compress
document
control
mkdir -p -- "$output"
package=$output/chattrix-calls_${version}_$architecture.deb
dpkg-deb --root-owner-group --build "$root" "$package" >/dev/null
lintian --fail-on error --allow-root "$package"
echo "$package"
