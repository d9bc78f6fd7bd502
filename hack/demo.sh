#!/usr/bin/env bash
# Shows the operator at work: a Kubernetes control plane, a simulated Arize and Grafana and the operator, all on this machine, from
# the examples to an empty namespace. Nothing outside of a temporary directory is touched, and nothing is left behind.
#   hack/demo.sh            shows it and cleans up
#   KEEP=1 hack/demo.sh     stops before the objects are deleted, leaves everything running, and says how to look around
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
  step "Building (minutes the first time)"
  cargo build --quiet --package rolewright --package control-plane --bins
  SECONDS=0
  start_everything
  connect
  apply_examples
  correct_drift
  show_plan
  refuse
  connect_grafana
  if [ -n "${KEEP:-}" ]; then keep; else delete_everything; fi
  printf '\nDone in %s s, beside the building.\n' "$SECONDS"
}

start_everything() {
  step "Starting a Kubernetes control plane, a simulated Arize account, a simulated Grafana and the operator"
  run plane "$programs/control-plane" up --dir "$dir/plane"
  await "the control plane is up" grep -q KUBECONFIG= "$dir/plane.log"
  for vendor in arize grafana; do
    ROLEWRIGHT_SIMULATE_TOKEN=$token run "$vendor" "$programs/rolewright" simulate "$vendor" --listen 127.0.0.1:0
    await "the simulator of $vendor listens" grep -q http:// "$dir/$vendor.log"
  done
  arize=$(grep -o 'http://.*' "$dir/arize.log") grafana=$(grep -o 'http://.*' "$dir/grafana.log")
  shown apply -f crds/
  kube wait --for=condition=Established --timeout=30s -f crds/ >"$dir/established"
  run operator "$programs/rolewright" run --allow-local-addresses --listen 127.0.0.1:0
  await "the operator works" grep -q leading "$dir/operator.log"
  tenant_before=$(tenant) grafana_before=$(grafana_roles)
  echo "The account has $(count_of "$tenant_before"), which somebody made by hand."
}

connect() {
  step "Connecting: a namespace, a Secret that names the host that may be sent its value, and the Backend"
  shown create namespace demo
  kube config set-context --current --namespace=demo >"$dir/context"
  printf %s "$token" | kube create secret generic arize-key --from-file=key=/dev/stdin
  shown annotate secret arize-key "rolewright.dev/hosts=${arize#http://}"
  echo "examples/arize/backend.yaml, but for its region: the simulator's address stands there instead."
  sed "s|^    region:.*|    url: $arize\\
    allowInsecure: true|" examples/arize/backend.yaml >"$dir/backend.yaml"
  shown apply -f "$dir/backend.yaml"
  shown wait --for=condition=Ready --timeout=30s backend/arize
}

apply_examples() {
  step "Applying the examples: a role, who holds it on a space and on a project, a project that is closed"
  for file in examples/arize/*.yaml; do
    [ "$file" = examples/arize/backend.yaml ] || kube apply -f "$file"
  done
  shown wait --for=condition=Ready --timeout=60s --all rwr,rwb,rwrr
  shown get rolewright
  tenant_managed=$(tenant)
  echo "The account has $(count_of "$tenant_managed") now."
}

correct_drift() {
  step "Changing the role in the account, behind the operator's back"
  local id
  id=$(kube get rwr data-scientist -o 'jsonpath={.status.held[0].id}')
  call "$arize" PATCH "/v2/roles/${id//=/%3D}" '{"permissions": ["PROJECT_READ", "PROJECT_DELETE"]}' >"$dir/patched"
  echo "It permits PROJECT_READ and PROJECT_DELETE now. The next sweep would come within 5 minutes; one is asked for at once:"
  shown annotate --overwrite backend/arize "rolewright.dev/reconcile-at=after-the-drift"
  await "it is told" drift_is_told
  shown get events --field-selector reason=DriftCorrected
  echo "The log has a line for it too, with what was before and after:"
  sed -n '/drift=true/ { s/ tenant=.*/ .../; p; }' "$dir/operator.log"
  same "$(without_times "$(tenant)")" "$(without_times "$tenant_managed")"
  echo "The role permits what examples/arize/role.yaml says again."
}

show_plan() {
  step "Asking what a change would do: mode Plan writes nothing"
  manifest <<YAML
apiVersion: rolewright.dev/v1alpha1
kind: Role
metadata: {name: reviewer}
spec:
  backendRef: {name: arize}
  mode: Plan
  name: Legacy reviewer   # somebody made a role of this name by hand
  adopt: Always           # take it over, and make it as it is said here
  rules:
    - actions: [PROJECT_READ, PROJECT_SPAN_READ, PROJECT_SPAN_ANNOTATE]
YAML
  await_reason Planned rwr/reviewer
  shown get rwr/reviewer
  kube get rwr reviewer -o go-template='{{range .status.plan.changes}}{{.verb}} {{.kind}} {{.name}}{{"\n"}}{{range .details}}    {{.}}{{"\n"}}{{end}}{{end}}'
  same "$(without_times "$(tenant)")" "$(without_times "$tenant_managed")"
  echo "The account is as it was."
}

refuse() {
  step "What cannot be is refused, with what to write instead"
  echo "By the API server, a Backend that would send the key in clear text:"
  sed '/allowInsecure/d; s/name: arize$/name: clear-text/' "$dir/backend.yaml" | refused apply -f -
  echo "By the operator, a Role that would change a role that was there before and was not handed over:"
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

connect_grafana() {
  step "A second back end: Grafana, with a role, who holds it, one of Grafana's own roles, and a folder that is closed"
  printf %s "$token" | kube create secret generic grafana-token --from-file=token=/dev/stdin
  shown annotate secret grafana-token "rolewright.dev/hosts=${grafana#http://}"
  sed "s|^    url:.*|    url: $grafana\\
    allowInsecure: true|" examples/grafana/backend.yaml | kube apply -f -
  for file in examples/grafana/*.yaml; do
    [ "$file" = examples/grafana/backend.yaml ] || kube apply -f "$file"
  done
  shown wait --for=condition=Ready --timeout=60s backend/grafana
  shown wait --for=condition=Ready --timeout=60s --field-selector spec.backendRef.name=grafana rwr,rwb,rwrr
  shown get rwr,rwb,rwrr --field-selector spec.backendRef.name=grafana
  echo "What was taken from the folder, to be given back, and what stays open:"
  kube get rwrr sre-folder -o 'jsonpath={"    "}{.status.held[0].taken}{"\n    "}{.status.conditions[0].message}{"\n"}'
}

delete_everything() {
  step "Deleting the objects removes what they hold, and no more"
  shown delete --timeout=60s --all rwb,rwrr,rwr
  shown delete --timeout=60s --all rwbe
  same "$(tenant)" "$tenant_before"
  echo "The account has $(count_of "$tenant_before") again, the very same."
  same "$(grafana_roles)" "$grafana_before"
  echo "Grafana has the roles, assignments and permissions on the folder that it had, too."
}

keep() {
  step "Everything runs on, with the objects in place (KEEP=1)"
  local metrics
  metrics=$(grep -o 'address=[0-9.:]*' "$dir/operator.log" | head -n 1)
  cat <<TEXT
  export KUBECONFIG=$KUBECONFIG
  $kubectl get rolewright
  The operator's log:    $dir/operator.log
  Its metrics:           http://${metrics#address=}/metrics
  The accounts:          $arize/_sim/state and $grafana/_sim/state (and docs/simulators.md)
  To end it:             kill ${pids[*]} && rm -rf $dir
TEXT
  kept=yes
}

step() { printf '\n== %s\n' "$1"; }
kube() { "$kubectl" "$@"; }
shown() { echo "\$ kubectl $*" && kube "$@"; }

await_reason() { kube wait "--for=jsonpath={.status.conditions[?(@.type==\"Ready\")].reason}=$1" --timeout=30s "$2" >"$dir/waited"; }

# Shows what is on stdin, and applies it.
manifest() {
  local text
  text=$(cat)
  sed 's/^/    /' <<<"$text"
  kube apply -f - <<<"$text"
}

# run NAME PROGRAM ARGUMENTS...: in the background, with its output in NAME.log
run() {
  local log=$dir/$1.log
  shift
  : >"$log"
  "$@" >>"$log" 2>&1 </dev/null &
  pids+=($!)
}

# await WHAT COMMAND...: until the command succeeds, while everything that was started runs
await() {
  local what=$1 deadline=$((SECONDS + 60))
  shift
  until "$@"; do
    for pid in "${pids[@]}"; do
      kill -0 "$pid" 2>/dev/null || die "waiting until $what: a program ended; see the logs"
    done
    [ $SECONDS -lt $deadline ] || die "waited for 60 s until $what, in vain"
    sleep 0.2
  done
}

# refused ARGUMENTS...: kubectl has to fail, and to say why
refused() {
  if kube "$@" 2>"$dir/refusal"; then die "kubectl $* was not refused"; fi
  sed 's/^/    /' "$dir/refusal"
}

# call URL METHOD PATH [BODY]: one call as the account's admin; prints the answer's body. By bash alone, so that no curl is needed;
# HTTP/1.0, so that the answer ends with the connection.
call() {
  local address=${1#http://} body=${4:-} code
  exec 3<>"/dev/tcp/${address%:*}/${address#*:}"
  printf '%s %s HTTP/1.0\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %s\r\n\r\n%s' \
    "$2" "$3" "$address" "$token" "${#body}" "$body" >&3
  read -r _ code _ <&3
  sed $'1,/^\r*$/d' <&3
  exec 3>&-
  case $code in 2*) ;; *) die "$2 $3 was answered $code" ;; esac
}

# What roles, grants and restrictions the account has, as the vendor's lists show them, one thing a line.
tenant() {
  {
    call "$arize" GET '/v2/roles?is_predefined=false&limit=100'
    call "$arize" GET '/v2/role-bindings?resource_type=SPACE&limit=100'
    call "$arize" GET '/v2/role-bindings?resource_type=PROJECT&limit=100'
    call "$arize" GET '/v2/resource-restrictions?limit=100'
  } | grep -o '{[^{}]*"created_at[^{}]*}'
}

# What roles Grafana has, who holds them, and who may do what to the folder. A permission that comes back has another number.
grafana_roles() {
  call "$grafana" GET '/api/access-control/roles?includeHidden=true'
  call "$grafana" GET /_sim/state | grep -o '"\(user\|team\)_roles":\[[^]]*\]'
  call "$grafana" GET /api/access-control/folders/sre | grep -o '{[^{}]*}' | sed 's/"id":[0-9]*//' | sort
}

count_of() {
  local roles grants restrictions
  roles=$(grep -c '"permissions"' <<<"$1")
  grants=$(grep -c '"role_id"' <<<"$1")
  restrictions=$(grep -vc '"id"' <<<"$1")
  echo "roles: $roles, grants: $grants, restricted projects: $restrictions"
}
same() { [ "$1" = "$2" ] || { diff <(echo "$1") <(echo "$2") || die "the account is not as it was"; }; }
without_times() { sed 's/"updated_at":"[^"]*"//' <<<"$1"; }
drift_is_told() { kube get events --field-selector reason=DriftCorrected 2>&1 | grep -q DriftCorrected; }
die() { echo "hack/demo.sh: $*" >&2 && exit 1; }

finish() {
  trap - EXIT INT TERM
  [ "$1" = 0 ] || [ "$1" = 130 ] || [ ! -e "$dir/operator.log" ] || {
    echo "The end of the operator's log:" >&2
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
