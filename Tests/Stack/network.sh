# shellcheck shell=bash
# Two hosts, a and b, and between them the one with the data: three network namespaces (ip-netns(8))
# and four links (veth(4)), each of which can be cut by itself. Nothing is routed between the links,
# and nothing but the two ends on top is seen by the rest of this machine.
#
#             this machine: clients
#            .0 │             │ .2
#   clients  .1 │             │ .3  clients
#             [ a ]         [ b ]
#      data  .5 │             │ .7  data
#            .4 └── [data] ───┘ .6
#                     .9

# The state of what is up: NETWORK_NAME (of the namespaces, with -a, -b and -data behind it) and NETWORK
# (the first three numbers of all addresses).
NETWORK_FILE=$STACK_DIR/network

# Why there can be no namespaces here; nothing where there can.
network_obstacle() {
  local name=chattrix-probe-$$ fault=
  command -v ip >/dev/null || {
    echo "there is no ip(8): package iproute2"
    return 0
  }
  fault=$( (ip netns add "$name" && ip -n "$name" link add name a type veth peer name b) 2>&1) ||
    echo "network namespaces cannot be made here: ${fault//$'\n'/; }"
  ip netns del "$name" 2>/dev/null || :
}

network_load() {
  NETWORK_NAME=
  # shellcheck source=/dev/null
  [[ ! -f $NETWORK_FILE ]] || source "$NETWORK_FILE"
}

# Three numbers that no route of this machine but the default knows.
network_choose() {
  local numbers
  while :; do
    numbers=10.$((RANDOM % 256)).$((RANDOM % 256))
    { ip -4 route show to match "$numbers.0/28" && ip -4 route show to root "$numbers.0/28"; } |
      grep -qv ^default || break
  done
  echo "$numbers"
}

network_up() {
  local host
  NETWORK_NAME=calls$$ NETWORK=$(network_choose)
  declare -p NETWORK_NAME NETWORK | sed 's/^declare -- //' >"$NETWORK_FILE"
  for host in a b data; do
    ip netns add "$NETWORK_NAME-$host"
    ip -n "$NETWORK_NAME-$host" link set dev lo up
  done
  ip -n "$NETWORK_NAME-data" address add "$NETWORK.9/32" dev lo
  network_host a 0
  network_host b 2
}

network_host() { # a|b FIRST
  local host=$NETWORK_NAME-$1 data=$NETWORK_NAME-data
  ip link add name "$NETWORK_NAME$1" type veth peer name clients netns "$host"
  ip address add "$NETWORK.$2/31" dev "$NETWORK_NAME$1"
  ip -n "$host" address add "$NETWORK.$(($2 + 1))/31" dev clients
  ip -n "$data" link add name "$1" type veth peer name data netns "$host"
  ip -n "$data" address add "$NETWORK.$(($2 + 4))/31" dev "$1"
  ip -n "$host" address add "$NETWORK.$(($2 + 5))/31" dev data
  ip -n "$host" link set dev clients up
  ip -n "$host" link set dev data up
  network_link "$1" clients up
  network_link "$1" data up
  ip -n "$host" route add "$NETWORK.9/32" via "$NETWORK.$(($2 + 4))"
}

# By the far end, as if the cable had been pulled: the host's own addresses and routes stay.
network_link() { # a|b clients|data up|down
  case $2 in
    clients) ip link set dev "$NETWORK_NAME$1" "$3" ;;
    data) ip -n "$NETWORK_NAME-data" link set dev "$1" "$3" ;;
    *) return 64 ;;
  esac
}

# Every process in the namespaces ends, whoever left it there; then they go, and the links with them.
network_down() {
  local host pid
  network_load
  [[ -n $NETWORK_NAME ]] || return 0
  for host in a b data; do
    for pid in $(ip netns pids "$NETWORK_NAME-$host" 2>/dev/null); do
      process_stop "process $pid on $host" "$pid" 5
    done
    # A namespace that lives on in somebody's hands keeps its end of a link.
    ip link del dev "$NETWORK_NAME$host" 2>/dev/null || :
    ip netns del "$NETWORK_NAME-$host" 2>/dev/null || :
  done
  rm -f -- "$NETWORK_FILE"
}
