#!/usr/bin/env bash
# The steps of a release. .github/workflows/release.yaml runs them for a tag; CONTRIBUTING.md describes a release.
#   hack/release.sh check [VERSION]   the version is the same everywhere; with VERSION, everything is ready for that release
#   hack/release.sh notes VERSION     prints the section of CHANGELOG.md; Unreleased is a version too
#   hack/release.sh chart             packages the chart into target/dist, with metadata for Artifact Hub
#   hack/release.sh files             packs the binary of this machine and its SBOM into target/dist
#   hack/release.sh publish           pushes the images below target/release and the chart of target/dist to REGISTRY
set -euo pipefail
cd "$(dirname "$0")/.."
dist=target/dist
repository=https://github.com/rolewright/rolewright
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
problems=0

check() {
  local wanted=${1:-}
  same "version in charts/rolewright/Chart.yaml" "$(chart_field version)"
  same "appVersion in charts/rolewright/Chart.yaml" "$(chart_field appVersion)"
  same "version of rolewright in Cargo.lock" "$(sed -n '/^name = "rolewright"$/{n;s/^version = "\(.*\)"/\1/p;}' Cargo.lock)"
  [ -n "$(section Unreleased)$(section "$version")" ] || problem "CHANGELOG.md has no section $version, and none for what is not released"
  [ -z "$wanted" ] || ready "$wanted"
  [ $problems = 0 ] || exit 1
  echo "release: $version is the version in Cargo.toml, Cargo.lock and Chart.yaml${wanted:+, and everything is ready for it}"
}

# What only a release needs.
ready() {
  [ "$1" = "$version" ] || problem "the release is $1, but the version in Cargo.toml is $version"
  grep -qE "^## \[${version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md ||
    problem "CHANGELOG.md has no heading \"## [$version] - YYYY-MM-DD\""
  [ -n "$(section "$version")" ] || problem "the section $version of CHANGELOG.md is empty"
  [ -z "$(section Unreleased)" ] || problem "CHANGELOG.md has entries that are not released: move them to $version"
  local stale
  stale=$(grep -rliE 'not published yet|nor image is published' README.md docs charts/rolewright/README.md || true)
  [ -z "$stale" ] || problem "these pages say that the release does not exist: $(tr '\n' ' ' <<<"$stale")"
}

same() { [ "$2" = "$version" ] || problem "$1 is \"$2\", but the version in Cargo.toml is $version"; }
problem() {
  echo "hack/release.sh: $1" >&2
  problems=$((problems + 1))
}
chart_field() { sed -n "s/^$1: \"\{0,1\}\([^\"]*\)\"\{0,1\}$/\1/p" charts/rolewright/Chart.yaml; }

# A section of CHANGELOG.md without its heading and without blank lines at its ends.
section() {
  awk -v heading="## [$1]" '
    index($0, "## ") == 1 { inside = index($0, heading) == 1; next }
    inside && /^\[[^]]*\]: / { next }
    inside && (started || NF) { started = 1; blank = NF ? "" : blank "\n"; if (NF) printf "%s%s\n", pending, $0; pending = blank }
  ' CHANGELOG.md
}

# Joins the lines of each paragraph: GitHub shows a line break in release notes as one.
notes() {
  local text
  text=$(section "$1")
  [ -n "$text" ] || die "CHANGELOG.md has no section $1"
  awk '
    /^ *[-*] / || /^#/ || !NF { if (text != "") print text; text = "" }
    /^#/ || !NF { print; next }
    { if (text != "") sub(/^ +/, " "); text = text $0 }
    END { if (text != "") print text }
  ' <<<"$text"
  [ "$1" = Unreleased ] ||
    printf '\n[Verify this release](%s/blob/v%s/docs/verifying.md) before you install it. [What it supports](%s/blob/v%s/docs/support.md).\n' \
      "$repository" "$1" "$repository" "$1"
}

chart() {
  local staged=target/chart/rolewright
  hack/tools.sh helm
  rm -rf "$staged"
  mkdir -p "$staged" "$dist"
  cp -R charts/rolewright/. "$staged"
  hack/chart-metadata.sh >>"$staged/Chart.yaml"
  hack/bin/helm package "$staged" --destination "$dist"
}

files() {
  local arch name sbom binary=target/image/rootfs/rolewright
  [ -x "$binary" ] || die "$binary does not exist: run make binary"
  case $(uname -m) in x86_64) arch=amd64 ;; aarch64 | arm64) arch=arm64 ;; *) die "no release for $(uname -m)" ;; esac
  sbom=$(find target/image -maxdepth 1 -name '*.cdx.json')
  [ -f "$sbom" ] || die "target/image must have one SBOM, a file that ends with .cdx.json: run make binary"
  name=rolewright-$version-linux-$arch
  mkdir -p "$dist"
  cp "$sbom" "$dist/$name.cdx.json"
  # The same names, owners and times in each build.
  tar --create --gzip --file "$dist/$name.tar.gz" --owner 0 --group 0 --numeric-owner --mtime '2000-01-01 00:00Z' \
    --directory "$(dirname "$binary")" rolewright --directory "$PWD" LICENSE
  echo "$dist/$name.tar.gz"
}

# Pushes one image for each folder of target/release, such as target/release/amd64/rolewright.oci.tar, and an index of them. The
# outputs are references with digests, in target/release/references.
publish() {
  local image=${REGISTRY:?REGISTRY is not set: write for example REGISTRY=ghcr.io/rolewright}/rolewright
  local references=$PWD/target/release/references manifests=() archive arch digest plain=()
  [ -z "${PLAIN_HTTP:-}" ] || plain=(--plain-http)
  hack/tools.sh crane helm
  : >"$references"
  for archive in target/release/*/rolewright.oci.tar; do
    [ -f "$archive" ] || die "target/release has no image"
    arch=$(basename "$(dirname "$archive")")
    digest=$(push_image "$archive" "$image:$version-$arch")
    manifests+=(--manifest "$image@$digest")
    echo "image_$arch=$digest" >>"$references"
  done
  crane index append "${manifests[@]}" --tag "$image:$version" >&2
  digest=$(crane digest "$image:$version")
  echo "image=$digest" >>"$references"
  digest=$(hack/bin/helm push "${plain[@]}" "$dist/rolewright-$version.tgz" "oci://$REGISTRY/charts" 2>&1 | tee /dev/stderr | sed -n 's/^Digest: //p')
  [ -n "$digest" ] || die "helm reported no digest"
  echo "chart=$digest" >>"$references"
  (cd "$dist" && sha256sum -- *.tar.gz *.tgz *.cdx.json >checksums.txt)
}

push_image() {
  local layout
  layout=$(mktemp -d)
  tar -xf "$1" -C "$layout"
  crane push "$layout" "$2" >&2
  rm -rf "$layout"
  crane digest "$2"
}

crane() { hack/bin/crane ${PLAIN_HTTP:+--insecure} "$@"; }
die() { echo "hack/release.sh: $*" >&2 && exit 1; }

case ${1:-} in
  check | notes | chart | files | publish) "$@" ;;
  *) die "write check, notes, chart, files or publish" ;;
esac
