#!/usr/bin/env bash
# Cleans up when run.sh is gone, however it went: it holds the reading end of a pipe (standard input) whose only writer
# is run.sh. The kernel closes that end even after `kill -9`. It also shares run.sh's lock, so that a new courtyard
# cannot begin before the old one is removed.
set -euo pipefail
trap '' INT TERM HUP PIPE
here=$(dirname "$(readlink -f "$0")")
cat >/dev/null
exec "$here/cleanup.sh"
