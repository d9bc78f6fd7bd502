#!/usr/bin/env bash
# Builds the tools of the tests and the demo into hack/bin: a Kubernetes control plane with kubectl (k8s) and Helm (helm).
#   hack/tools.sh [k8s] [helm]      both by default
# Needs Go. hack/envtest/go.mod and hack/helm/go.mod have the versions. Skips binaries that are up to date, and those in the
# directory KUBEBUILDER_ASSETS (the envtest convention).
set -euo pipefail
cd "$(dirname "$0")"
export CGO_ENABLED=0
bin=$PWD/bin

main() {
  [ $# -gt 0 ] || set -- k8s helm
  mkdir -p "$bin"
  for tool in "$@"; do
    case $tool in
      k8s | helm) "$tool" ;;
      *) die "unknown tool: $tool; write k8s or helm" ;;
    esac
  done
}

k8s() {
  local stale=()
  for name in kube-apiserver kube-controller-manager kubectl etcd; do
    { is_given "$name" || is_current "$name" envtest; } || stale+=("$name")
  done
  [ ${#stale[@]} -gt 0 ] || return 0

  need_go
  local version major minor rest
  version=$(module_version envtest k8s.io/kubernetes)
  IFS=. read -r major minor rest <<<"${version#v}"
  # Without these flags the server reports a version that clients cannot parse.
  local flag="-X k8s.io/component-base/version.git"
  local packages=()
  for name in "${stale[@]}"; do
    case $name in
      etcd) packages+=(go.etcd.io/etcd/server/v3) ;;
      *) packages+=("k8s.io/kubernetes/cmd/$name") ;;
    esac
  done
  echo "building ${stale[*]} (Kubernetes $version); the first time this takes minutes" >&2
  go build -C envtest -trimpath -o "$bin/" \
    -ldflags "-s -w ${flag}Version=$version ${flag}Major=$major ${flag}Minor=$minor" "${packages[@]}"
  [ ! -e "$bin/server" ] || mv "$bin/server" "$bin/etcd" # Go names a binary after its package's directory
  for name in "${stale[@]}"; do stamp "$name" envtest; done
}

helm() {
  ! is_current helm helm || return 0
  need_go
  local version
  version=$(module_version helm helm.sh/helm/v4)
  echo "building helm $version" >&2
  go build -C helm -trimpath -o "$bin/" \
    -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=$version" helm.sh/helm/v4/cmd/helm
  stamp helm helm
}

# A stamp is a copy of the go.mod and go.sum that a binary was built from.
is_current() { [ -x "$bin/$1" ] && cat "$2/go.mod" "$2/go.sum" | cmp -s - "$bin/.$1.stamp"; }
stamp() { cat "$2/go.mod" "$2/go.sum" >"$bin/.$1.stamp"; }
is_given() { [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$1" ]; }
module_version() { go list -C "$1" -m -f '{{.Version}}' "$2"; }
need_go() {
  command -v go >/dev/null ||
    die "no Go toolchain. Install Go $(sed -n 's/^go //p' envtest/go.mod) or newer, or set KUBEBUILDER_ASSETS (for k8s only)."
}
die() { echo "hack/tools.sh: $*" >&2 && exit 1; }

main "$@"
