# shellcheck shell=bash disable=SC2154 # "yard" is set by courtyard.sh
# The report: one line a promise, with what was measured. Sourced by courtyard.sh.

readonly RED_A6=2001:db8:1:1:f816:3eff:fe00:111 RED_B6=2001:db8:1:1:f816:3eff:fe00:112
readonly RED_C6=2001:db8:1:2:f816:3eff:fe00:211
readonly WEB4=198.18.0.10 WEB6=2001:db8:beef::10
broken=0

# check TITLE HINT MEASUREMENT... : one line of the report; the hint only if it does not hold.
check() {
  local title=$1 hint=$2 fact
  shift 2
  if fact=$("$@" 2>&1); then
    printf '  \033[32m✔\033[0m %-34s %s\n' "$title" "${fact//$'\n'/ }"
  else
    printf '  \033[31m✘\033[0m %-34s %s\n' "$title" "${fact//$'\n'/ }"
    printf '      look at: %s\n' "$hint"
    broken=$((broken + 1))
  fi
}

look_at_trace() { printf "genkan --host %s trace %s '%s'; genkan --host %s port list" "$1" "$2" "$3" "$1"; }

report_leases() {
  local started=$1 name address
  say "Addresses, by real DHCP clients"
  while read -r name address; do
    check "$name lease" "$STATE/log/dhcp-$name.log and the agent's log beside it" lease "$name" "$address" "$started"
  done <<<"red-a 10.0.1.11
red-b 10.0.1.12
red-c 10.0.2.11
blue-a 10.0.1.11
blue-b 10.0.1.13"
  check "red-a router advertisement" "ip netns exec red-a rdisc6 eth0" advertised red-a $RED_A6
  check "red-b router advertisement" "$STATE/log/dhcp-red-b.log" advertised red-b $RED_B6
  check "red-c router advertisement" "$STATE/log/dhcp-red-c.log" advertised red-c $RED_C6
}

report_inside() {
  say "Inside a network, across hosts"
  check "red-a → red-b" "$(look_at_trace hv1 red-a 'icmp 10.0.1.11 > 10.0.1.12')" reach red-a 10.0.1.12
  check "red-a → red-b, IPv6" "$(look_at_trace hv1 red-a "icmp6 $RED_A6 > $RED_B6")" reach red-a $RED_B6
  say "Between networks, through the virtual router"
  check "red-b → red-c, across hosts" "$(look_at_trace gw1 red-b 'icmp 10.0.1.12 > 10.0.2.11')" reach red-b 10.0.2.11
  check "red-b → red-c, IPv6" "$(look_at_trace gw1 red-b "icmp6 $RED_B6 > $RED_C6")" reach red-b $RED_C6
  check "red-a → red-c, on one host" "$(look_at_trace hv1 red-a 'icmp 10.0.1.11 > 10.0.2.11')" reach red-a 10.0.2.11
}

report_outside() {
  say "To the Internet"
  check "red-b on gw1, source NAT" "$(look_at_trace gw1 red-b "icmp 10.0.1.12 > $WEB4")" \
    surf red-b $WEB4 198.51.100.10 1024 32767
  check "red-c on hv1, source NAT" "$(look_at_trace hv1 red-c "icmp 10.0.2.11 > $WEB4")" \
    surf red-c $WEB4 198.51.100.10 32768 65535
  check "red-a, by its floating IP" "$(look_at_trace hv1 red-a "icmp 10.0.1.11 > $WEB4")" \
    surf red-a $WEB4 198.51.100.20
  check "red-c, IPv6, routed" "$(look_at_trace hv1 red-c "icmp6 $RED_C6 > $WEB6")" surf red-c $WEB6 $RED_C6
  say "From the Internet"
  check "to red-a's floating IP" "$(look_at_trace gw1 isp "icmp $WEB4 > 198.51.100.20")" welcome 198.51.100.20 $WEB4
  check "to red-a, IPv6, routed" "$(look_at_trace gw1 isp "icmp6 $WEB6 > $RED_A6")" welcome $RED_A6 $WEB6
}

report_apart() {
  say "Tenants apart"
  check "red-a cannot reach blue's 10.0.1.13" "$(look_at_trace hv1 red-a 'icmp 10.0.1.11 > 10.0.1.13')" \
    unreachable red-a 10.0.1.13
  check "blue-b's 10.0.1.11 is blue's" "$(look_at_trace gw1 blue-b 'icmp 10.0.1.13 > 10.0.1.11')" same_address
  check "blue-b cannot leave" "$(look_at_trace gw1 blue-b "icmp 10.0.1.13 > $WEB4")" unreachable blue-b $WEB4
}

reload() {
  local host
  for host in "${HOSTS[@]}"; do "$GENKAN" --host "$host" config reload >/dev/null || return 1; done
}

grows() { local before=$1; (($(acked) > before)); }

# moves : the connection makes progress; says how long it took to see that.
moves() {
  local started
  started=$(now_ms)
  until_true 8 grows "$(acked)" || { say "nothing acknowledged within 8 s"; return 1; }
  say "the connection moves, seen after $(seconds $(($(now_ms) - started))) s"
}

# still : the connection stands. What was on its way when the rule went may still be acknowledged.
still() {
  local before
  sleep 0.3
  before=$(acked)
  sleep 1
  [[ -n $(door_connections) ]] || { say "there is no such connection"; return 1; }
  ! grows "$before" || { say "1 s later it still moves"; return 1; }
  say "the connection stands: 0 octets acknowledged in 1 s"
}

shut_door() { sed -i '/# the door$/s/^/#/' "$STATE/courtyard.yaml" && reload && still; }
open_door() { sed -i '/# the door$/s/^#//' "$STATE/courtyard.yaml" && reload && moves; }

report_door() {
  local hint="diff $yard/courtyard.yaml $STATE/courtyard.yaml; genkan --host gw1 flow list"
  say "A security group, under a running connection (red-a → red-b port 5301)"
  daemon door.log ip netns exec red-a iperf3 --client 10.0.1.12 --port 5301 --time 60 --bitrate 200M
  check "before" "$hint" moves
  check "rule taken away" "$hint" shut_door
  check "others not disturbed" "$hint" ping_ms red-a 10.0.1.12
  check "rule given back" "$hint" open_door
}

# report STARTED_MS : true if every line held.
report() {
  say ""
  report_leases "$1"
  report_inside
  report_outside
  report_apart
  report_door
  say ""
  if ((broken == 0)); then
    say "Everything held."
  else
    say "$broken of the lines above did not hold."
  fi
  ((broken == 0))
}
