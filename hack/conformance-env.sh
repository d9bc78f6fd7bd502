#!/usr/bin/env bash
# Creates a Python environment with published clients of the vendors, and prints the path of its python. Without Python it prints
# nothing, and the conformance tests are skipped. In CI (CI is set) that is an error.
#   hack/conformance-env.sh            target/conformance, from tests/conformance/requirements.txt
#   hack/conformance-env.sh zenml      target/conformance-zenml, from tests/conformance/zenml-requirements.txt
#   hack/conformance-env.sh lenses     target/conformance-lenses, from tests/conformance/lenses-requirements.txt (needs Python 3.11)
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=tests/conformance/${1:+$1-}requirements.txt
env=$PWD/target/conformance${1:+-$1}
minor=10
[ "${1:-}" != lenses ] || minor=11

main() {
  if ! cmp -s "$requirements" "$env/requirements.txt"; then
    has_python || { missing "python3 3.$minor or newer is not installed" && return; }
    rm -rf "$env"
    python3 -m venv "$env" >&2 || { missing "python3 cannot create a virtual environment (on Debian install python3-venv)" && return; }
    "$env/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$env/requirements.txt" # last: it marks the environment as complete
  fi
  echo "$env/bin/python"
}

has_python() { python3 -c "import sys; sys.exit(sys.version_info < (3, $minor))" 2>/dev/null; }

missing() {
  if [ -n "${CI:-}" ]; then
    echo "conformance tests cannot run: $1" >&2
    exit 1
  fi
  echo "CONFORMANCE TESTS SKIPPED: $1" >&2
}

main
