#!/usr/bin/env bash
# Checks hack/release.sh: in a copy of the files that it reads, it makes a release into a registry on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
# The scripts of a release run on Linux only: they need GNU tar.
[ "$(uname -s)" = Linux ] || { echo "SKIPPED hack/check-release.sh: not on Linux" && exit 0; }
hack/tools.sh crane helm
work=$(mktemp -d)
registry=
trap '[ -z "$registry" ] || kill "$registry" 2>/dev/null || true; rm -rf "$work"' EXIT

cp -R Cargo.toml Cargo.lock CHANGELOG.md LICENSE README.md charts crds docs examples "$work"
mkdir "$work/hack"
cp hack/release.sh hack/chart-metadata.sh hack/tools.sh "$work/hack"
for folder in bin crane helm; do ln -s "$PWD/hack/$folder" "$work/hack/$folder"; done
crane=$PWD/hack/bin/crane helm=$PWD/hack/bin/helm
hack/release.sh check
cd "$work"
version=$(sed -n 's/^version: //p' charts/rolewright/Chart.yaml)

fail() { echo "FAIL $*" >&2 && exit 1; }

# The check fails with these words.
refused() {
  local words=$1
  shift
  ! hack/release.sh check "$@" >output 2>&1 || fail "accepted, instead of: $words"
  grep -qF -- "$words" output || { cat output >&2 && fail "refused without the words: $words"; }
}

echo "== a release that is not ready"
printf '# Changelog\n\n## [Unreleased]\n\n- One.\n' >CHANGELOG.md
refused "CHANGELOG.md has no heading \"## [$version] - YYYY-MM-DD\"" "$version"
refused "CHANGELOG.md has entries that are not released" "$version"
refused "the release is 9.9.9, but the version in Cargo.toml is $version" 9.9.9
cp charts/rolewright/Chart.yaml Chart.yaml
sed 's/^appVersion: .*/appVersion: "9.9.9"/' Chart.yaml >charts/rolewright/Chart.yaml
refused "appVersion in charts/rolewright/Chart.yaml is \"9.9.9\""
mv Chart.yaml charts/rolewright/Chart.yaml
echo 'Neither chart nor image is published yet.' >>README.md
refused "these pages say that the release does not exist: README.md" "$version"

echo "== a release that is ready"
printf '# Changelog\n\n## [Unreleased]\n\n## [%s] - 2026-01-31\n\n### Added\n\n- One\n  and two.\n\n## [0.0.1] - 2026-01-01\n\n- Old.\n' "$version" >CHANGELOG.md
sed -i '/published yet/d' README.md charts/rolewright/README.md
hack/release.sh check "$version"
hack/release.sh notes "$version" >printed
diff <(head -n 3 printed) - <<<$'### Added\n\n- One and two.' || fail "the notes differ"
! grep -q Old printed || fail "the notes have a section of another version"

echo "== publishing"
: >registry.log
"$crane" registry serve --address 127.0.0.1:0 >registry.log 2>&1 &
registry=$!
for _ in $(seq 100); do ! grep -q 'serving on port' registry.log || break && sleep 0.1; done
port=$(sed -n 's/.*serving on port \([0-9]*\).*/\1/p' registry.log)
export REGISTRY=127.0.0.1:$port PLAIN_HTTP=1
mkdir -p target/image/rootfs
printf '#!/bin/sh\n' >target/image/rootfs/rolewright
chmod +x target/image/rootfs/rolewright
echo '{}' >target/image/rolewright.cdx.json
tar -cf layer.tar -C target/image/rootfs rolewright
for arch in amd64 arm64; do
  "$crane" --insecure append --oci-empty-base --platform "linux/$arch" --new_layer layer.tar --new_tag "$REGISTRY/built:$arch" >>registry.log 2>&1
  "$crane" --insecure mutate --set-platform "linux/$arch" --tag "$REGISTRY/built:$arch" "$REGISTRY/built:$arch" >>registry.log 2>&1
  "$crane" --insecure pull --format oci "$REGISTRY/built:$arch" "layout-$arch"
  mkdir -p "target/release/$arch"
  tar -cf "target/release/$arch/rolewright.oci.tar" -C "layout-$arch" .
done
hack/release.sh files >/dev/null
hack/release.sh chart >/dev/null
hack/release.sh publish >publish.log 2>&1 || { cat publish.log >&2 && fail publish; }
platforms=$("$crane" --insecure manifest "$REGISTRY/rolewright:$version" | tr -d ' \n' | grep -o '"architecture":"[a-z0-9]*"' | cut -d'"' -f4 | tr '\n' ' ')
[ "$platforms" = "amd64 arm64 " ] || fail "the image has the platforms $platforms"
for name in image image_amd64 image_arm64 chart; do
  grep -qE "^$name=sha256:[0-9a-f]{64}$" target/release/references || fail "no reference to $name"
done
mkdir pulled
"$helm" pull --plain-http "oci://$REGISTRY/charts/rolewright" --version "$version" --destination pulled >>publish.log
tar -xOf pulled/*.tgz rolewright/Chart.yaml | grep -qF "description: 'One and two.'" || fail "the chart has no changes"
cmp pulled/*.tgz "target/dist/rolewright-$version.tgz" || fail "the pulled chart differs"
(cd target/dist && sha256sum --quiet --check checksums.txt)
[ "$(wc -l <target/dist/checksums.txt)" = 3 ] || fail "checksums of other files than the chart, the binary and its SBOM"
tar -tzf target/dist/*.tar.gz | tr '\n' ' ' | grep -qx 'rolewright LICENSE ' || fail "the archive must have the binary and the licence"
echo "release: all checks passed"
