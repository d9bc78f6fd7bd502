#!/usr/bin/env bash
# Prints the page of versions, docs/reference/versions.md. Each version is read from the file that the tests use.
set -euo pipefail
cd "$(dirname "$0")/.."

main() {
  local text
  text=$(page)
  [[ $text != *MISSING* ]] || exit 1
  echo "$text"
}

page() {
  cat <<PAGE
<!-- Written by hack/versions.sh. Do not edit. -->

# Versions

| | supported | tested with |
|---|---|---|
| Kubernetes | $(kubernetes) or newer | $(minor "$(module envtest k8s.io/kubernetes)") |
| Helm | $(found 's/^It needs Helm \(.*\), and Kubernetes .*/\1/p' charts/rolewright/README.md) | $(module helm helm.sh/helm/v4) |
| [Arize AX](../arize.md) | $(contract arize) | its simulator; \`arize\` $(client '' arize) |
| [Grafana](../grafana.md) | $(contract grafana) | its simulator; $(grafana_clients) |
| [Lenses HQ](../lenses.md) | $(contract lenses) | its simulator; \`lenses-mcp\` $(client lenses- iflow-mcp_lensesio-lenses-mcp) |
| [ZenML Pro](../zenml.md) | $(contract zenml) | its simulator; \`zenml\` $(client zenml- zenml) |
| Rust, to build it | $(found 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml) or newer | |

The simulators follow the [contracts](../contracts), which name the source of each fact. The clients are published by the vendors or by others,
and run against the simulators.
PAGE
}

kubernetes() { found 's/^kubeVersion: ">=\([0-9]*\.[0-9]*\)\..*"$/\1/p' charts/rolewright/Chart.yaml; }
contract() { found 's/^Versions: \(.*\)\.$/\1/p' "docs/contracts/$1.md"; }
# The downloaded binaries and those from source can be of different patch releases.
minor() { echo "${1%.*}"; }
module() { found "s|^[[:space:]]*$2 v\([^ ]*\).*|\1|p" "hack/$1/go.mod"; }
client() { found "s/^$2==\(.*\)$/\1/p" "tests/conformance/$1requirements.txt"; }
grafana_clients() {
  echo "\`grafana-api-sdk\` $(client '' grafana-api-sdk), \`grafana-client\` $(client '' grafana-client)," \
    "the crate \`grafana\` $(found 's/^grafana = { version = "\([^"]*\)".*/\1/p' Cargo.toml)," \
    "\`grafana-openapi-client-go\` of $(date_of "$(found 's|^.*/grafana-openapi-client-go v[0-9.]*-\([0-9]*\)-.*|\1|p' tests/conformance/grafana_go/go.mod)")"
}
date_of() { echo "${1:0:4}-${1:4:2}-${1:6:2}"; }

# The first match of a sed script in a file.
found() {
  local text
  text=$(sed -n "$1" "$2" | head -n 1)
  [ -n "$text" ] || echo "hack/versions.sh: found no version in $2 with $1" >&2
  echo "${text:-MISSING}"
}

main
