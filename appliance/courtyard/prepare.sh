#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR
# Makes the machine ready: Debian packages, the .NET SDK, and the build. What is there already is left alone.
#   prepare.sh [run|test]      test: packages that only the tests use too, and no build
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
source "$here/lib.sh"
source "$here/dotnet.sh"
root=$(readlink -f "$here/../..")
builder=''
trap 'stop' TERM # bash runs this when apt-get is done, which must not be cut short, and at once while it builds

stop() {
  if [[ -n $builder ]]; then kill -TERM "$builder" 2>/dev/null || true; fi
  exit 143
}

# Command (or file), the package that brings it, and why it is wanted.
readonly WANTED=(
  "clang                     clang         compiles the eBPF programs"
  "/usr/include/bpf/bpf.h    libbpf-dev    headers and loader of the eBPF programs"
  "ip                        iproute2      makes namespaces and veth"
  "ping                      iputils-ping  measures the way"
  "curl                      curl          fetches web pages"
  "iperf3                    iperf3        measures TCP"
  "/usr/lib/frr/zebra        frr           is the ISP's router"
  "nginx                     nginx-light   is the Internet's web server"
  "udhcpc                    udhcpc        is the DHCP client of some VMs"
  "dhcpcd                    dhcpcd-base   is the DHCP client of the others"
)
readonly WANTED_BY_TESTS=(
  "bpftool                   bpftool       reads programs and maps"
  "tcpdump                   tcpdump       captures packets"
  "ethtool                   ethtool       switches offloads"
  "nft                       nftables      is a peer to compare with"
  "socat                     socat         makes odd packets"
  "shellcheck                shellcheck    checks the scripts"
)

is_there() { if [[ $1 == /* ]]; then [[ -e $1 ]]; else command -v "$1" >/dev/null; fi; }

missing_packages() {
  local wanted command package why
  for wanted in "$@"; do
    read -r command package why <<<"$wanted"
    is_there "$command" || say "$package $why"
  done
}

# Debian starts a server as soon as it is installed, and at every boot from then on. The courtyard wants the programs
# only: policy-rc.d (Debian Policy 9.11) holds the first, `systemctl disable` the second.
install_without_starting() {
  local policy=/usr/sbin/policy-rc.d ours=no service
  if [[ ! -e $policy ]]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 \
    -o Dpkg::Use-Pty=0 "$@" >/dev/null || fail "apt-get could not install: $*. Its message stands above."
  [[ $ours == no ]] || rm -f "$policy"
  for service in "$@"; do
    service=${service/nginx-light/nginx}
    if [[ -d /run/systemd/system && $service =~ ^(frr|nginx)$ ]]; then systemctl disable -q "$service" || true; fi
  done
}

install_packages() {
  local missing
  missing=$(missing_packages "$@")
  [[ -n $missing ]] || return 0
  command -v apt-get >/dev/null ||
    fail "This machine lacks these packages, and apt-get to install them with:
$missing"
  say "Installing Debian packages:"
  awk '{ package = $1; $1 = ""; printf "  %-14s%s\n", package, $0 }' <<<"$missing"
  apt-get update -qq || fail "apt-get update failed: is the network reachable?"
  # shellcheck disable=SC2046  # one word a package
  install_without_starting $(awk '{print $1}' <<<"$missing")
}

install_sdk() {
  if find_dotnet; then return 0; fi
  say "Installing the .NET SDK (dotnet-sdk-10.0): Genkan's services are C#"
  apt-get update -qq || say "apt-get update failed: is the network reachable? Going on with what was known." >&2
  if apt-cache policy dotnet-sdk-10.0 2>/dev/null | grep -q 'Candidate: [0-9]'; then
    install_without_starting dotnet-sdk-10.0
    if find_dotnet; then return 0; fi
  fi
  fail "There is no .NET 10 SDK here, and no configured Debian repository has the package dotnet-sdk-10.0.
Install it as https://learn.microsoft.com/dotnet/core/install/linux-debian says, then run this again."
}

# One number for everything that the build reads: the same number as last time means that there is nothing to do.
source_digest() {
  find "$root" -maxdepth 1 -type f -print0 -o \
    \( -name bin -o -name obj -o -name artifacts -o -name tests -o -name .git -o -name docs \) -prune -o \
    -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
}

# The build belongs to whoever owns the tree, so that `sudo ./run.sh` leaves nothing behind that only root may change.
as_owner() {
  local owner
  owner=$(stat -c %U "$root")
  if [[ $owner == root ]]; then
    "$@"
  else
    runuser -u "$owner" -- env "HOME=$(getent passwd "$owner" | cut -d: -f6)" "$@"
  fi
}

build() {
  local digest started log="$root/artifacts/publish.log"
  kill -0 "$PPID" 2>/dev/null || exit 143 # killed while apt-get worked: nobody waits for a build
  digest=$(source_digest)
  if [[ -x $root/artifacts/genkan/genkan && $digest == "$(cat "$root/artifacts/digest" 2>/dev/null)" ]]; then return; fi
  say "Building Genkan (the first time takes a minute or two) ..."
  started=$(now_ms)
  as_owner mkdir -p "$root/artifacts"
  # No build server stays behind, and the token lets cleanup.sh end the build when run.sh is gone.
  as_owner env "GENKAN_COURTYARD=$(cat "$STATE/token" 2>/dev/null || true)" \
    DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 \
    "$DOTNET" publish "$root/appliance/Host/Genkan.Host.csproj" -c Release -p:RunAnalyzers=false \
    -o "$root/artifacts/genkan" -v quiet --nologo --disable-build-servers >"$log" 2>&1 &
  builder=$!
  wait "$builder" || { tail -20 "$log" >&2; fail "The build failed; all of it: $log"; }
  builder=''
  printf '%s\n' "$digest" >"$root/artifacts/digest"
  say "Built in $(seconds $(($(now_ms) - started))) s: artifacts/genkan/genkan"
}

case ${1:-run} in
  run) install_packages "${WANTED[@]}"; install_sdk; build ;;
  test) install_packages "${WANTED[@]}" "${WANTED_BY_TESTS[@]}"; install_sdk ;;
  *) fail "usage: prepare.sh [run|test]" ;;
esac
