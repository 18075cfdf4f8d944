# shellcheck shell=bash
# Measurements of the report. Each function prints one fact and is true if the fact is what it should be; each ends by
# itself within a few seconds, whatever the network does. Sourced by courtyard.sh.

# ping_ms NAMESPACE ADDRESS : "0.21 ms" of three pings, after one that may need a simulation in both directions.
ping_ms() {
  local out
  if ! within "$1" ping -c 1 -W 2 "$2" >/dev/null; then
    say "no answer to ping"
    return 1
  fi
  out=$(within "$1" ping -c 3 -i 0.05 -W 1 "$2") || { say "ping answered once, then no more"; return 1; }
  awk -F/ '/^rtt/ { printf "ping %.2f ms\n", $5 }' <<<"$out"
}

# gbits NAMESPACE ADDRESS [PORT] : TCP throughput of one second, as the receiver counted it.
gbits() {
  local out
  out=$(within "$1" timeout 8 iperf3 --client "$2" --port "${3:-5201}" --time 1 --format g \
    --connect-timeout 2000 2>&1) || { say "TCP: $(tail -1 <<<"$out")"; return 1; }
  awk '/receiver/ { printf "TCP %.1f Gbit/s\n", $7; held = $7 > 0.01 } END { exit !held }' <<<"$out"
}

# reach FROM ADDRESS : ping and TCP, on one line.
reach() {
  local ping tcp
  ping=$(ping_ms "$1" "$2") || { say "$ping"; return 1; }
  tcp=$(gbits "$1" "$2") || { say "$ping, $tcp"; return 1; }
  say "$ping, $tcp"
}

url_of() { if [[ $1 == *:* ]]; then say "http://[$1]/"; else say "http://$1/"; fi; }

# visit FROM ADDRESS : what the web server there says: its name, then the address and port that it sees.
visit() { within "$1" curl -sS -m 3 "$(url_of "$2")" 2>&1; }

# surf FROM ADDRESS SEEN [LOW HIGH] : reaches the Internet, where it is seen as SEEN, with a source port in LOW..HIGH.
surf() {
  local fact name address port
  fact=$(reach "$1" "$2") || { say "$fact"; return 1; }
  read -r name address port <<<"$(visit "$1" "$2")"
  say "$fact, seen there as $address port $port"
  [[ $name == internet && $address == "$3" ]] || { say "(expected: $3)"; return 1; }
  ((port >= ${4:-1} && port <= ${5:-65535})) || { say "(expected a port in $4-$5)"; return 1; }
}

# welcome ADDRESS SEEN : from the Internet, ping and red-a's web page; red-a sees its visitor's true address.
welcome() {
  local ping name address
  ping=$(ping_ms gk-internet "$1") || { say "$ping"; return 1; }
  read -r name address _ <<<"$(visit gk-internet "$1")"
  say "$ping, web page of $name, which saw $address"
  [[ $name == red-a && $address == "$2" ]]
}

# unreachable FROM ADDRESS : three pings, no answer.
unreachable() {
  local out code=0
  out=$(within "$1" ping -c 3 -i 0.2 -W 1 "$2" 2>&1) || code=$?
  case $code in
    0) say "somebody answered"; return 1 ;;
    1) say "3 pings, no answer" ;; # ping(8): 1 is no answer, 2 is that it could not even send
    *) say "$out"; return 1 ;;
  esac
}

# shellcheck disable=SC2016  # awk's fields
echoes_heard() { within "$1" awk '/^Icmp: [0-9]/ { print $10 }' /proc/net/snmp; } # InEchos

# same_address : blue-b pings 10.0.1.11, which blue-a and red-a both have.
same_address() {
  local blue red
  blue=$(echoes_heard blue-a) red=$(echoes_heard red-a)
  within blue-b ping -c 3 -i 0.1 -W 1 10.0.1.11 >/dev/null || { say "no answer to ping"; return 1; }
  blue=$(($(echoes_heard blue-a) - blue)) red=$(($(echoes_heard red-a) - red))
  say "blue-a heard $blue pings, red-a heard $red"
  ((blue == 3 && red == 0))
}

# lease NAME ADDRESS STARTED_MS : waits for the lease of a VM.
lease() {
  local address server time mtu took
  until_true 15 test -s "$STATE/lease/$1" || { say "no lease within 15 s"; return 1; }
  read -r address server time mtu <"$STATE/lease/$1"
  took=$(($(stat -c %.3Y "$STATE/lease/$1" | tr -d .) - $3))
  say "$address from $server for $time s, MTU $mtu, in $(seconds "$took") s"
  [[ $address == "$2" ]]
}

has_address() { ip -n "$1" -6 -o address show dev eth0 scope global | grep -q " $2/64 "; }

# advertised NAME ADDRESS GATEWAY : waits for the IPv6 address that follows from a router advertisement.
advertised() {
  until_true 15 has_address "$1" "$2" || { say "no $2 within 15 s"; return 1; }
  say "$2 from $(ip -n "$1" -6 route show default | awk '{ print $3; exit }')"
}

# door_connections : what red-a's kernel knows of its connections through the door.
door_connections() { within red-a ss -tniH state established dst 10.0.1.12 and dport = :5301; }

# acked : octets that red-b has acknowledged to red-a on them.
acked() { door_connections | grep -o 'bytes_acked:[0-9]*' | awk -F: '{ sum += $2 } END { print sum + 0 }'; }
