#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR/appliance/courtyard disable=SC2317 # stages are called by name
# Installs what the tests need, then checks and tests, cheapest first, and stops at the first red.
#   ./test.sh [unit|lab|all]     lab, and so all, needs root: it makes network namespaces and loads eBPF programs
# The last line is "N passed, N failed"; a stage that is no test (formatting, build) counts as one failure if it is red.
set -euo pipefail
root=$(dirname "$(readlink -f "$0")")
cd "$root"
source "$root/appliance/courtyard/lib.sh"
source "$root/appliance/courtyard/dotnet.sh"

readonly LOGS=$root/artifacts/test
passed=0 failed=0

finish() {
  say "$passed passed, $failed failed"
  if ((failed == 0)); then exit 0; else exit 1; fi
}

# stage TITLE COMMAND... : runs it out of sight; what it said is shown only if it failed, and then the run is over.
stage() {
  local title=$1 started log
  started=$(now_ms) log="$LOGS/${1// /-}.log"
  shift
  if "$@" </dev/null >"$log" 2>&1; then
    printf '✔ %-24s %6s s\n' "$title" "$(seconds $(($(now_ms) - started)))"
    return
  fi
  printf '✘ %s\n' "$title"
  tail -40 "$log"
  failed=$((failed + 1))
  finish
}

install() {
  if ((EUID == 0)); then
    "$root/appliance/courtyard/prepare.sh" test
  elif ! find_dotnet; then
    fail "There is no .NET 10 SDK here. Run this once as root, and it installs what it needs."
  fi
  find_dotnet
  export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
}

check_shell() {
  shellcheck -x run.sh test.sh .ci/run tests/bench tests/fuzz appliance/courtyard/*.sh appliance/courtyard/dhcp/*.sh
}


# Style and naming are warnings of the compiler, which makes errors of them (EnforceCodeStyleInBuild), so the build
# checks them; only the white space of what it does not parse is left for here.
check_format() { "$DOTNET" format whitespace --folder --verify-no-changes --exclude artifacts .; }
build() { "$DOTNET" build appliance.sln -v quiet --nologo -clp:NoSummary; }

# run_project NAME : runs one test program; prints its log's name when it is done.
run_project() {
  "$root/tests/$1.Tests/bin/Debug/net10.0/Genkan.$1.Tests" -noColor -noLogo </dev/null >"$LOGS/$1.log" 2>&1 || true
  say "$1"
}

# count NAME : adds what xunit counted. A program that did not get as far as its summary is one failure.
count() {
  local summary total=0 bad=0 skipped=0
  summary=$(grep -E 'Total: [0-9]+, Errors:' "$LOGS/$1.log" | tail -1 || true)
  local pattern='Total: ([0-9]+), Errors: ([0-9]+), Failed: ([0-9]+), Skipped: ([0-9]+), Not Run: ([0-9]+)'
  if [[ $summary =~ $pattern ]]; then
    bad=$((BASH_REMATCH[2] + BASH_REMATCH[3])) skipped=$((BASH_REMATCH[4] + BASH_REMATCH[5]))
    total=$((BASH_REMATCH[1] - BASH_REMATCH[3] - skipped))
  else
    bad=1
  fi
  passed=$((passed + total)) failed=$((failed + bad))
  if ((bad > 0)); then
    printf '✘ %-24s %5d passed, %d failed\n' "$1" "$total" "$bad"
    grep -vE '^ *(Starting|Finished|Discover)' "$LOGS/$1.log" | tail -60
  else
    printf '✔ %-24s %5d passed%s\n' "$1" "$total" "$( ((skipped == 0)) || printf ', %d skipped' "$skipped")"
  fi
}

# Test projects by the name of what they test, but for those that have a stage of their own.
unit_projects() {
  find tests -mindepth 1 -maxdepth 1 -name '*.Tests' -printf '%f\n' | sed 's/\.Tests$//' |
    grep -vxE 'Lab|Image|Conventions' | sort
}

run_tests() {
  local name
  while read -r name; do count "$name"; done < <(
    export -f run_project say
    export LOGS root
    printf '%s\n' "${@:2}" | xargs -P "$1" -I{} bash -c 'run_project {}'
  )
  if ((failed > 0)); then finish; fi
}

main() {
  local what=${1:-all} units
  [[ $what =~ ^(unit|lab|all)$ && $# -le 1 ]] || { sed -n '3,5s/^# *//p' "$0"; exit 2; }
  if [[ $what != unit ]] && ((EUID != 0)); then
    fail "The lab makes network namespaces: please run this as root, or ./test.sh unit"
  fi
  install
  mkdir -p "$LOGS"
  if command -v shellcheck >/dev/null; then stage "shell scripts" check_shell; fi
  stage "format" check_format
  stage "build" build
  if [[ $what != lab ]]; then
    mapfile -t units < <(unit_projects)
    run_tests "$(nproc)" "${units[@]}"
    run_tests 1 Conventions
  fi
  if [[ $what != unit ]]; then run_tests 1 Lab; fi
  finish
}

main "$@"
