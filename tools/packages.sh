#!/usr/bin/env bash
# Installs the Debian packages of a list that are missing: tools/packages.sh LIST
set -euo pipefail
command -v dpkg-query >/dev/null || exit 0
missing=()
while read -r package _; do
  case $package in ''|'#'*) continue ;; esac
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done < "$1"
[ ${#missing[@]} -gt 0 ] || exit 0
sudo=
[ "$(id -u)" = 0 ] || sudo=$(command -v sudo || true)
if [ "$(id -u)" != 0 ] && [ -z "$sudo" ]; then
  echo "packages.sh: missing system packages, and no root to install them:" >&2
  echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
printf '\033[1m==> installing %s system packages\033[0m\n' ${#missing[@]} >&2
$sudo apt-get -qq update
DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq install -y \
  --no-install-recommends "${missing[@]}" >/dev/null
