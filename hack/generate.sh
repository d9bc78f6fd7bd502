#!/usr/bin/env bash
# Generates files from the code: the CRDs, the chart's copies of them, the JSON Schemas, the field reference
# and the table of versions.
#   hack/generate.sh           writes them
#   hack/generate.sh --check   writes them, shows the differences, and fails if there are any
set -euo pipefail
cd "$(dirname "$0")/.."
generated=(crds charts/rolewright/files/crds schemas/rolewright.dev docs/reference)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

generate() {
  # Generate into a scratch directory first: a failure deletes nothing, and the file of a removed kind does not stay.
  cargo run --quiet -- crds --dir "$scratch/crds"
  cargo run --quiet -- crds --json-schema --dir "$scratch/schemas"
  cargo run --quiet -- docs --dir "$scratch/reference"
  hack/versions.sh >"$scratch/reference/versions.md"
  put crds crds
  put crds charts/rolewright/files/crds
  put schemas schemas/rolewright.dev
  put reference docs/reference
}

put() {
  rm -rf "$2" && mkdir -p "$2"
  cp "$scratch/$1"/* "$2/"
}

check() {
  for dir in "${generated[@]}"; do
    mkdir -p "$dir" "$scratch/before/$dir"
    cp -R "$dir/." "$scratch/before/$dir/"
  done
  generate
  local stale=0
  for dir in "${generated[@]}"; do diff -ruN "$scratch/before/$dir" "$dir" || stale=1; done
  [ $stale = 0 ] || { echo "Generated files were stale. They are up to date now: commit them." >&2 && return 1; }
}

case ${1:-} in
  '') generate ;;
  --check) check ;;
  *) echo "usage: hack/generate.sh [--check]" >&2 && exit 2 ;;
esac
