#!/usr/bin/env bash
# Builds what tests and the demo need into hack/bin: a Kubernetes control plane with kubectl (k8s) and Helm (helm).
#   hack/tools.sh [k8s] [helm]      both, if none is named
# Needs Go. Versions are those of hack/envtest/go.mod and hack/helm/go.mod; what is built and current is left alone.
# Binaries that the directory KUBEBUILDER_ASSETS has (the envtest convention) are not built.
set -euo pipefail
cd "$(dirname "$0")"
export CGO_ENABLED=0
bin=$PWD/bin

main() {
  [ $# -gt 0 ] || set -- k8s helm
  mkdir -p "$bin"
  for what in "$@"; do
    case $what in
      k8s | helm) "$what" ;;
      *) die "unknown: $what (k8s, helm)" ;;
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
  # Without its version the server reports one that clients cannot parse.
  local flag="-X k8s.io/component-base/version.git"
  local packages=()
  for name in "${stale[@]}"; do
    case $name in
      etcd) packages+=(go.etcd.io/etcd/server/v3) ;;
      *) packages+=("k8s.io/kubernetes/cmd/$name") ;;
    esac
  done
  echo "building ${stale[*]} (Kubernetes $version): minutes the first time" >&2
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

# A stamp is the very go.mod and go.sum that a binary was built from.
is_current() { [ -x "$bin/$1" ] && cat "$2/go.mod" "$2/go.sum" | cmp -s - "$bin/.$1.stamp"; }
stamp() { cat "$2/go.mod" "$2/go.sum" >"$bin/.$1.stamp"; }
is_given() { [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$1" ]; }
module_version() { go list -C "$1" -m -f '{{.Version}}' "$2"; }
need_go() {
  command -v go >/dev/null ||
    die "no Go toolchain. Install Go $(sed -n 's/^go //p' envtest/go.mod) or newer, or set KUBEBUILDER_ASSETS (which helps with k8s only)."
}
die() { echo "hack/tools.sh: $*" >&2 && exit 1; }

main "$@"
