# shellcheck shell=bash
# What every script of the courtyard shares: names, places, and the few verbs that the others are written in. Sourced.

# shellcheck disable=SC2034  # read by the scripts that source this file
readonly STATE=/run/genkan-courtyard        # everything that a run keeps on disk
readonly AGENTS=/run/genkan                 # agents' sockets, one directory a host
readonly HOSTS=(gw1 hv1)                    # in the namespaces gk-gw1 and gk-hv1
readonly STREETS=(gk-underlay gk-gw1 gk-hv1 gk-isp gk-internet)

# VM, host, MAC and DHCP client. MACs are those of courtyard.yaml: Genkan lets a port send from its own only.
readonly VMS=(
  "red-a  hv1 fa:16:3e:00:01:11 udhcpc"
  "red-b  gw1 fa:16:3e:00:01:12 dhcpcd"
  "red-c  hv1 fa:16:3e:00:02:11 dhcpcd"
  "blue-a hv1 fa:16:3e:00:b1:11 udhcpc"
  "blue-b gw1 fa:16:3e:00:b1:13 dhcpcd"
)

say() { printf '%s\n' "$*"; }
step() { printf '\033[2m%s\033[0m\n' "$*"; }

# Ends the script with one message that says what is wrong and what to do.
fail() {
  printf '\033[31m%s\033[0m\n' "$*" >&2
  exit 1
}

vm_names() { printf '%s\n' "${VMS[@]%% *}"; }
all_namespaces() {
  printf '%s\n' "${STREETS[@]}"
  vm_names
}

now_ms() { printf '%s' $((${EPOCHREALTIME//[^0-9]/} / 1000)); }
seconds() { printf "%d.%02d" $(($1 / 1000)) $(($1 % 1000 / 10)); } # of milliseconds, for people

# Inside a namespace, with its own /etc/resolv.conf (from /etc/netns) and /sys.
within() { ip netns exec "$@"; }

# until_true SECONDS COMMAND... : true as soon as the command is, false if it never was.
until_true() {
  local deadline=$(($(now_ms) + $1 * 1000))
  shift
  until "$@" >/dev/null 2>&1; do
    (($(now_ms) < deadline)) || return 1
    sleep 0.05
  done
}

# daemon LOG COMMAND... : starts a server in a session of its own, so that Ctrl-C in the terminal reaches run.sh only.
daemon() {
  local log="$STATE/log/$1"
  shift
  setsid "$@" </dev/null >>"$log" 2>&1 &
}
