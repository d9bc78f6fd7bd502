#!/usr/bin/env bash
# Builds the tools of the tests and the demo into hack/bin: a Kubernetes control plane with kubectl (k8s) and Helm (helm).
#   hack/tools.sh [k8s] [helm]      both by default
#   hack/tools.sh k8s-1.33          the control plane of another Kubernetes version, into hack/bin-1.33
#   hack/tools.sh NAME              a tool of one command: actionlint, cargo-deny, crane or mdbook
# Needs Go. hack/envtest/go.mod and hack/helm/go.mod have the versions; k8s-1.33 is the newest patch release. Skips binaries that
# are up to date. k8s also skips those in the directory KUBEBUILDER_ASSETS (the envtest convention).
set -euo pipefail
cd "$(dirname "$0")"
export CGO_ENABLED=0
control_plane=(kube-apiserver kube-controller-manager kubectl etcd)
cargo_deny=0.20.2
mdbook=0.5.4 # themes and anchors differ between minor versions

main() {
  [ $# -gt 0 ] || set -- k8s helm
  for tool in "$@"; do
    case $tool in
      k8s | helm) "$tool" ;;
      actionlint) go_tool actionlint github.com/rhysd/actionlint/cmd/actionlint ;;
      crane) go_tool crane github.com/google/go-containerregistry/cmd/crane ;;
      cargo-deny) cargo_tool cargo-deny "$cargo_deny" ;;
      mdbook) cargo_tool mdbook "$mdbook" --no-default-features --features search ;;
      k8s-*) other_k8s "${tool#k8s-}" ;;
      *) die "unknown tool: $tool; the first lines of hack/tools.sh list them" ;;
    esac
  done
}

k8s() {
  local missing=()
  for name in "${control_plane[@]}"; do
    is_given "$name" || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] || build_k8s envtest bin "${missing[@]}"
}

other_k8s() {
  [[ $1 =~ ^1\.[0-9]+$ && ${1#1.} -ge 33 ]] ||
    die "\"$1\" is not a supported Kubernetes version: write 1.33 or newer, without a patch release"
  need_go
  local bin=bin-$1 release
  release=$(go list -m -versions -f '{{range .Versions}}{{println .}}{{end}}' k8s.io/kubernetes |
    grep -E "^v${1/./\\.}\.[0-9]+$" | tail -n 1) || die "found no release of Kubernetes $1"
  grep -qswF "k8s.io/kubernetes $release" "$bin/module/go.mod" || derive_module "$release" "$bin/module"
  build_k8s "$bin/module" "$bin" "${control_plane[@]}"
}

# Writes a module with the versions of all dependencies, also of etcd, that a Kubernetes release uses.
derive_module() {
  local release=$1 module=$2 source
  echo "resolving Kubernetes $release" >&2
  source=$(go mod download -json "k8s.io/kubernetes@$release" | sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p')
  # An interrupted run must not leave a half module.
  rm -rf "$module" "$module.new"
  mkdir -p "$module.new"
  # In its go.mod, the modules that Kubernetes publishes with each release are folders.
  sed -e 's|^module .*|module rolewright.dev/hack/envtest|' \
    -e "s|=> \./staging/src/\(.*\)|=> \1 v0.${release#v1.}|" "$source/go.mod" >"$module.new/go.mod"
  cat "$source/go.sum" >"$module.new/go.sum"
  go mod edit -require="k8s.io/kubernetes@$release" "$module.new/go.mod"
  local packages=()
  for name in "${control_plane[@]}"; do packages+=("$(package "$name")"); done
  go list -C "$module.new" -mod=mod -deps "${packages[@]}" >/dev/null # adds what go.mod and go.sum lack
  mv "$module.new" "$module"
}

# Builds those of the named binaries that are not up to date.
build_k8s() {
  local module=$1 bin=$2 stale=() packages=()
  shift 2
  for name in "$@"; do
    if ! is_current "$bin/$name" "$module"; then
      stale+=("$name")
      packages+=("$(package "$name")")
    fi
  done
  [ ${#stale[@]} -gt 0 ] || return 0

  need_go
  local version major minor rest
  version=$(module_version "$module" k8s.io/kubernetes)
  IFS=. read -r major minor rest <<<"${version#v}"
  # Without these flags the server reports a version that clients cannot parse.
  local flag="-X k8s.io/component-base/version.git"
  echo "building ${stale[*]} (Kubernetes $version); the first time this takes minutes" >&2
  mkdir -p "$bin"
  go build -C "$module" -trimpath -o "$PWD/$bin/" \
    -ldflags "-s -w ${flag}Version=$version ${flag}Major=$major ${flag}Minor=$minor" "${packages[@]}"
  [ ! -e "$bin/server" ] || mv "$bin/server" "$bin/etcd" # Go names a binary after its package's directory
  for name in "${stale[@]}"; do stamp "$bin/$name" "$module"; done
}

package() {
  case $1 in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    *) echo "k8s.io/kubernetes/cmd/$1" ;;
  esac
}

helm() {
  ! is_current bin/helm helm || return 0
  need_go
  local version
  version=$(module_version helm helm.sh/helm/v4)
  echo "building helm $version" >&2
  mkdir -p bin
  go build -C helm -trimpath -o "$PWD/bin/" \
    -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=$version" helm.sh/helm/v4/cmd/helm
  stamp bin/helm helm
}

# Builds the package of a program from the folder of this name, which has its version.
go_tool() {
  ! is_current "bin/$1" "$1" || return 0
  need_go
  echo "building $1" >&2
  mkdir -p bin
  go build -C "$1" -trimpath -o "$PWD/bin/" -ldflags "-s -w" "$2"
  stamp "bin/$1" "$1"
}

# Builds a version of a program from crates.io. Without optimization, because cargo-deny then needs two minutes instead of five.
cargo_tool() {
  local name=$1 version=$2
  shift 2
  [ ! -x "bin/$name" ] || [ "$(cat "$(stamp_of "bin/$name")" 2>/dev/null)" != "$version" ] || return 0
  echo "building $name $version; this takes minutes" >&2
  CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug --no-track --force --root "$PWD/bin/cargo" \
    --version "=$version" "$name" "$@"
  mv "bin/cargo/bin/$name" "bin/$name"
  echo "$version" >"$(stamp_of "bin/$name")"
}

# A stamp is a copy of the go.mod and go.sum that a binary was built from.
is_current() { [ -x "$1" ] && cat "$2/go.mod" "$2/go.sum" | cmp -s - "$(stamp_of "$1")"; }
stamp() { cat "$2/go.mod" "$2/go.sum" >"$(stamp_of "$1")"; }
stamp_of() { echo "${1%/*}/.${1##*/}.stamp"; }
is_given() { [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$1" ]; }
module_version() { go list -C "$1" -m -f '{{.Version}}' "$2"; }
need_go() {
  command -v go >/dev/null ||
    die "no Go toolchain. Install Go $(sed -n 's/^go //p' envtest/go.mod) or newer, or set KUBEBUILDER_ASSETS (for k8s only)."
}
die() { echo "hack/tools.sh: $*" >&2 && exit 1; }

main "$@"
