#!/usr/bin/env bash
# Writes all files that are made from the code.
#   hack/generate.sh           writes them
#   hack/generate.sh --check   writes them, shows what changed by that, and fails if anything did
set -euo pipefail
cd "$(dirname "$0")/.."
generated=(crds charts/rolewright/files/crds docs/reference)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

generate() {
  # Made aside and put in place whole: a failure takes nothing away, and a kind that is gone leaves no file behind.
  cargo run --quiet -- crds --dir "$scratch/crds"
  cargo run --quiet -- docs --dir "$scratch/reference"
  put crds crds
  put crds charts/rolewright/files/crds
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
  [ $stale = 0 ] || { echo "Generated files were stale and have just been written anew: commit them." >&2 && return 1; }
}

case ${1:-} in
  '') generate ;;
  --check) check ;;
  *) echo "usage: hack/generate.sh [--check]" >&2 && exit 2 ;;
esac
