#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR/appliance/courtyard
# Builds Genkan and puts a small edge cloud, the courtyard, on this machine: see README.md.
#   sudo ./run.sh           stays up until Ctrl-C
#   sudo ./run.sh --once    leaves after the report; exit code 0 only if every line of it held
#
# Whatever happens to this script, `kill -9` included, everything it made is removed: appliance/courtyard/guardian.sh.
# So it does little itself: it keeps the lock and the guardian's pipe open, and waits for those that do the work.
set -euo pipefail
yard=$(dirname "$(readlink -f "$0")")/appliance/courtyard
source "$yard/lib.sh"
source "$yard/dotnet.sh"

readonly PIPE=8 LOCK=9 # no child inherits these two, but for the guardian
guardian='' worker=''

check_arguments() {
  case ${1:-} in
    '' | --once) ;;
    *) sed -n '3,5s/^# *//p' "$0"; exit 2 ;;
  esac
  (($# < 2)) || fail "run.sh takes one option at most: --once"
  ((EUID == 0)) || fail "The courtyard is made of network namespaces and eBPF programs: please use sudo ./run.sh $*"
}

# The lock is on /run itself: no lock file remains. A holder without a run.sh is a guardian at work, so wait for it.
take_lock() {
  eval "exec $LOCK</run"
  local other deadline=$(($(now_ms) + 30000))
  until flock -n $LOCK; do
    other=$(cat "$STATE/run.pid" 2>/dev/null || true)
    if [[ -n $other ]] && kill -0 "$other" 2>/dev/null; then
      fail "A courtyard runs on this machine already (run.sh, process $other), and there is room for one.
Stop that one with Ctrl-C, then start this again."
    fi
    (($(now_ms) < deadline)) ||
      fail "The previous courtyard is not gone after 30 s. What is left: appliance/courtyard/cleanup.sh --check"
    sleep 0.1
  done
}

start_guardian() {
  eval "exec $PIPE> >(exec setsid '$yard/guardian.sh' $PIPE>&- >/dev/null 2>&1)"
  guardian=$!
  mkdir -p "$STATE"
  say $$ >"$STATE/run.pid"
  say "$$-$(now_ms)" >"$STATE/token" # stands in the environment of what may be killed without asking
}

# A child in the background and `wait`, since bash runs a trap only between commands: a signal must not wait for apt.
run_child() {
  "$@" 8>&- 9>&- &
  worker=$!
  local code=0
  wait "$worker" || code=$?
  worker=''
  return "$code"
}

# `wait` for a child whose `wait` a trap has interrupted may never return (bash 5.2), so look instead.
until_gone() { while kill -0 "$1" 2>/dev/null; do sleep 0.02; done; }

leave() {
  local code=$?
  trap '' INT TERM HUP PIPE EXIT
  if [[ -n $worker ]]; then
    kill -TERM "$worker" 2>/dev/null || true
    until_gone "$worker" # prepare.sh lets apt-get finish its package
  fi
  if [[ -n $guardian ]]; then
    [[ ! -t 1 ]] || say "Removing the courtyard ..." || true
    eval "exec $PIPE>&-"
    until_gone "$guardian"
    if ! "$yard/cleanup.sh" --check >&2; then
      say "This was left behind (above). Please remove it with appliance/courtyard/cleanup.sh" >&2 || true
      ((code != 0)) || code=1
    fi
  fi
  exit "$code"
}

main() {
  check_arguments "$@"
  take_lock
  trap leave EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  "$yard/cleanup.sh" 8>&- 9>&- # what a power cut or a killed guardian left
  start_guardian
  run_child "$yard/prepare.sh" run || exit $?
  find_dotnet
  run_child env "GENKAN_COURTYARD=$(<"$STATE/token")" "$yard/courtyard.sh" "$@"
}

main "$@"
