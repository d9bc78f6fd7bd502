#!/usr/bin/env bash
# Checks the dependencies by the rules in deny.toml: licences, sources, bans, and advisories of RustSec.
#   hack/deny.sh              without the database of advisories, it reports that and skips that part
#   ADVISORIES=required       without the database, it fails
set -euo pipefail
cd "$(dirname "$0")/.."
hack/tools.sh cargo-deny

mkdir -p target

deny() { hack/bin/cargo-deny --log-level warn "$@"; }

# A warning is an error: it names an exception that nothing needs any more.
deny check --deny warnings bans licenses sources
if deny fetch db 2>target/deny-fetch.log; then
  deny check advisories
elif [ "${ADVISORIES:-}" = required ]; then
  cat target/deny-fetch.log >&2
  echo "hack/deny.sh: cannot fetch the database of advisories" >&2
  exit 1
else
  echo "ADVISORIES SKIPPED: cannot fetch the database from github.com/RustSec/advisory-db" >&2
fi
