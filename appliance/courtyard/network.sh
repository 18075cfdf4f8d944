# shellcheck shell=bash
# Lays the streets of the courtyard: namespaces joined by veth pairs. Sourced by courtyard.sh.
#
#   red-a red-c blue-a        red-b blue-b                      web server, iperf3
#      └───┼───┘                └──┼──┘                              │ eth0
#       gk-hv1                  gk-gw1 ── isp0 ─────── gw1 ─ gk-isp ─ internet ── gk-internet
#          └ ul0 ─ gk-underlay ─ ul0 ┘      203.0.113.0/30
#                  (a switch)               2001:db8:ffff::/64

# A namespace is written down before it is made: cleanup.sh removes what is written, and nothing else of that name.
add_namespace() {
  local name=$1
  if [[ -e /run/netns/$name ]]; then
    fail "The network namespace $name exists already, and no courtyard made it. If it may go: ip netns delete $name"
  fi
  say "$name" >>"$STATE/namespaces"
  ip netns add "$name"
  ip -n "$name" link set lo up
  # Addresses are ours to give, so nobody else can have them: without the wait for duplicates they work at once.
  nsenter --net="/run/netns/$name" sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
}

# add_veth NAMESPACE INTERFACE PEER_NAMESPACE PEER_INTERFACE [MTU] : both ends are up, and never seen outside.
add_veth() {
  local mtu=${5:-1500}
  ip -n "$1" link add "$2" mtu "$mtu" type veth peer name "$4" netns "$3" mtu "$mtu"
  ip -n "$1" link set "$2" up
  ip -n "$3" link set "$4" up
}

# The underlay: one switch, and a host's `ul0` on it. 1600 octets, so that 1500 of a tenant fit in with their tunnel.
lay_underlay() {
  local host last=11
  add_namespace gk-underlay
  ip -n gk-underlay link add switch mtu 1600 type bridge
  ip -n gk-underlay link set switch up
  for host in "${HOSTS[@]}"; do
    add_namespace "gk-$host"
    add_veth "gk-$host" ul0 gk-underlay "$host" 1600
    ip -n gk-underlay link set "$host" master switch
    ip -n "gk-$host" address add "192.0.2.$last/24" dev ul0
    last=$((last + 1))
  done
}

# On our side of the uplink the NIC has no address: Genkan takes it over whole. The ISP's addresses are FRR's to set.
lay_internet() {
  add_namespace gk-isp
  add_namespace gk-internet
  add_veth gk-gw1 isp0 gk-isp gw1
  add_veth gk-isp internet gk-internet eth0
  nsenter --net=/run/netns/gk-gw1 sysctl -qw net.ipv6.conf.isp0.disable_ipv6=1
  ip -n gk-internet address add 198.18.0.10/24 dev eth0
  ip -n gk-internet address add 2001:db8:beef::10/64 dev eth0
  ip -n gk-internet route add default via 198.18.0.1
  ip -n gk-internet route add default via 2001:db8:beef::1
}

# A VM: a namespace with `eth0`; the other end, on its host, bears the VM's name. Offloads stay on, as with a tap.
lay_vm() {
  local name=$1 host=$2 mac=$3
  add_namespace "$name"
  mkdir -p "/etc/netns/$name" # `ip netns exec` shows this file as /etc/resolv.conf: a VM has its own
  : >"/etc/netns/$name/resolv.conf"
  ip -n "gk-$host" link add "$name" type veth peer name eth0 netns "$name" address "$mac"
  nsenter --net="/run/netns/gk-$host" sysctl -qw "net.ipv6.conf.$name.disable_ipv6=1" # the host itself stays silent
  nsenter --net="/run/netns/$name" sysctl -qw net.ipv6.conf.eth0.addr_gen_mode=0      # EUI-64, as in courtyard.yaml
  ip -n "gk-$host" link set "$name" up
}

lay_streets() {
  local vm name host mac
  mkdir -p /etc/netns
  lay_underlay
  lay_internet
  for vm in "${VMS[@]}"; do
    read -r name host mac _ <<<"$vm"
    lay_vm "$name" "$host" "$mac"
  done
}
