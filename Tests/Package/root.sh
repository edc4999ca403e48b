# shellcheck shell=bash
# A root of Debian with a systemd of its own: namespaces of everything, a network of only the loopback, and a control
# group. Nothing of it is left running. Needs root, and a kernel with cgroup2. run.sh says where: $work, $root, $mirror.
# shellcheck disable=SC2154

# Unpacks a release's root at $root, with the packages that are to be installed later downloaded already. It is kept
# as $work/SUITE.tar, so that a second run needs no debootstrap.
root_make() { # SUITE PACKAGE
  local archive=$work/$1.tar log=$work/$1.log
  rm -rf --one-file-system -- "$root"
  mkdir -p -- "$root"
  if [[ -e $archive ]]; then
    tar -C "$root" -xf "$archive"
  else
    debootstrap --variant=minbase --include=systemd-sysv,dbus,curl "$1" "$root" "$mirror" >"$log" || { tail "$log"; return 1; }
  fi
  cp -- /etc/resolv.conf "$root/etc/resolv.conf"
  echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/no-sync" # nothing here outlives the test
  mkdir -p -- "$root/packages"
  cp -- "$2" "$root/packages/wanted.deb"
  chroot "$root" sh -c 'apt-get -qq update && apt-get -qq --yes --download-only install /packages/wanted.deb' \
    >"$log" 2>&1 </dev/null || { tail "$log"; return 1; }
  [[ -e $archive ]] || { tar -C "$root" -cf "$archive.new" . && mv -- "$archive.new" "$archive"; }
}

# Starts systemd in it; $init is its process as this host sees it.
root_boot() {
  group=$work/cgroup/chattrix-package-$$
  mkdir -p -- "$work/cgroup"
  mountpoint -q "$work/cgroup" || mount -t cgroup2 cgroup2 "$work/cgroup"
  mkdir -- "$group"
  # shellcheck disable=SC2016
  bash -c '
    echo $$ >"$2/cgroup.procs"
    exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup bash -c "
      set -e
      ip link set lo up
      mount --bind \"\$1\" \"\$1\"
      cd \"\$1\"
      mount -t proc proc proc
      mount -t sysfs -o ro sysfs sys
      mount -t cgroup2 cgroup2 sys/fs/cgroup
      mount -t tmpfs tmpfs run
      mount -t tmpfs -o mode=1777 tmpfs tmp
      mount -t tmpfs -o mode=755 tmpfs dev
      for name in null zero full random urandom tty; do
        touch dev/\$name
        mount --bind /dev/\$name dev/\$name
      done
      mkdir dev/pts dev/shm
      mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
      ln -s pts/ptmx dev/ptmx
      # No chroot: in one there can be no namespace of users (PrivateUsers=).
      pivot_root . mnt
      cd /
      umount -l mnt
      exec env -i container=chattrix PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --show-status=0
    " - "$1"' - "$root" "$group" >"$work/systemd.log" 2>&1 </dev/null &
  holder=$!
  local state deadline=$((SECONDS + 600))
  while kill -0 "$holder" 2>/dev/null && ((SECONDS < deadline)); do
    init=$(pgrep --parent "$holder" --full ^/lib/systemd/systemd || :)
    # systemctl fails where the state is "degraded", as it is where the kernel's modules cannot be loaded.
    state=$([[ -z $init ]] || inside systemctl is-system-running 2>/dev/null || :)
    [[ $state != @(running|degraded) ]] || return 0
    sleep 0.2
  done
  echo "systemd did not come up in $root: ${state:-no answer}" >&2
  tail "$work/systemd.log" >&2
  return 1
}

# Runs a command in it.
inside() {
  nsenter --target "$init" --mount --pid --net --uts --ipc --cgroup --root /usr/bin/env -i -C / \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root "$@" </dev/null
}

root_end() {
  [[ -z ${holder-} ]] || kill -KILL "$holder" 2>/dev/null || :
  [[ -z ${holder-} ]] || wait "$holder" 2>/dev/null || :
  holder=
  if [[ -n ${group-} ]]; then
    local tries
    for tries in {1..50}; do
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep 0.1
    done
  fi
  ! mountpoint -q "$work/cgroup" || umount "$work/cgroup"
  rm -rf --one-file-system -- "$root"
}
