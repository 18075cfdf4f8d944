#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR
# The work itself: streets, services, report, hints. Run by run.sh, which also removes everything when this ends.
set -euo pipefail
yard=$(dirname "$(readlink -f "$0")")
source "$yard/lib.sh"
source "$yard/network.sh"
source "$yard/services.sh"
source "$yard/measure.sh"
source "$yard/report.sh"
root=$(readlink -f "$yard/../..")
readonly GENKAN=${GENKAN:-$root/artifacts/genkan/genkan}

# Logs and the agents' own view outlive a failed run: they are the only thing kept, and git ignores the place.
keep_evidence() {
  local kept="$root/artifacts/courtyard-log" host
  rm -rf "$kept"
  mkdir -p "$kept"
  cp "$STATE"/log/* "$kept"
  for host in "${HOSTS[@]}"; do
    { "$GENKAN" --host "$host" status && "$GENKAN" --host "$host" flow list; } >"$kept/flows-$host.txt" 2>&1 || true
  done
  say "Logs and flows of both hosts are kept in artifacts/courtyard-log."
}

hints() {
  cat <<END

The courtyard stays up until Ctrl-C. In another terminal (as root):
  export PATH="$root/artifacts/genkan:\$PATH"
  genkan --host gw1 status                     what the agent of gw1 knows; hv1 is the other one
  genkan --host hv1 port list                  ports, what they are bound to, packets and drops by reason
  genkan --host hv1 flow list                  flows in the kernel, and what each depends on
  genkan --host hv1 trace red-a 'icmp 10.0.1.11 > 10.0.2.11'
                                               walk a packet through the topology; nothing is sent
  ip netns exec red-a bash                     be the VM red-a; ping 10.0.2.11, curl http://198.18.0.10/
  ip netns exec gk-internet curl http://198.51.100.20/
                                               be the Internet, and visit red-a at its floating IP
  tcpdump needs a namespace too:               ip netns exec gk-underlay tcpdump -ni gw1 udp
  vtysh --vty_socket $STATE/isp    the ISP's router
Change the topology while it runs: edit $STATE/courtyard.yaml, then
  genkan config check $STATE/courtyard.yaml && genkan --host gw1 config reload && genkan --host hv1 config reload
END
}

main() {
  mkdir -p "$STATE/log"
  cp "$yard/courtyard.yaml" "$STATE/courtyard.yaml"
  step "Laying the streets: ${#STREETS[@]} namespaces for hosts and Internet, ${#VMS[@]} for VMs ..."
  lay_streets
  start_internet
  step "Starting Genkan on ${HOSTS[*]} ..."
  start_genkan
  local started
  started=$(now_ms)
  start_vms
  local code=0
  report "$started" || code=1
  if ((code != 0)); then keep_evidence; fi
  if [[ ${1:-} == --once ]]; then exit "$code"; fi
  hints
  while true; do sleep 3600; done
}

main "$@"
