# shellcheck shell=bash
# Finds the .NET 10 SDK, also where sudo's PATH does not look. Sourced; sets DOTNET and DOTNET_ROOT.

find_dotnet() {
  local home candidate
  home=$(getent passwd "${SUDO_USER:-root}" | cut -d: -f6)
  for candidate in "$(command -v dotnet || true)" "${DOTNET_ROOT:-}/dotnet" /usr/share/dotnet/dotnet \
    /usr/lib/dotnet/dotnet "$home/.dotnet/dotnet"; do
    if [[ -x $candidate ]] && "$candidate" --list-sdks 2>/dev/null | grep -q '^10\.'; then
      DOTNET=$candidate
      DOTNET_ROOT=$(dirname "$(readlink -f "$candidate")") # the published program starts through it
      export DOTNET DOTNET_ROOT
      return 0
    fi
  done
  return 1
}
