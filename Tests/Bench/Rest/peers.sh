# shellcheck shell=bash
# The peers of the REST benchmark beside a stack that is up: the C echo and PHP-FPM on Unix sockets,
# under /echo and /peer of the stack's own nginx, so that TLS, HTTP/2 and the log cost them the same.

peers_dir=$STACK_DIR/peers
: "${here:?}"
peers_source=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../Peers" && pwd)

# Nothing but this benchmark needs them.
peers_packages() {
  local missing=()
  command -v wrk >/dev/null || missing+=(wrk)
  command -v sysbench >/dev/null || missing+=(sysbench)
  peers_php_program >/dev/null || missing+=(php-fpm)
  compgen -G '/usr/lib/php/*/pdo_mysql.so' >/dev/null || missing+=(php-mysql)
  compgen -G '/usr/lib/php/*/redis.so' >/dev/null || missing+=(php-redis)
  ((${#missing[@]} == 0)) || packages_as_root bash "$here/apt.sh" "${missing[@]}"
}

# Processes end with the script that starts them, whatever it dies of.
peers_start() { # PROCESSES
  mkdir -p "$peers_dir"
  peers_echo "$1"
  peers_php "$1"
  peers_nginx
  process_await "The C echo" "$echo_pid" 5 "$LOG_DIR/peer-echo.log" test -S "$SOCKET_DIR/echo.sock"
  process_await PHP-FPM "$php_pid" 10 "$LOG_DIR/peer-php.log" test -S "$SOCKET_DIR/php.sock"
}

peers_stop() {
  process_stop "The C echo" "${echo_pid-}" 5
  process_stop PHP-FPM "${php_pid-}" 10
}

peers_echo() { # PROCESSES
  local flags
  read -ra flags <<<"$(pkg-config --cflags --libs fcgi)"
  cc -O2 -Wall -o "$peers_dir/echo" "$peers_source/echo.c" "${flags[@]}"
  rm -f -- "$SOCKET_DIR/echo.sock"
  process_start "$LOG_DIR/peer-echo.log" "$peers_dir/echo" "$SOCKET_DIR/echo.sock" "$1" 4096
  echo_pid=$PROCESS_PID
}

peers_php() { # PROCESSES
  local program options=(--nodaemonize --fpm-config "$peers_dir/php-fpm.conf"
    -d opcache.enable=1 -d opcache.validate_timestamps=0 -d opcache.jit=tracing
    -d opcache.jit_buffer_size=32M -d expose_php=0)
  ((EUID != 0)) || options+=(--allow-to-run-as-root)
  program=$(peers_php_program)
  cat >"$peers_dir/php-fpm.conf" <<END_OF_CONF
[global]
error_log = $LOG_DIR/peer-php.log
[peer]
$( ((EUID != 0)) || printf 'user = root\ngroup = root')
listen = $SOCKET_DIR/php.sock
listen.backlog = 4096
pm = static
pm.max_children = $1
clear_env = no
END_OF_CONF
  rm -f -- "$SOCKET_DIR/php.sock"
  process_start "$LOG_DIR/peer-php.log" "$program" "${options[@]}"
  php_pid=$PROCESS_PID
}

# Debian and Ubuntu put the version into the name.
peers_php_program() {
  local program
  for program in php-fpm /usr/sbin/php-fpm*; do
    if command -v "$program"; then return 0; fi
  done
  return 1
}

# nginx's own file for the workers, with another address behind it.
peers_location() { # PREFIX SOCKET PARAMETER…
  local prefix=$1 socket=$2
  shift 2
  echo "location ^~ $prefix/ {"
  printf '  fastcgi_param %s;\n' "$@"
  sed -e "s|^fastcgi_pass .*|fastcgi_pass \"unix:$socket\";|" "$STACK_DIR/nginx/chattrix/worker.conf"
  echo "}"
}

# nginx's own parameters, as its package brings them.
peers_parameters() {
  local file
  for file in /etc/nginx/fastcgi_params /usr/local/etc/nginx/fastcgi_params; do
    if [[ -r $file ]]; then echo "$file" && return 0; fi
  done
}

peers_nginx() {
  {
    peers_location /echo "$SOCKET_DIR/echo.sock" "SCRIPT_NAME /echo"
    # The same without this product's log line, headers and maps: nginx as it comes.
    echo "location ^~ /plain/ {"
    echo "  access_log off;"
    echo "  include $(peers_parameters);"
    echo "  fastcgi_pass \"unix:$SOCKET_DIR/echo.sock\";"
    echo "}"
    peers_location /peer "$SOCKET_DIR/php.sock" "SCRIPT_FILENAME \"$peers_source/peer.php\"" \
      "QUERY_STRING \$query_string"
  } >"$STACK_DIR/nginx/chattrix/peers.conf"
  grep -q peers.conf "$STACK_DIR/nginx/chattrix/host.conf" ||
    echo "include chattrix/peers.conf;" >>"$STACK_DIR/nginx/chattrix/host.conf"
  nginx_program -t -q
  kill -HUP "$(process_of nginx)"
  sleep 1 # the old processes of nginx are on their way
}
