#!/usr/bin/env bash
# Builds the operator's image and what a release has beside it, without Docker. Linux only; buildah is needed for the image.
#   hack/image.sh               target/image/rolewright.oci.tar, and what "binary" makes
#   hack/image.sh binary        target/image: rootfs/ with the binary, and rolewright.cdx.json, its SBOM
#   hack/image.sh rootfs DIR    only the files of the image, into DIR; the Dockerfile runs this
# ROLEWRIGHT_COMMIT is the commit that --version shows; without it, that of the checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
out=target/image
# The name in the chart.
name=ghcr.io/rolewright/rolewright

main() {
  [ "$(uname -s)" = Linux ] || die "it builds on Linux only: use docker build"
  case ${1:-image} in
    rootfs) rootfs "${2:?write hack/image.sh rootfs DIR}" ;;
    binary) binary ;;
    image) image ;;
    *) die "unknown argument: $1; write nothing, binary or rootfs DIR" ;;
  esac
}

# The binary without simulators, and what it reads: the public CA certificates. It needs no time zones: all times are UTC. Name
# resolution is in the static C library, and Kubernetes mounts /etc/hosts and /etc/resolv.conf.
rootfs() {
  local dir=$1 host binary headers
  hack/packages.sh readelf:binutils
  hack/tools.sh cargo-auditable
  host=$(rustc -vV | sed -n 's/^host: //p')
  # Some kernels for arm64 have pages of 64 KiB. jemalloc does not run with larger pages than it was built for.
  case $host in aarch64-*) export JEMALLOC_SYS_WITH_LG_PAGE=16 ;; esac
  # With --target, the flags do not apply to build scripts and procedural macros, which cannot be static.
  CARGO_ENCODED_RUSTFLAGS=-Ctarget-feature=+crt-static$'\x1f'--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo \
    PATH=$PWD/hack/bin:$PATH ROLEWRIGHT_COMMIT=${ROLEWRIGHT_COMMIT-$(commit)} \
    cargo auditable build --locked --release --no-default-features --package rolewright --bin rolewright --target "$host"
  binary=${CARGO_TARGET_DIR:-target}/$host/release/rolewright
  headers=$(readelf --program-headers "$binary")
  [[ $headers != *INTERP* ]] || die "$binary is not static"
  [ "$(grep -c 'BEGIN CERTIFICATE' /etc/ssl/certs/ca-certificates.crt)" -gt 50 ] || die "/etc/ssl/certs/ca-certificates.crt has too few CAs"
  rm -rf "$dir"
  install -D "$binary" "$dir/rolewright"
  install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$dir/etc/ssl/certs/ca-certificates.crt"
}

binary() {
  rootfs "$out/rootfs"
  hack/tools.sh auditable2cdx
  hack/bin/auditable2cdx "$out/rootfs/rolewright" >"$out/rolewright.cdx.json"
}

image() {
  hack/packages.sh buildah:buildah || die "without buildah, use docker build"
  binary
  # The storage has a place of its own: nothing is left in that of the user.
  local storage
  storage=$(mktemp -d)
  # shellcheck disable=SC2064  # the value of now
  trap "rm -rf '$storage'" EXIT
  mkdir "$storage/empty"
  rm -f "$out/rolewright.oci.tar"
  # The files and the image have fixed times, so that the same sources have the same digest.
  buildah --storage-driver vfs --root "$storage/root" --runroot "$storage/run" build --quiet --timestamp 0 \
    --build-context "build=$out" --tag "oci-archive:$out/rolewright.oci.tar:$name:$(version)" \
    --file Dockerfile "$storage/empty" >"$out/id"
  printf '%s: %s MiB, binary %s MiB\n' "$out/rolewright.oci.tar" \
    "$(mib "$out/rolewright.oci.tar")" "$(mib "$out/rootfs/rolewright")"
}

commit() { git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || true; }
version() { sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1; }
mib() { awk -v bytes="$(stat -c %s "$1")" 'BEGIN { printf "%.1f", bytes / 1048576 }'; }
die() { echo "hack/image.sh: $*" >&2 && exit 1; }

main "$@"
