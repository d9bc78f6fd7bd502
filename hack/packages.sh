#!/usr/bin/env bash
# Makes sure that programs exist: on Debian, as root, it installs the packages of those that are missing; elsewhere it names them.
#   hack/packages.sh PROGRAM:PACKAGE...     PROGRAM is a name or a path
set -euo pipefail

missing=()
for entry in "$@"; do
  command -v "${entry%:*}" >/dev/null || missing+=("${entry#*:}")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "hack/packages.sh: these are missing: ${missing[*]} (names of Debian packages). Install them" >&2
  exit 1
fi
echo "installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null
apt-get install --yes -qq --no-install-recommends "${missing[@]}" >/dev/null
