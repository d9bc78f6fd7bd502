#!/usr/bin/env bash
# Puts the tools of the project into hack/bin.
#   hack/tools.sh                   those of the tests: the Kubernetes control plane, kubectl and Helm
#   hack/tools.sh NAME...           these only, for example etcd kube-apiserver kubectl
#   hack/tools.sh k8s-1.33          the control plane of another Kubernetes version, into hack/bin-1.33
# It downloads the binaries of the envtest project, and builds what it cannot download: with Go (hack/*/go.mod has the versions)
# or with Cargo (crate() has them). A cache (~/.cache/rolewright) keeps them for other checkouts. Binaries of Kubernetes that the
# directory KUBEBUILDER_ASSETS has are skipped (the envtest convention).
set -euo pipefail
cd "$(dirname "$0")"
export CGO_ENABLED=0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rolewright
mirror=${ROLEWRIGHT_ENVTEST_URL-https://github.com/kubernetes-sigs/controller-tools/releases/download}
control_plane=(etcd kube-apiserver kube-controller-manager kubectl)

main() {
  [ $# -gt 0 ] || set -- "${control_plane[@]}" helm
  local name missing=()
  for name in "$@"; do
    case $name in
      k8s-*) other_k8s "${name#k8s-}" ;;
      *) is_given "$name" || is_current "bin/$name" "$(version_of "$name" | hash)" || missing+=("$name") ;;
    esac
  done
  local place=0
  for name in ${missing[@]+"${missing[@]}"}; do
    place=$((place + 1))
    provide "$name" "$place of ${#missing[@]}"
  done
}

# What decides whether a binary is up to date, as text.
version_of() {
  case $1 in
    etcd | kube-apiserver | kubectl | kube-controller-manager | kube-scheduler | kubelet) cat envtest/* ;;
    helm) cat helm/go.* ;;
    pause) cat node/* ;;
    actionlint | crane | promtool) cat "$1"/go.* ;;
    cargo-* | auditable2cdx | mdbook) crate "$1" ;;
    *) die "unknown tool: $1; see the cases of version_of in hack/tools.sh" ;;
  esac
}

# The version of a program that Cargo builds.
crate() {
  case $1 in
    auditable2cdx) echo 0.1.0 ;;
    cargo-auditable) echo 0.7.7 ;;
    cargo-deny) echo 0.20.2 ;;
    mdbook) echo 0.5.4 ;; # themes and anchors differ between minor versions
    *) die "crate() in hack/tools.sh has no version of $1" ;;
  esac
}

# provide NAME PLACE: from the cache, else by a download, else by a build
provide() {
  local name=$1 place=$2 version stored new
  version=$(version_of "$name" | hash)
  stored=$cache/$name-$version
  if [ ! -x "$stored/$name" ]; then
    # Other checkouts can build the same at the same time.
    mkdir -p "$cache"
    new=$(mktemp -d "$cache/.new.XXXXXX")
    case $name in
      helm) go_build "$place" "$new" helm helm.sh/helm/v4/cmd/helm helm.sh/helm/v4 helm.sh/helm/v4/internal/version.version= ;;
      pause) go_build "$place" "$new" node . ;;
      actionlint) go_build "$place" "$new" actionlint github.com/rhysd/actionlint/cmd/actionlint ;;
      crane) go_build "$place" "$new" crane github.com/google/go-containerregistry/cmd/crane ;;
      promtool) go_build "$place" "$new" promtool github.com/prometheus/prometheus/cmd/promtool ;;
      mdbook) cargo_build "$place" "$new" mdbook --no-default-features --features search ;;
      cargo-* | auditable2cdx) cargo_build "$place" "$new" "$name" ;;
      *) prebuilt "$name" "$new" || k8s_build "$place" "$new" envtest "$name" ;;
    esac
    rm -rf "$stored" && mv "$new" "$stored"
  fi
  install_tool "$stored/$name" bin "$version"
}

install_tool() {
  mkdir -p "$2"
  ln -sf "$1" "$2/"
  echo "$3" >"$2/.${1##*/}.stamp"
}

# prebuilt NAME DIR: from the archive of the envtest project, if it has the binary and can be downloaded. Anything but the pinned
# checksum is an error. ROLEWRIGHT_ENVTEST_URL names a mirror; if it is empty, nothing is downloaded.
prebuilt() {
  case $1 in etcd | kube-apiserver | kubectl) ;; *) return 1 ;; esac
  local line file archive
  line=$(grep -- "-$(go_platform).tar.gz" envtest/prebuilt.sha512) || return 1
  file=${line##* }
  # Another minor version beside what is built from source would be a skew that Kubernetes does not support.
  [[ $(sed -n 's|^.*k8s.io/kubernetes v||p' envtest/go.mod) == "$(cut -d- -f2 <<<"$file" | sed 's/^v//; s/\.[0-9]*$//')".* ]] || return 1
  archive=$cache/$file
  if [ ! -e "$archive" ]; then
    [ -n "$mirror" ] && command -v curl >/dev/null || return 1
    echo "downloading $file" >&2
    curl --fail --silent --show-error --location --connect-timeout 5 --max-time 300 --output "$2/archive" \
      "$mirror/envtest-$(cut -d- -f2 <<<"$file")/$file" || { mirror="" && return 1; }
    mv "$2/archive" "$archive"
  fi
  (cd "$cache" && sha512_check <<<"$line") || { rm -f "$archive" && die "$file does not have the checksum of hack/envtest/prebuilt.sha512"; }
  tar -xzf "$archive" -C "$2" --strip-components=2 "controller-tools/envtest/$1"
}

# k8s_build PLACE DIR MODULE NAME
k8s_build() {
  local package=k8s.io/kubernetes/cmd/$4 version major minor _
  need_go
  version=$(module_version "$3" k8s.io/kubernetes)
  IFS=. read -r major minor _ <<<"${version#v}"
  # Without these flags the server reports a version that clients cannot parse.
  local flag="-X k8s.io/component-base/version.git"
  [ "$4" != etcd ] || package=go.etcd.io/etcd/server/v3
  with_progress "$1: building $4 (Kubernetes $version)" go build -C "$3" -trimpath -o "$2/$4" \
    -ldflags "-s -w ${flag}Version=$version ${flag}Major=$major ${flag}Minor=$minor" "$package"
}

# go_build PLACE DIR MODULE PACKAGE [VERSIONED-MODULE FLAG=]
go_build() {
  need_go
  local flags="-s -w" name=$3
  [ $# -lt 6 ] || flags="$flags -X $6$(module_version "$3" "$5")"
  [ "$3" != node ] || name=pause
  with_progress "$1: building $name" go build -C "$3" -trimpath -o "$2/$name" -ldflags "$flags" "$4"
}

# cargo_build PLACE DIR NAME [FLAGS...]: without optimization, because cargo-deny then needs two minutes instead of five
cargo_build() {
  local place=$1 dir=$2 name=$3
  shift 3
  with_progress "$place: building $name $(crate "$name")" env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=0 \
    cargo install --quiet --locked --debug --no-track --version "=$(crate "$name")" --root "$dir" "$name" "$@"
  mv "$dir/bin/$name" "$dir/"
}

other_k8s() {
  [[ $1 =~ ^1\.[0-9]+$ && ${1#1.} -ge 33 ]] ||
    die "\"$1\" is not a supported Kubernetes version: write 1.33 or newer, without a patch release"
  need_go
  local bin=bin-$1 release name
  release=$(go list -m -versions -f '{{range .Versions}}{{println .}}{{end}}' k8s.io/kubernetes |
    grep -E "^v${1/./\\.}\.[0-9]+$" | tail -n 1) || die "found no release of Kubernetes $1"
  grep -qswF "k8s.io/kubernetes $release" "$bin/module/go.mod" || derive_module "$release" "$bin/module"
  for name in "${control_plane[@]}"; do
    is_current "$bin/$name" "$release" && continue
    k8s_build "Kubernetes $1" "$PWD/$bin" "$bin/module" "$name"
    echo "$release" >"$bin/.$name.stamp"
  done
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
  # This adds what go.mod and go.sum lack.
  go list -C "$module.new" -mod=mod -deps go.etcd.io/etcd/server/v3 \
    k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kubectl} >/dev/null
  mv "$module.new" "$module"
}

# with_progress LABEL COMMAND...: runs the command, and shows how long it already takes
with_progress() {
  local label=$1 start=$SECONDS pid
  shift
  echo "$label; the first time this can take minutes" >&2
  "$@" &
  pid=$!
  # A build in the background does not see Ctrl-C.
  trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
  while sleep 1 && kill -0 $pid 2>/dev/null; do
    if [ -t 2 ]; then
      printf '\r  %s s ' $((SECONDS - start)) >&2
    elif [ $(((SECONDS - start) % 30)) = 0 ]; then
      printf '  %s s\n' $((SECONDS - start)) >&2
    fi
  done
  [ ! -t 2 ] || printf '\r' >&2
  wait $pid
  trap - INT TERM
}

# A stamp says which version a binary has.
is_current() { [ -x "$1" ] && [ "$(cat "${1%/*}/.${1##*/}.stamp" 2>/dev/null)" = "$2" ]; }
is_given() {
  case $1 in etcd | kube*) [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$1" ] ;; *) false ;; esac
}
hash() { cat - <(uname -sm) | cksum | tr -d ' '; }
sha512_check() { if command -v sha512sum >/dev/null; then sha512sum --check --status; else shasum -a 512 --check --status; fi; }
go_platform() { echo "$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')"; }
module_version() { go list -C "$1" -m -f '{{.Version}}' "$2"; }
need_go() {
  command -v go >/dev/null ||
    die "no Go toolchain. Install Go $(sed -n 's/^go //p' envtest/go.mod) or newer, or set KUBEBUILDER_ASSETS (for Kubernetes only)."
}
die() { echo "hack/tools.sh: $*" >&2 && exit 1; }

main "$@"
