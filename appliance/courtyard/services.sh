# shellcheck shell=bash disable=SC2154 # "yard" is set by courtyard.sh
# Starts what lives in the courtyard: the ISP's router, the Internet, Genkan on both hosts, the VMs. Sourced by
# courtyard.sh. Every server runs in one of our namespaces, so that cleanup.sh finds it.

# FRR from Debian, without its system service: the daemons themselves, with sockets and files in a place of their own.
start_isp() {
  local place="$STATE/isp" name
  mkdir -p "$place"
  cp "$yard"/isp/*.conf "$place"
  chown -R frr:frr "$place" # the daemons give up root
  for name in zebra staticd; do
    daemon "$name.log" ip netns exec gk-isp "/usr/lib/frr/$name" --config_file "$place/$name.conf" \
      --pid_file "$place/$name.pid" --vty_socket "$place" --socket "$place/zserv.api" --vty_port 0 --log stdout
    until_true 10 test -S "$place/$name.vty" || fail "FRR's $name did not start. See $STATE/log/$name.log"
  done
}

start_web() {
  local namespace=$1 name=$2
  mkdir -p "$STATE/web"
  sed "s|@NAME@|$name|g; s|@STATE@|$STATE|g" "$yard/internet/nginx.conf" >"$STATE/web/$name.conf"
  daemon "web-$name.log" ip netns exec "$namespace" nginx -e stderr -c "$STATE/web/$name.conf"
}

start_iperf() { daemon "iperf3-$1.log" ip netns exec "$1" iperf3 --server --port "$2"; }

# ISP and Internet are there before Genkan, as in life. Whether they work is checked now: later it would look like
# Genkan's fault.
start_internet() {
  start_isp
  start_web gk-internet internet
  start_iperf gk-internet 5201
  until_true 10 within gk-isp curl -sf -m 1 http://198.18.0.10/ ||
    fail "The courtyard's own Internet does not answer its ISP. See $STATE/log/zebra.log and web-internet.log"
  until_true 10 within gk-internet ping -c 1 -W 1 203.0.113.1 ||
    fail "The ISP's router does not route. Ask it: vtysh --vty_socket $STATE/isp -c 'show ip route'"
}

# `ip netns exec` would hide the bpffs (it mounts a new /sys): nsenter changes the network namespace and nothing else.
# The bpffs is the courtyard's own: unmounting it removes every pin, and with the pins the programs.
start_genkan() {
  local host
  mkdir -p "$STATE/bpf" "$AGENTS"
  mount -n -t bpf -o mode=700 genkan-courtyard "$STATE/bpf" || fail "This kernel or container cannot mount a bpffs."
  for host in "${HOSTS[@]}"; do
    mkdir -p "$STATE/bpf/$host"
    say "$host" >>"$STATE/agents"
    daemon "genkan-$host.log" nsenter --net="/run/netns/gk-$host" \
      "$GENKAN" run --config "$STATE/courtyard.yaml" --host "$host" --pins "$STATE/bpf/$host"
  done
  for host in "${HOSTS[@]}"; do wait_for_genkan "$host"; done
}

wait_for_genkan() {
  if until_true 30 "$GENKAN" --host "$1" status; then return; fi
  tail -15 "$STATE/log/genkan-$1.log" >&2
  fail "Genkan on $1 did not start within 30 s. It said what stands above."
}

# A DHCP client keeps files under one fixed path per interface name, and every VM's is eth0: each gets empty directories
# of its own there, in the mount namespace that `ip netns exec` makes anyway.
start_dhcp_client() {
  local name=$1 client=$2
  local -x LEASE_FILE="$STATE/lease/$name"
  case $client in
    udhcpc) # retries every second, never gives up. The kernel does IPv6 by itself.
      daemon "dhcp-$name.log" ip netns exec "$name" udhcpc -f -i eth0 -T 1 -t 5 -A 1 \
        -O mtu -O domain -O ntpsrv -O staticroutes -x "hostname:$name" -s "$yard/dhcp/udhcpc.sh" ;;
    dhcpcd)
      # shellcheck disable=SC2016  # $1 and $2 belong to the inner shell
      daemon "dhcp-$name.log" ip netns exec "$name" sh -c '
        mkdir -p /run/dhcpcd /var/lib/dhcpcd
        mount -n -t tmpfs dhcpcd /run/dhcpcd
        mount -n -t tmpfs dhcpcd /var/lib/dhcpcd
        exec dhcpcd --nobackground --env "LEASE_FILE=$LEASE_FILE" --config "$1" --script "$2" eth0' \
        dhcpcd "$yard/dhcp/dhcpcd.conf" "$yard/dhcp/dhcpcd.sh" ;;
  esac
}

start_vms() {
  local vm name client
  mkdir -p "$STATE/lease"
  for vm in "${VMS[@]}"; do
    read -r name _ _ client <<<"$vm"
    ip -n "$name" link set eth0 up
    start_dhcp_client "$name" "$client"
  done
  for name in red-a red-b red-c; do start_iperf "$name" 5201; done
  start_iperf red-b 5301 # behind the door
  start_web red-a red-a
}
