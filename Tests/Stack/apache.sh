# shellcheck shell=bash
# The repository's own files for Apache httpd in nginx's place (STACK_SERVER=apache), with this stack's ports and
# paths put in. Its id is where nginx's would be: tests and scripts know one web server.

apache_configure() {
  local target=$STACK_DIR/apache
  mkdir -p "$target/run"
  rm -rf -- "$target/chattrix"
  cp -r -- "$repository/nginx/apache/chattrix" "$target/chattrix"
  apache_host >"$target/chattrix/host.conf"
  apache_origins >"$target/chattrix/origins.conf"
  apache_demo >"$target/chattrix/demo.conf"
  sed '/Alias "\/console\/agora/i\  Include chattrix/demo.conf' "$repository/nginx/apache/chattrix.conf" \
    >"$target/chattrix.conf"
  { apache_around "$target"; apache_listens; } >"$target/apache2.conf"
}

# What /etc/apache2/apache2.conf is on a host, and `a2enmod`.
apache_around() { # SERVER-ROOT
  local module modules
  modules=$(apache_modules)
  echo "ServerRoot \"$1\""
  for module in mpm_event authn_core authz_core authz_host alias asis buffer dir mime headers http2 include proxy \
    proxy_fcgi proxy_http remoteip reqtimeout rewrite setenvif env socache_shmcb ssl unique_id; do
    echo "LoadModule ${module}_module \"$modules/mod_$module.so\""
  done
  sed -e "s|@PID_DIR@|$PID_DIR|" -e "s|@LOG_DIR@|$LOG_DIR|" "$here/apache.conf"
}

apache_modules() {
  local folder
  for folder in /usr/lib/apache2/modules /usr/lib64/httpd/modules; do
    if [[ -d $folder ]]; then echo "$folder" && return 0; fi
  done
  return 1
}

apache_addresses() { # PORT
  local address
  for address in 127.0.0.1 $STACK_ADDRESS "[::1]"; do
    [[ $address != "[::1]" ]] || grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null || continue
    echo "$address:$1"
  done
}

apache_listens() {
  apache_addresses "$STACK_PORT" | sed 's|^|Listen |; s|$| https|'
  [[ -z ${STACK_HTTP_PORT-} ]] || echo "Listen 127.0.0.1:$STACK_HTTP_PORT http"
}

apache_host() {
  cat <<END
Define CHATTRIX_ADDRESSES   "$(apache_addresses "$STACK_PORT" | tr '\n' ' ')"
Define CHATTRIX_NAME        localhost
Define CHATTRIX_ALIASES     "127.0.0.1 ::1${STACK_ADDRESS:+ $STACK_ADDRESS}"
Define CHATTRIX_URL         https://localhost:$STACK_PORT
Define CHATTRIX_CERTIFICATE "$STACK_DIR/tls/certificate.pem"
Define CHATTRIX_KEY         "$STACK_DIR/tls/key.pem"
Define CHATTRIX_HSTS        max-age=63072000
Define CHATTRIX_FASTCGI     "$FASTCGI_SOCKET"
Define CHATTRIX_SIGNALING   http://$SIGNALING_ADDRESS
Define CHATTRIX_SHARE       "$repository/nginx"
Define CHATTRIX_CONNECT     "'self'"
Define CHATTRIX_LOG         "$LOG_DIR/apache"
# No session tickets: Python's clients may hang on them (nginx.sh).
SSLOpenSSLConfCmd NumTickets 0
END
  [[ -z ${STACK_HTTP_PORT-} ]] || echo "Define CHATTRIX_HTTP_ADDRESSES 127.0.0.1:$STACK_HTTP_PORT"
  [[ -z ${STACK_BALANCER-} ]] ||
    printf '%s\n' "RemoteIPHeader X-Forwarded-For" "RemoteIPInternalProxy $STACK_BALANCER"
}

# The demo's sign-in (demo.sh), which no installed service has.
apache_demo() {
  cat <<END
RewriteCond %{REMOTE_ADDR} !^(127\\.|::1$)
RewriteRule ^/console/demo\\.json$ - [R=404,L]
Alias /console/demo.json "$STACK_DIR/demo/demo.json"
<If "%{REQUEST_URI} == '/console/demo.json'">
  ForceType application/json
  Header always set Cache-Control no-store
</If>
<Directory "$STACK_DIR/demo">
  Require all granted
</Directory>
END
}

apache_origins() { # of ALLOWED_ORIGINS, which nobody has checked yet
  local -a origins
  local origin listed=
  IFS=', ' read -ra origins <<<"${ALLOWED_ORIGINS-}"
  [[ -z ${origins[*]} ]] || echo "Define CHATTRIX_ORIGINS"
  for origin in "${origins[@]}"; do
    [[ ! $origin =~ ^https?://[][A-Za-z0-9.:-]+$ ]] || listed+="${listed:+|}${origin//./\\.}"
  done
  [[ -z $listed ]] || printf 'SetEnvIf Origin "^(%s)$" CHATTRIX_ORIGIN=$1\n' "$listed"
}

# Apache refuses to be root, and the account that it would take cannot reach a STACK_DIR that is nobody else's
# business: so it is started as nobody, with the right to pass permissions by.
apache_program() { # ARGUMENT…
  local command=("$(command -v apache2 || command -v httpd)" -f "$STACK_DIR/apache/apache2.conf" "$@")
  export APACHE_RUN_DIR=$STACK_DIR/apache/run APACHE_LOG_DIR=$LOG_DIR
  ((EUID != 0)) || command=(setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=+dac_override
    --ambient-caps=+dac_override "${command[@]}")
  "${apache_runner[@]}" "${command[@]}"
}

apache_start() {
  apache_configure
  apache_stop
  port_free "$STACK_PORT" Apache
  local apache_runner=()
  apache_program -t >/dev/null 2>&1 || apache_program -t
  apache_runner=(process_start "$LOG_DIR/apache-error.log")
  apache_program -DFOREGROUND
  process_await Apache "$PROCESS_PID" 60 "$LOG_DIR/apache-error.log" web_is_up
}

# Not gracefully: that would wait for every open WebSocket.
apache_stop() { process_stop Apache "$(process_of nginx)" 20; }
