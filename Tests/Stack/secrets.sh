# shellcheck shell=bash
# Secrets are made at the first start and kept in STACK_DIR; those of the environment come first. Hosts
# that share a database share the secrets: a login or a token of one is good on the other.

secrets_ensure() {
  local file=${STACK_SHARE:-$STACK_DIR}/secrets
  [[ -s $file || -n $STACK_SHARE ]] || {
    {
      echo "STACK_MYSQL_PASSWORD=$(openssl rand -hex 16)"
      echo "STACK_JWT_SECRET=$(openssl rand -hex 32)"
      echo "STACK_AGORA_APP_ID=$(openssl rand -hex 16)"
      echo "STACK_AGORA_APP_CERTIFICATE=$(openssl rand -hex 16)"
    } >"$file.new"
    chmod 600 "$file.new"
    mv -- "$file.new" "$file"
  }
  # shellcheck source=/dev/null
  source "$file"
  MYSQL_PASSWORD=$STACK_MYSQL_PASSWORD
  # On loopback Redis lets everybody in.
  REDIS_PASSWORD=${STACK_ADDRESS:+$STACK_MYSQL_PASSWORD}
  # Empty counts as given: a test may want a start without one.
  JWT_SECRET=${JWT_SECRET-$STACK_JWT_SECRET}
  AGORA_APP_ID=${AGORA_APP_ID-$STACK_AGORA_APP_ID}
  AGORA_APP_CERTIFICATE=${AGORA_APP_CERTIFICATE-$STACK_AGORA_APP_CERTIFICATE}
}
