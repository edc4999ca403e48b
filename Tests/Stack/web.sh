# shellcheck shell=bash
# The web server in front: nginx, or what STACK_SERVER names in its place.

web_start() { "${STACK_SERVER}_start"; }
web_stop() { "${STACK_SERVER}_stop"; }

# It listens before it writes its id, which the env file needs.
web_is_up() { port_taken "$STACK_PORT" && [[ -n $(process_of nginx) ]]; }
