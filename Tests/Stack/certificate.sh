# shellcheck shell=bash
# A certificate authority of the stack's own and its certificate for localhost (RFC 5280). A client
# is given tls/ca.pem; nothing is put into the system's own store.

certificate_ensure() {
  local tls=$STACK_DIR/tls
  # A day before the end is too late for a test that runs over midnight.
  if openssl x509 -checkend 604800 -noout -in "$tls/certificate.pem" >/dev/null 2>&1 &&
    openssl verify -CAfile "$tls/ca.pem" "$tls/certificate.pem" >/dev/null 2>&1; then
    return 0
  fi
  cat >"$tls/openssl.cnf" <<'END'
[req]
distinguished_name = name
prompt = no
[name]
CN = Chattrix Calls stack
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
END
  {
    openssl ecparam -genkey -name prime256v1 -noout -out "$tls/ca.key"
    openssl req -new -x509 -config "$tls/openssl.cnf" -extensions ca -days 800 \
      -key "$tls/ca.key" -out "$tls/ca.pem"
    openssl ecparam -genkey -name prime256v1 -noout -out "$tls/key.pem"
    openssl req -new -config "$tls/openssl.cnf" -subj /CN=localhost \
      -key "$tls/key.pem" -out "$tls/request.pem"
    openssl x509 -req -in "$tls/request.pem" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" \
      -set_serial "0x$(openssl rand -hex 8)" -days 398 -extfile "$tls/openssl.cnf" \
      -extensions server -out "$tls/certificate.pem"
  } >"$tls/openssl.log" 2>&1 || {
    cat "$tls/openssl.log" >&2
    return 1
  }
}
