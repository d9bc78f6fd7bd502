#!/usr/bin/env bash
# Prints the annotations of the chart that Artifact Hub shows and that have another source: the CRDs, examples of them, the changes of
# this version and its image. `make chart` adds them to the packaged chart, so that they are never stale and never written twice.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version: //p' charts/rolewright/Chart.yaml)
release=$version
grep -qF "## [$version]" CHANGELOG.md || release=Unreleased

main() {
  echo "  artifacthub.io/prerelease: \"$([[ $version == *-* ]] && echo true || echo false)\""
  echo '  artifacthub.io/images: |'
  printf '    - name: rolewright\n      image: %s:%s\n      platforms: [linux/amd64, linux/arm64]\n' \
    "$(sed -n 's/^  repository: //p' charts/rolewright/values.yaml | head -n 1)" "$version"
  echo '  artifacthub.io/crds: |'
  for crd in crds/*.yaml; do crd "$crd"; done
  echo '  artifacthub.io/crdsExamples: |'
  for example in examples/grafana/*.yaml; do example "$example"; done
  echo '  artifacthub.io/changes: |'
  changes
}

# The first version's description is the only line with this indentation. Quotes in YAML and in this list are the same.
crd() {
  awk '
    /^  name: / { name = $2 }
    /^    kind: / { kind = display = $2 }
    /^    name: v[0-9]/ { version = $2 }
    /^        description: / && description == "" { sub(/^        description: /, ""); description = $0 }
    END {
      # RoleBinding becomes Role Binding.
      while (match(display, /[a-z][A-Z]/)) display = substr(display, 1, RSTART) " " substr(display, RSTART + 1)
      printf "    - kind: %s\n      version: %s\n      name: %s\n      displayName: %s\n      description: %s\n", \
        kind, version, name, display, description
    }
  ' "$1"
}

# An example as an element of a list, without its comments.
example() { grep -vE '^ *(#|$)' "$1" | sed '1s/^/    - /; 2,$s/^/      /'; }

# The entries of the changelog. The headings of Keep a Changelog are the kinds of Artifact Hub.
changes() {
  hack/release.sh notes "$release" | awk '
    /^### / { kind = tolower($2) }
    kind != "" && sub(/^- /, "") {
      gsub(/\047/, "&&")
      printf "    - kind: %s\n      description: \047%s\047\n", kind, $0
    }
  '
}

main
