#!/usr/bin/env bash
# Installs the image and the chart in a real one-node cluster: control plane, kubelet, scheduler and containerd, without Docker and
# without a network. It needs root on Linux. On Debian it installs the packages that are missing; elsewhere it names them.
#   hack/test-install.sh        after make image
set -euo pipefail
cd "$(dirname "$0")/.."
image=target/image/rolewright.oci.tar

# The addresses of the test, and empty folders where containerd, CNI and kubelet write beside their own ones.
prepare='
ip link set lo up
for host in 1 2 10 20; do ip address add "10.0.0.$host/32" dev lo; done
for folder in /run/containerd /run/netns /var/lib/cni /var/log/containers /opt/containerd; do
  mkdir -p "$folder" && mount -t tmpfs tmpfs "$folder"
done'

main() {
  [ "$(uname -s)" = Linux ] || die "it needs Linux; docs/development.md describes kind"
  [ "$(id -u)" = 0 ] || die "it needs root, because it starts containers: sudo make test-install"
  hack/packages.sh buildah:buildah conntrack:conntrack containerd:containerd ip:iproute2 iptables:iptables runc:runc \
    /usr/lib/cni/ptp:containernetworking-plugins
  [ -e "$image" ] || die "$image does not exist: run make image"
  hack/tools.sh etcd kube-apiserver kube-controller-manager kubectl kube-scheduler kubelet helm pause
  pause_image
  cargo build --quiet --test install
  # Interfaces, mounts and processes end with the namespaces, however the test ends. bash stays the first process there, because
  # cargo would not react to Ctrl-C as the first one; "&& true" prevents that bash replaces itself by cargo.
  unshare --net --mount --pid --fork --kill-child --mount-proc -- \
    bash -euc "$prepare"'; "$@" && true' -- \
    cargo test --quiet --test install -- "$image"
}

# The image of the first process of each pod, in the same way as the operator's.
pause_image() {
  local storage
  storage=$(mktemp -d)
  # shellcheck disable=SC2064  # the value of now
  trap "rm -rf '$storage'" EXIT
  cp -L hack/bin/pause "$storage/pause"
  printf 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n' >"$storage/Dockerfile"
  rm -f target/image/pause.oci.tar
  buildah --storage-driver vfs --root "$storage/root" --runroot "$storage/run" build --quiet --timestamp 0 \
    --tag oci-archive:target/image/pause.oci.tar:localhost/pause:1 "$storage" >/dev/null
}

die() { echo "hack/test-install.sh: $*" >&2 && exit 1; }

main
