# shellcheck shell=bash
# The repository's own nginx files, with this stack's ports and paths put in.
#
#   STACK_HTTP_PORT=PORT   a port in clear, from which the stack redirects; without it there is none
#   STACK_BALANCER=IP      whom X-Forwarded-For is believed
#   STACK_LIMITS=low       limits per address that a test can reach

nginx_configure() {
  local target=$STACK_DIR/nginx files connections user= tickets=
  mkdir -p "$target"
  rm -rf -- "$target/chattrix"
  cp -r -- "$repository/nginx/chattrix" "$target/chattrix"
  nginx_host >"$target/chattrix/host.conf"
  nginx_site >"$target/chattrix/site.conf"
  [[ ${STACK_LIMITS-} != low ]] || nginx_lower "$target"/chattrix/{host,limits,signaling}.conf
  nginx_origins >"$target/chattrix/origins.conf"
  sed -i -e "s|/var/log/nginx/chattrix-\([a-z]*\)\.log|\"$LOG_DIR/nginx-\1.log\"|" "$target/chattrix/log.conf"
  sed -i -e "s|https://\$server_name|https://localhost:$STACK_PORT|" "$target/chattrix/redirect.conf"
  sed -e "s|unix:/run/chattrix/fastcgi.sock|\"unix:$FASTCGI_SOCKET\"|" \
    -e "s|127\.0\.0\.1:9502|$SIGNALING_ADDRESS|" \
    -e "s#\(root\|alias\) /usr/share/chattrix\([^;]*\);#\1 \"$repository/nginx\2\";#" \
    "$repository/nginx/chattrix.conf" >"$target/chattrix.conf"

  # Every WebSocket takes two descriptors here.
  files=$(ulimit -Hn)
  [[ $files != unlimited ]] && ((files < 65536)) || files=65536
  connections=$((files / 2))
  # As root, the workers must reach a STACK_DIR that is nobody else's business.
  ((EUID != 0)) || user='user root;'
  # Python's synchronous WebSocket clients read and write one TLS connection in two threads, and now
  # and then hang where a session ticket comes in between; so none here (nginx 1.19.4 and newer).
  ! nginx_newer 1.19.4 || tickets='ssl_conf_command NumTickets 0;'
  sed -e "s|@USER@|$user|" -e "s|@TICKETS@|$tickets|" -e "s|@FILES@|$files|" -e "s|@CONNECTIONS@|$connections|" \
    -e "s|@PID_DIR@|$PID_DIR|" -e "s|@LOG_DIR@|$LOG_DIR|" -e "s|@STACK_DIR@|$STACK_DIR|" \
    "$here/nginx.conf" >"$target/nginx.conf"
}

nginx_host() {
  nginx_listen " backlog=4096"
  echo "server_name localhost 127.0.0.1 [::1]${STACK_ADDRESS:+ $STACK_ADDRESS};"
  echo "ssl_certificate \"$STACK_DIR/tls/certificate.pem\";"
  echo "ssl_certificate_key \"$STACK_DIR/tls/key.pem\";"
  grep '^limit_' "$repository/nginx/chattrix/host.conf"
  nginx_demo
  [[ -z ${STACK_BALANCER-} ]] ||
    printf '%s;\n' "set_real_ip_from $STACK_BALANCER" "real_ip_header X-Forwarded-For" "real_ip_recursive on"
}

nginx_listen() { # OPTIONS
  local address http2=" http2"
  ! nginx_newer 1.25.1 || http2=
  for address in 127.0.0.1 $STACK_ADDRESS "[::1]"; do
    [[ $address != "[::1]" ]] || grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null || continue
    echo "listen $address:$STACK_PORT ssl$http2$1;"
  done
  [[ -n $http2 ]] || echo "http2 on;"
}

# The file as it is installed, but for addresses, names and the certificate.
nginx_site() {
  local listens
  listens=$(nginx_listen "" | tr '\n' ' ')
  sed -e "/listen \[::\]:/d" -e "s|listen 443 .*|$listens|" \
    -e "s|/etc/ssl/certs/.*pem|\"$STACK_DIR/tls/certificate.pem\"|" \
    -e "s|/etc/ssl/private/.*key|\"$STACK_DIR/tls/key.pem\"|" \
    -e "s|listen 80;|listen 127.0.0.1:${STACK_HTTP_PORT:-80};|" -e "s|calls.example.org;|localhost;|" \
    "$repository/nginx/chattrix/site.conf" |
    if [[ -n ${STACK_HTTP_PORT-} ]]; then cat; else sed '/^# What comes in clear/,$d'; fi
}

nginx_lower() { # FILE…
  sed -i -e 's|rate=200r/s|rate=30r/m|' -e 's|burst=4000|burst=20|' -e 's|rate=50r/s|rate=6r/m|' \
    -e 's|burst=2000|burst=4|' -e 's|sockets 2000|sockets 3|' "$@"
}

# The demo's sign-in (demo.sh), which no installed service has.
nginx_demo() {
  cat <<END
location = /console/demo.json {
  include chattrix/loopback.conf;
  include chattrix/headers.conf;
  add_header Cache-Control no-store always;
  alias "$STACK_DIR/demo/demo.json";
}
END
}

nginx_origins() { # of ALLOWED_ORIGINS, which nobody has checked yet
  local -a origins
  local origin
  IFS=', ' read -ra origins <<<"${ALLOWED_ORIGINS-}"
  printf 'map %s {\n  default "";\n' "\$http_origin \$chattrix_origin"
  for origin in "${origins[@]}"; do
    [[ ! $origin =~ ^https?://[][A-Za-z0-9.:-]+$ ]] || printf '  "%s" %s;\n' "$origin" "\$http_origin"
  done
  printf '}\nmap "" %s { default "%s"; }\n' "\$chattrix_vary" "${origins[*]:+Origin}"
}

# Whether nginx is of this version or a newer one.
nginx_newer() { # VERSION
  printf '%s\n' "$1" "$(nginx -v 2>&1 | sed -e 's|.*/||' -e 's|[^0-9.].*||')" | sort --version-sort --check=quiet
}

nginx_program() { # ARGUMENT…
  "$(command -v nginx)" -c "$STACK_DIR/nginx/nginx.conf" -p "$STACK_DIR/nginx" \
    -e "$LOG_DIR/nginx-error.log" "$@"
}

nginx_start() {
  nginx_configure
  nginx_stop
  port_free "$STACK_PORT" nginx
  nginx_program -t -q
  process_start "$LOG_DIR/nginx-error.log" "$(command -v nginx)" \
    -c "$STACK_DIR/nginx/nginx.conf" -p "$STACK_DIR/nginx" -e "$LOG_DIR/nginx-error.log"
  process_await nginx "$PROCESS_PID" 60 "$LOG_DIR/nginx-error.log" web_is_up
}

# Not gracefully: that would wait for every open WebSocket.
nginx_stop() { process_stop nginx "$(process_of nginx)" 10; }
