# shellcheck shell=bash
# A certificate authority of the stack's own and its certificate for localhost and STACK_ADDRESS (RFC
# 5280). A client is given tls/ca.pem; nothing is put into the system's own store. Stacks that share a
# database share the authority as well, so a client trusts all of them.

certificate_ensure() {
  local tls=$STACK_DIR/tls authority=${CA_FILE%/*}
  # A day before the end is too late for a test that runs over midnight.
  if openssl x509 -checkend 604800 -noout -in "$tls/certificate.pem" >/dev/null 2>&1 &&
    openssl verify -CAfile "$CA_FILE" ${STACK_ADDRESS:+-verify_ip "$STACK_ADDRESS"} \
      "$tls/certificate.pem" >/dev/null 2>&1; then
    return 0
  fi
  cat >"$tls/openssl.cnf" <<END
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
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1${STACK_ADDRESS:+, IP:$STACK_ADDRESS}
END
  {
    [[ -n $STACK_SHARE ]] || certificate_authority "$tls"
    openssl ecparam -genkey -name prime256v1 -noout -out "$tls/key.pem"
    openssl req -new -config "$tls/openssl.cnf" -subj /CN=localhost \
      -key "$tls/key.pem" -out "$tls/request.pem"
    openssl x509 -req -in "$tls/request.pem" -CA "$CA_FILE" -CAkey "$authority/ca.key" \
      -set_serial "0x$(openssl rand -hex 8)" -days 398 -extfile "$tls/openssl.cnf" \
      -extensions server -out "$tls/certificate.pem"
  } >"$tls/openssl.log" 2>&1 || {
    cat "$tls/openssl.log" >&2
    return 1
  }
}

certificate_authority() { # FOLDER
  openssl ecparam -genkey -name prime256v1 -noout -out "$1/ca.key"
  openssl req -new -x509 -config "$1/openssl.cnf" -extensions ca -days 800 \
    -key "$1/ca.key" -out "$1/ca.pem"
}
