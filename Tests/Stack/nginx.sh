# shellcheck shell=bash
# The repository's own nginx files, with this stack's ports and paths put in.

nginx_configure() {
  local target=$STACK_DIR/nginx files connections user=
  mkdir -p "$target"
  rm -rf -- "$target/chattrix"
  cp -r -- "$repository/nginx/chattrix" "$target/chattrix"
  nginx_host >"$target/chattrix/host.conf"
  nginx_origins >"$target/chattrix/origins.conf"
  sed -e "s|unix:/run/chattrix/fastcgi.sock|\"unix:$FASTCGI_SOCKET\"|" \
    -e "s|127\.0\.0\.1:9502|$SIGNALING_ADDRESS|" \
    -e "s|/var/log/nginx/chattrix-\([a-z]*\)\.log|\"$LOG_DIR/nginx-\1.log\"|" \
    -e "s|/usr/share/chattrix/\(description/[a-z]*.json\)|\"$repository/nginx/\1\"|" \
    "$repository/nginx/chattrix.conf" >"$target/chattrix.conf"

  # Every WebSocket takes two descriptors here.
  files=$(ulimit -Hn)
  [[ $files != unlimited ]] && ((files < 65536)) || files=65536
  connections=$((files - 256 < 32768 ? files - 256 : 32768))
  # As root, the workers must reach a STACK_DIR that is nobody else's business.
  ((EUID != 0)) || user='user root;'
  sed -e "s|@USER@|$user|" -e "s|@FILES@|$files|" -e "s|@CONNECTIONS@|$connections|" \
    -e "s|@PID_DIR@|$PID_DIR|" -e "s|@LOG_DIR@|$LOG_DIR|" -e "s|@STACK_DIR@|$STACK_DIR|" \
    "$here/nginx.conf" >"$target/nginx.conf"
}

nginx_host() {
  cat <<END
listen 127.0.0.1:$STACK_PORT ssl http2 backlog=4096;
server_name localhost;
ssl_certificate "$STACK_DIR/tls/certificate.pem";
ssl_certificate_key "$STACK_DIR/tls/key.pem";
END
  [[ -z $STACK_ADDRESS ]] || echo "listen $STACK_ADDRESS:$STACK_PORT ssl http2 backlog=4096;"
  ! grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null ||
    echo "listen [::1]:$STACK_PORT ssl http2 backlog=4096;"
  # Python's synchronous WebSocket clients read and write one TLS connection in two threads, and now
  # and then hang where a session ticket comes in between; so none here (nginx 1.19.4 and newer).
  [[ $(nginx -v 2>&1) =~ /1\.(1?[0-8]|9|19\.[0-3])([.]|$) ]] || echo "ssl_conf_command NumTickets 0;"
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
  process_await nginx "$PROCESS_PID" 15 "$LOG_DIR/nginx-error.log" port_taken "$STACK_PORT"
}

# Not gracefully: that would wait for every open WebSocket.
nginx_stop() { process_stop nginx "$(process_of nginx)" 10; }
