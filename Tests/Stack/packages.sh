# shellcheck shell=bash
# The system packages of Debian and Ubuntu that building, the stack and the tests need. Each is
# recognised by what it brings, not by its name in dpkg, so one from elsewhere serves as well; apt is
# called for what is missing and for nothing else.

packages_needed() { # build|stack|test|cluster|mysql|lint|deb|test-deb: package, tab, what it brings
  [[ $1 != @(deb|test-deb) ]] || printf 'dpkg-dev\tcommand dpkg-shlibdeps\nlintian\tcommand lintian\n'
  [[ $1 != test-deb ]] || printf 'debootstrap\tcommand debootstrap\nopenssl\tcommand openssl\n'
  [[ $1 != @(test|cluster|lint|test-deb) ]] || printf 'python3\tcommand python3\npython3-venv\tpython venv\n'
  [[ $1 != @(test|lint) ]] || printf 'apache2-bin\tcommand apache2\n'
  [[ $1 != mysql ]] || printf 'debootstrap\tcommand debootstrap\n'
  [[ $1 != lint ]] || printf 'node-typescript\tcommand tsc\n'
  [[ $1 != @(mysql|lint|deb|test-deb) ]] || return 0
  cat <<'END'
pkg-config	command pkg-config
default-libmysqlclient-dev	library mysqlclient
libfcgi-dev	library fcgi
libssl-dev	library openssl
zlib1g-dev	library zlib
END
  [[ $1 != build ]] || return 0
  cat <<'END'
redis-server	command redis-server
redis-server	command redis-cli
openssl	command openssl
curl	command curl
ca-certificates	file /etc/ssl/certs/ca-certificates.crt
END
  if [[ $STACK_SERVER == apache ]]; then
    printf 'apache2-bin\tcommand apache2\n'
  else
    printf 'nginx\tcommand nginx\n'
  fi
  if [[ $STACK_DATABASE == mysql ]]; then
    printf 'mysql-server\tmysql mysqld\nmysql-client\tcommand mysql\n'
  else
    printf 'mariadb-server\tcommand mariadbd\nmariadb-server\tcommand mariadb-install-db\n'
    printf 'mariadb-client\tcommand mariadb\n'
  fi
  [[ $1 != stack ]] || return 0
  cat <<'END'
libfcgi-bin	command cgi-fcgi
iproute2	command ip
valgrind	command valgrind
strace	command strace
prometheus	command promtool
END
  packages_browser
  [[ $1 != cluster ]] || printf 'galera-4\tfile /usr/lib/galera/libgalera_smm.so\nrsync\tcommand rsync\n'
}

# The console is tested in Chromium. Ubuntu has it as a snap only, which is left to whoever wants it: the
# tests of the console are skipped without it.
packages_browser() {
  grep -q '^ID=debian$' /etc/os-release 2>/dev/null || return 0
  printf 'chromium\tcommand chromium\n'
  printf 'fonts-dejavu-core\tfile /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf\n'
}

packages_has() { # KIND NAME
  case $1 in
    command) command -v "$2" >/dev/null ;;
    library) command -v pkg-config >/dev/null && pkg-config --exists "$2" ;;
    file) [[ -e $2 ]] ;;
    mysql) [[ $("$2" --version 2>/dev/null) == *mysqld* && $("$2" --version) != *MariaDB* ]] ;;
    python) [[ -n $(packages_python) ]] ;;
  esac
}

# A Python that can make a virtual environment, of the PATH or else the system's own.
packages_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
      printf '%s' "$python"
      return 0
    fi
  done
}

packages_missing() { # build|stack|test|cluster|mysql|lint|deb|test-deb
  local package kind name
  packages_needed "$1" | while IFS=$'\t ' read -r package kind name; do
    packages_has "$kind" "$name" || echo "$package"
  done | sort -u
}

packages_as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo -- "$@"
  fi
}

packages_ensure() { # build|stack|test|cluster|mysql|lint|deb|test-deb
  local missing
  mapfile -t missing < <(packages_missing "$1")
  ((${#missing[@]})) || return 0
  say "Installing ${missing[*]}"
  command -v apt-get >/dev/null || {
    say "This is neither Debian nor Ubuntu: install what the packages above bring, then try again"
    return 1
  }
  packages_as_root bash "$here/apt.sh" "${missing[@]}"
  mapfile -t missing < <(packages_missing "$1")
  ((${#missing[@]} == 0)) || {
    say "Still missing after the installation: ${missing[*]}"
    return 1
  }
}
