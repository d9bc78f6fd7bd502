#!/usr/bin/env bash
# Shows the operator at work: a Kubernetes control plane, four simulated back ends and the operator, all on this machine. It applies
# the examples and in the end deletes them. It changes only a temporary directory and hack/bin, target and Cargo's caches.
#   hack/demo.sh            shows it and cleans up
#   KEEP=1 hack/demo.sh     does not delete the objects, leaves everything running, and prints how to use it
set -Eeuo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d "${TMPDIR:-/tmp}/rolewright-demo.XXXXXX")
export KUBECONFIG=$dir/plane/kubeconfig KUBECACHEDIR=$dir/kubectl KUBERC=off
kubectl=${KUBEBUILDER_ASSETS:-}/kubectl
[ -x "$kubectl" ] || kubectl=$PWD/hack/bin/kubectl
programs=${CARGO_TARGET_DIR:-target}/debug
pids=()
kept=
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
trap 'finish $?' EXIT
trap 'exit 130' INT TERM

main() {
  step "Building (the first time this takes minutes)"
  cargo build --quiet --package rolewright --package control-plane --bins
  SECONDS=0
  start_everything
  connect
  apply_examples
  correct_drift
  show_plan
  refuse
  connect_others
  keep_apart
  if [ -n "${KEEP:-}" ]; then keep; else delete_everything; fi
  printf '\nDone in %s s, without the build.\n' "$SECONDS"
}

start_everything() {
  step "Starting a Kubernetes control plane, simulated back ends and the operator"
  run plane "$programs/control-plane" up --dir "$dir/plane"
  await "the control plane is up" grep -q KUBECONFIG= "$dir/plane.log"
  for vendor in arize grafana lenses zenml; do
    ROLEWRIGHT_SIMULATE_TOKEN=$token run "$vendor" "$programs/rolewright" simulate "$vendor" --listen 127.0.0.1:0
    await "the simulator of $vendor listens" grep -q http:// "$dir/$vendor.log"
  done
  shown apply -f crds/
  kube wait --for=condition=Established --timeout=30s -f crds/ >"$dir/established"
  run operator "$programs/rolewright" run --allow-local-addresses --listen 127.0.0.1:0
  await "the operator leads" grep -q leading "$dir/operator.log"
  tenant_before=$(tenant) others_before=$(others)
  echo "The Arize account has $(count_of "$tenant_before"). No object manages them."
}

connect() {
  step "Connecting Arize: a namespace, a Secret that names the host that may receive its value, and a Backend"
  connect_to arize arize-key key
}

# connect_to VENDOR SECRET KEY: connects the vendor's simulator in a namespace of the vendor's name, with the vendor's example
connect_to() {
  local address
  address=$(url "$1")
  shown create namespace "$1"
  kube config set-context --current --namespace="$1" >"$dir/context"
  printf %s "$token" | kube create secret generic "$2" --from-file="$3=/dev/stdin"
  shown annotate secret "$2" "rolewright.dev/hosts=${address#http://}"
  echo "This is examples/$1/backend.yaml with the simulator's address."
  sed "s#^    \(region\|url\):.*#    url: $address\\
    allowInsecure: true#" "examples/$1/backend.yaml" >"$dir/backend.yaml"
  shown apply -f "$dir/backend.yaml"
  shown wait --for=condition=Ready --timeout=30s "backend/$1"
}

# All examples of a vendor, except the Backend.
apply_all() {
  for file in "examples/$1"/*.yaml; do
    [ "$file" = "examples/$1/backend.yaml" ] || kube apply -f "$file"
  done
}

apply_examples() {
  step "Applying the examples: a role, grants on a space and on a project, and a restricted project"
  apply_all arize
  shown wait --for=condition=Ready --timeout=60s --all rwr,rwb,rwrr
  shown get rolewright
  tenant_managed=$(tenant)
  echo "The account now has $(count_of "$tenant_managed")."
}

correct_drift() {
  step "Drift: changing the role in the account without the operator"
  local id
  id=$(kube get rwr data-scientist -o 'jsonpath={.status.held[0].id}')
  call "$(url arize)" PATCH "/v2/roles/${id//=/%3D}" '{"permissions": ["PROJECT_READ", "PROJECT_DELETE"]}' >"$dir/patched"
  echo "The role now permits PROJECT_READ and PROJECT_DELETE. A sweep runs every 5 minutes; this starts one now:"
  shown annotate --overwrite backend/arize "rolewright.dev/reconcile-at=after-the-drift"
  await "the Event DriftCorrected exists" drift_is_reported
  shown get events --field-selector reason=DriftCorrected
  echo "The log has a line for each change, with the values before and after:"
  sed -n '/drift=true/ { s/ tenant=.*/ .../; p; }' "$dir/operator.log"
  same "$(without_times "$(tenant)")" "$(without_times "$tenant_managed")"
  echo "The role equals examples/arize/role.yaml again."
}

show_plan() {
  step "Planning a change: mode Plan writes nothing"
  manifest <<YAML
apiVersion: rolewright.dev/v1alpha1
kind: Role
metadata: {name: reviewer}
spec:
  backendRef: {name: arize}
  mode: Plan
  name: Legacy reviewer   # a role that exists and that no object manages
  adopt: Always           # adopt it and make it equal to this spec
  rules:
    - actions: [PROJECT_READ, PROJECT_SPAN_READ, PROJECT_SPAN_ANNOTATE]
YAML
  await_reason Planned rwr/reviewer
  shown get rwr/reviewer
  kube get rwr reviewer -o go-template='{{range .status.plan.changes}}{{.verb}} {{.kind}} {{.name}}{{"\n"}}{{range .details}}    {{.}}{{"\n"}}{{end}}{{end}}'
  same "$(without_times "$(tenant)")" "$(without_times "$tenant_managed")"
  echo "The account is unchanged."
}

refuse() {
  step "Refusing invalid objects"
  echo "The API server refuses a Backend that would send the credential in clear text:"
  sed '/allowInsecure/d; s/name: arize$/name: clear-text/' "$dir/backend.yaml" | refused apply -f -
  echo "The operator refuses a Role that would change an existing role without adopting it:"
  manifest <<YAML
apiVersion: rolewright.dev/v1alpha1
kind: Role
metadata: {name: taken}
spec:
  backendRef: {name: arize}
  name: Legacy reviewer
  rules:
    - actions: [PROJECT_DELETE]
YAML
  await_reason Conflict rwr/taken
  kube get rwr taken -o 'jsonpath={"    "}{.status.conditions[0].message}{"\n"}'
}

connect_others() {
  step "Connecting three more back ends, each in its own namespace: Grafana with a restricted folder, Lenses, ZenML"
  connect_to grafana grafana-token token
  apply_all grafana
  connect_to lenses lenses-token token
  apply_all lenses
  connect_to zenml zenml-key key
  apply_all zenml
  for vendor in grafana lenses zenml; do
    kube wait --namespace "$vendor" --for=condition=Ready --timeout=60s --all rwr,rwb,rwrr >"$dir/waited" 2>&1 || true
  done
  for vendor in grafana lenses zenml; do all_ready "$vendor"; done
  shown get rwbe,rwr,rwb,rwrr --all-namespaces
  echo "The permissions that the restriction removed from the folder, to be restored later, and the access that remains:"
  kube get rwrr sre-folder --namespace grafana -o 'jsonpath={"    "}{.status.held[0].taken}{"\n    "}{.status.conditions[0].message}{"\n"}'
}

# Fails unless every object of a namespace is ready.
all_ready() {
  local not
  not=$(kube get rwr,rwb,rwrr --namespace "$1" --no-headers 2>/dev/null | awk '$2 != "True"')
  [ -z "$not" ] || die "not ready in $1: $not"
}

keep_apart() {
  step "Isolation: no field of another back end, no Backend of another namespace"
  manifest <<YAML
apiVersion: rolewright.dev/v1alpha1
kind: Role
metadata: {name: of-grafana}
spec:
  backendRef: {name: zenml}
  rules:
    - actions: [read]
      resources: [pipeline]
  grafana: {group: Reports}
---
apiVersion: rolewright.dev/v1alpha1
kind: RoleBinding
metadata: {name: over-the-fence}
spec:
  backendRef: {name: lenses}
  roleRef: {name: blue-topics}
  subjects:
    - {kind: Group, name: data-platform}
YAML
  await_reason Invalid rwr/of-grafana
  await_reason BackendNotReady rwb/over-the-fence
  kube get rwr/of-grafana rwb/over-the-fence -o 'jsonpath={range .items[*]}{"    "}{.status.conditions[0].message}{"\n"}{end}'
}

delete_everything() {
  step "Deleting the objects deletes what they manage, and nothing else"
  for vendor in arize grafana lenses zenml; do
    kube config set-context --current --namespace="$vendor" >"$dir/context"
    shown delete --timeout=60s --all rwb,rwrr,rwr
    kube delete --timeout=60s --all rwbe
  done
  same "$(tenant)" "$tenant_before"
  echo "The Arize account has $(count_of "$tenant_before") again, the same as before."
  same "$(others)" "$others_before"
  echo "Grafana, Lenses and ZenML have the same roles, groups, assignments and permissions as before."
}

keep() {
  step "Everything keeps running, and the objects stay (KEEP=1)"
  local metrics
  metrics=$(grep -o 'address=[0-9.:]*' "$dir/operator.log" | head -n 1)
  cat <<TEXT
  export KUBECONFIG=$KUBECONFIG
  $kubectl get rolewright
  The operator's log:    $dir/operator.log
  Its metrics:           http://${metrics#address=}/metrics
  The accounts:          $(for vendor in arize grafana lenses zenml; do printf "%s/_sim/state " "$(url "$vendor")"; done)(docs/simulators.md)
  To stop and delete it: kill ${pids[*]} && rm -rf $dir
TEXT
  kept=yes
}

# The address of a simulated back end.
url() { grep -o 'http://.*' "$dir/$1.log"; }
step() { printf '\n== %s\n' "$1"; }
kube() { "$kubectl" "$@"; }
shown() { echo "\$ kubectl $*" && kube "$@"; }

await_reason() { kube wait "--for=jsonpath={.status.conditions[?(@.type==\"Ready\")].reason}=$1" --timeout=30s "$2" >"$dir/waited"; }

# Prints the manifest on stdin and applies it.
manifest() {
  local text
  text=$(cat)
  sed 's/^/    /' <<<"$text"
  kube apply -f - <<<"$text"
}

# run NAME PROGRAM ARGUMENTS...: starts the program in the background, with its output in NAME.log
run() {
  local log=$dir/$1.log
  shift
  : >"$log"
  "$@" >>"$log" 2>&1 </dev/null &
  pids+=($!)
}

# await WHAT COMMAND...: waits until the command succeeds; fails after 60 s, or when a started program ends
await() {
  local what=$1 deadline=$((SECONDS + 60))
  shift
  until "$@"; do
    for pid in "${pids[@]}"; do
      kill -0 "$pid" 2>/dev/null || die "a program ended before $what; see the logs"
    done
    [ $SECONDS -lt $deadline ] || die "timeout: after 60 s it is still not true that $what"
    sleep 0.2
  done
}

# refused ARGUMENTS...: kubectl must fail; prints its message
refused() {
  if kube "$@" 2>"$dir/refusal"; then die "kubectl $* must be refused, and was accepted"; fi
  sed 's/^/    /' "$dir/refusal"
}

# call URL METHOD PATH [BODY]: one call as the account's admin; prints the body of the response. In bash, so that curl is not
# necessary; HTTP/1.0, so that the response ends with the connection.
call() {
  local address=${1#http://} body=${4:-} code
  exec 3<>"/dev/tcp/${address%:*}/${address#*:}"
  printf '%s %s HTTP/1.0\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s' \
    "$2" "$3" "$address" "$token" "${#body}" "$body" >&3
  read -r _ code _ <&3
  sed $'1,/^\r*$/d' <&3
  exec 3>&-
  case $code in 2*) ;; *) die "$2 $3: unexpected status $code" ;; esac
}

# The roles, grants and restrictions of the Arize account, as the vendor's lists show them, one on each line.
tenant() {
  {
    call "$(url arize)" GET '/v2/roles?is_predefined=false&limit=100'
    call "$(url arize)" GET '/v2/role-bindings?resource_type=SPACE&limit=100'
    call "$(url arize)" GET '/v2/role-bindings?resource_type=PROJECT&limit=100'
    call "$(url arize)" GET '/v2/resource-restrictions?limit=100'
  } | grep -o '{[^{}]*"created_at[^{}]*}'
}

# The contents of the other accounts, without the ids of folder permissions: Grafana assigns new ones when they are restored.
others() {
  call "$(url grafana)" GET '/api/access-control/roles?includeHidden=true'
  call "$(url grafana)" GET /_sim/state | grep -o '"\(user\|team\)_roles":\[[^]]*\]'
  call "$(url grafana)" GET /api/access-control/folders/sre | grep -o '{[^{}]*}' | sed 's/"id":[0-9]*//' | sort
  call "$(url lenses)" GET /api/v1/roles
  call "$(url lenses)" GET /api/v1/groups
  call "$(url zenml)" GET /organizations/acme/roles
  call "$(url zenml)" GET /_sim/state | grep -o '"assignments":\[[^]]*\]'
}

count_of() {
  local roles grants restrictions
  roles=$(grep -c '"permissions"' <<<"$1")
  grants=$(grep -c '"role_id"' <<<"$1")
  restrictions=$(grep -vc '"id"' <<<"$1")
  echo "roles: $roles, grants: $grants, restricted projects: $restrictions"
}
same() { [ "$1" = "$2" ] || { diff <(echo "$1") <(echo "$2") || die "the account differs from before; see the lines above"; }; }
without_times() { sed 's/"updated_at":"[^"]*"//' <<<"$1"; }
drift_is_reported() { kube get events --field-selector reason=DriftCorrected 2>&1 | grep -q DriftCorrected; }
die() { echo "hack/demo.sh: $*" >&2 && exit 1; }

finish() {
  trap - EXIT INT TERM
  [ "$1" = 0 ] || [ "$1" = 130 ] || [ ! -e "$dir/operator.log" ] || {
    echo "Last lines of the operator's log:" >&2
    tail -n 20 "$dir/operator.log" >&2
  }
  [ -z "$kept" ] || exit "$1"
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill "${pids[i]}" 2>/dev/null || true
    wait "${pids[i]}" 2>/dev/null || true
  done
  rm -rf "$dir"
  exit "$1"
}

main
