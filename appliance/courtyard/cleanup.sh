#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR
# Removes whatever a courtyard has left on this machine: processes, namespaces (with their interfaces), pins, files.
# Safe to run at any time and any number of times; touches only what a run has written down in $STATE first.
# `cleanup.sh --check` removes nothing, lists what is there, and is true if there is nothing.
set -uo pipefail # not -e: whatever one step cannot remove, the next round may
source "$(dirname "$(readlink -f "$0")")/lib.sh"

recorded() { cat "$STATE/$1" 2>/dev/null; }

# A run's processes carry its token in their environment. Those that overwrite theirs (for a nicer title in ps) are
# found by the namespace that they run in.
processes() {
  local token environ namespace
  token=$(recorded token)
  if [[ -n $token ]]; then
    grep -lzxF "GENKAN_COURTYARD=$token" /proc/[0-9]*/environ 2>/dev/null | while read -r environ; do
      environ=${environ#/proc/}
      say "${environ%/environ}"
    done
  fi
  for namespace in $(recorded namespaces); do ip netns pids "$namespace" 2>/dev/null; done
}

namespaces() {
  local namespace
  for namespace in $(recorded namespaces); do
    if [[ -e /run/netns/$namespace ]]; then say "$namespace"; fi
  done
}

mounts() { awk -v state="$STATE/" 'index($5, state) == 1 { print $5 }' /proc/self/mountinfo | tac; }

files() {
  local namespace host
  for namespace in $(recorded namespaces); do
    if [[ -e /etc/netns/$namespace ]]; then say "/etc/netns/$namespace"; fi
  done
  for host in $(recorded agents); do
    if [[ -e $AGENTS/$host ]]; then say "$AGENTS/$host"; fi
  done
}

remove_round() {
  local each
  for each in $(processes); do
    if ((each != $$ && each != BASHPID)); then kill -KILL "$each" 2>/dev/null; fi
  done
  for each in $(mounts); do umount -l "$each"; done # a bpffs takes its pins with it, and so the programs
  for each in $(namespaces); do ip netns delete "$each"; done
  for each in $(files); do rm -rf "$each"; done
}

main() {
  if [[ ${1:-} == --check ]]; then
    { namespaces; mounts; files; find "$STATE" -maxdepth 0 2>/dev/null; } | grep . && return 1
    return 0
  fi
  [[ -d $STATE ]] || return 0
  local rounds=20
  until [[ -z $(processes)$(namespaces)$(mounts)$(files) ]] || ((rounds-- == 0)); do
    remove_round 2>/dev/null
    sleep 0.05 # what was killed needs a moment to be gone
  done
  rm -rf "$STATE"
  rmdir /etc/netns "$AGENTS" /run/dhcpcd 2>/dev/null # only if they are empty
  return 0
}

main "$@"
