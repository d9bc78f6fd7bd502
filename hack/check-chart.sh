#!/usr/bin/env bash
# Checks the Helm chart without a cluster: lint, rendering with every file of ci/, values that the schema must refuse, the rendered
# rights, and that chart, CRDs and README agree.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
chart=$root/charts/rolewright
"$root/hack/tools.sh" helm promtool
helm=$root/hack/bin/helm

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAIL $*" >&2
  failures=$((failures + 1))
}

template() { "$helm" template rolewright "$chart" --namespace rolewright-system "$@"; }

# The kinds in a rendering with their counts, on one line.
kinds() { sed -n 's/^kind: //p' "$1" | sort | uniq -c | awk '{printf "%s%s=%s", sep, $2, $1; sep = " "}'; }

echo "== helm $("$helm" version --short)"

echo "== the chart's CRDs equal the generated ones"
diff -r "$root/crds" "$chart/files/crds" || fail "charts/rolewright/files/crds is not a copy of crds/: run make generate"
crds=$(find "$root/crds" -name '*.yaml' | wc -l)

echo "== lint and render each file of ci/"
for values in "$chart"/ci/*.yaml; do
  name=$(basename "$values" .yaml)
  "$helm" lint --strict --quiet "$chart" --values "$values" || fail "lint with ci/$name.yaml"
  template --values "$values" >"$work/$name.yaml" || fail "template with ci/$name.yaml"
done

# A set of values renders exactly these kinds, and no others.
expect() {
  local found expected
  found=$(kinds "$work/$1.yaml")
  expected=$(tr -s ' \n' '  ' <<<"$2" | sed 's/^ //; s/ $//')
  [ "$found" = "$expected" ] || fail "ci/$1.yaml renders"$'\n'"  $found"$'\n'"but must render"$'\n'"  $expected"
}
echo "== kinds in each rendering"
expect minimal "ClusterRole=7 ClusterRoleBinding=2 CustomResourceDefinition=$crds Deployment=1
  Role=1 RoleBinding=1 ServiceAccount=1 ValidatingAdmissionPolicy=2 ValidatingAdmissionPolicyBinding=2"
expect ha "ClusterRole=7 ClusterRoleBinding=2 CustomResourceDefinition=$crds Deployment=1 NetworkPolicy=1
  PodDisruptionBudget=1 Role=1 RoleBinding=1 Service=1 ServiceAccount=1 ValidatingAdmissionPolicy=2
  ValidatingAdmissionPolicyBinding=2"
expect everything "ClusterRole=7 ClusterRoleBinding=2 ConfigMap=3 CustomResourceDefinition=$crds Deployment=1 NetworkPolicy=1
  PodDisruptionBudget=1 PodMonitor=1 PrometheusRule=1 Role=1 RoleBinding=1 Service=1 ServiceAccount=1 ServiceMonitor=1 ValidatingAdmissionPolicy=2
  ValidatingAdmissionPolicyBinding=2"
expect namespaced "ClusterRole=1 ClusterRoleBinding=1 Deployment=1 Role=3 RoleBinding=3"

echo "== rights and CRDs"
kept=$(grep -c '^    helm.sh/resource-policy: keep$' "$work/minimal.yaml" || true)
policies=$(grep -cE '^kind: (Valid|Mut)atingAdmissionPolicy' "$work/minimal.yaml" || true)
[ "$kept" = "$((crds + policies))" ] || fail "an uninstall keeps only $kept of $crds CRDs and $policies policies"
# Without the CRDs: their descriptions can contain text that looks like a rule.
for name in minimal namespaced; do
  template --values "$chart/ci/$name.yaml" --set crds.install=false >"$work/rules.yaml"
  for crd in "$root"/crds/*.yaml; do
    crd=$(sed -n 's/^  name: //p' "$crd" | head -1)
    for right in "      - $crd" "${crd%%.*}/status"; do
      # An operator of single namespaces serves no ClusterBackend, and an AccessOffer has no status.
      case $name:$right in namespaced:clusterbackends/status | *:accessoffers/status) continue ;; esac
      grep -qF -- "$right" "$work/rules.yaml" || fail "ci/$name.yaml: the operator has no right on '$right'"
    done
  done
  secrets=$(grep -A1 'resources: \[secrets\]' "$work/rules.yaml" | grep verbs: | sort -u | tr -d ' ' || true)
  [ "$secrets" = "verbs:[get]" ] || fail "ci/$name.yaml: the only right on Secrets must be get, found $secrets"
  namespaces=$(grep -A1 'resources: \[namespaces\]' "$work/rules.yaml" | grep verbs: | sort -u | tr -d ' ' || true)
  expected="verbs:[get,list,watch]"
  [ "$name" != namespaced ] || expected="verbs:[get]"
  [ "$namespaces" = "$expected" ] || fail "ci/$name.yaml: the rights on Namespaces must be $expected, found $namespaces"
  # Without the rights of users, which only the other file has.
  deletes=$(grep -B1 'verbs: .*delete' "$work/rules.yaml" | grep resources: | sort -u | tr -d ' ' || true)
  [ "$name" != namespaced ] || [ "$deletes" = "resources:[rolebindings]" ] ||
    fail "ci/$name.yaml: the operator can delete only RoleBindings, found $deletes"
  users=$(sed -n '/aggregate-to/,/^---/p' "$work/rules.yaml")
  ! grep -q clusterbackends <<<"$users" || fail "ci/$name.yaml: a role of the cluster has rights on ClusterBackends"
  ! grep -E '^ +(resources|verbs|apiGroups):.*\*' "$work/rules.yaml" || fail "ci/$name.yaml: a rule has a wildcard"
done

# Helm refuses the arguments, and its message contains the given words.
refused() {
  local words=$1
  shift
  if template "$@" >/dev/null 2>"$work/stderr"; then
    fail "accepted: $*"
  elif ! grep -qF -- "$words" "$work/stderr"; then
    fail "refused without '$words' in the message: $*"
    cat "$work/stderr" >&2
  fi
}
echo "== values that must be refused"
refused replicas --set replicas=2
refused colour --set image.colour=blue
refused replicaCount --set-string replicaCount=two
refused replicaCount --set replicaCount=-1
refused 'needs leaderElection.enabled' --set replicaCount=2,leaderElection.enabled=false
refused format --set log.format=xml
refused log --set log=null
refused digest --set image.digest=sha256:abc
refused port --set listen.port=80
refused address --set listen.address=localhost
refused watchNamespaces --set watchNamespaces=team-a
refused watchNamespaces --set 'watchNamespaces={Team_A}'
refused watchNamespaces --set 'watchNamespaces={team-a,team-a}'
refused concurrency --set concurrency=0
refused podDisruptionBudget --set podDisruptionBudget.minAvailable=1,podDisruptionBudget.maxUnavailable=1
refused egressPorts --set 'networkPolicy.egressPorts={https}'
refused interval --set metrics.serviceMonitor.interval=often
refused kubeVersion --kube-version 1.32.0

echo "== the alerts of the chart"
promtool=$root/hack/bin/promtool
# The rules as a file of Prometheus: the spec without the object around it.
sed -n '/^kind: PrometheusRule/,/^---/p' "$work/everything.yaml" | sed -n '/^spec:/,/^---/{/^spec:/d;/^---/d;s/^  //;p;}' >"$work/rendered.yaml"
"$promtool" check rules "$work/rendered.yaml" >"$work/rules" || { cat "$work/rules" >&2; fail "the rendered alerts"; }
grep -q ' > 7200$' "$work/rendered.yaml" || fail "metrics.prometheusRule.maxSweepAgeSeconds has no effect"
! grep -q RolewrightApprovalWaiting "$work/rendered.yaml" || fail "metrics.prometheusRule.disabled has no effect"
for part in '{{ $labels.namespace }}' '{{ $value | humanizeDuration }}'; do
  grep -qF "$part" "$work/rendered.yaml" || fail "the rendered alerts have no $part: Helm must not replace it"
done
cp "$chart/files/alerts.yaml" "$root/hack/alerts-test.yaml" "$work"
"$promtool" test rules "$work/alerts-test.yaml" >"$work/rules" || { cat "$work/rules" >&2; fail "the alerts do not fire as hack/alerts-test.yaml says"; }
# The queries of the dashboard, as rules that Prometheus can parse.
{
  printf 'groups:\n  - name: dashboard\n    rules:\n'
  sed -n 's/^ *"expr": "\(.*\)",$/\1/p' "$chart/files/dashboard.json" |
    sed 's/\\"/"/g; s/\$__rate_interval/5m/g; s/.*/      - {record: query, labels: {number: "#"}, expr: '"'&'"'}/' |
    awk '{ sub(/"#"/, "\"" NR "\""); print }'
} >"$work/dashboard.yaml"
"$promtool" check rules "$work/dashboard.yaml" >"$work/rules" || { cat "$work/rules" >&2; fail "the queries of the dashboard"; }
grep -q '1[5-9] rules found\|2[0-9] rules found' "$work/rules" || fail "the dashboard has too few queries: $(cat "$work/rules")"
for name in note text; do
  grep -q "name: '\?rolewright-$name'\?\$" "$work/everything.yaml" || fail "the object $name of extraObjects is not rendered"
done

echo "== the README lists every value"
# The leaf keys of values.yaml, each with its path.
awk '
  /^ *(#|$)/ || /^ *- / { next }
  {
    match($0, /^ */); depth = RLENGTH / 2
    key = $1; sub(/:.*/, "", key)
    path = depth ? parent[depth - 1] "." key : key
    parent[depth] = path
    if ($0 ~ /: *[^ ]/) print path
  }
' "$chart/values.yaml" | while read -r path; do
  # These blocks have one row each.
  case $path in
    resources.* | podSecurityContext.* | securityContext.* | livenessProbe.* | readinessProbe.*) path=${path%%.*} ;;
  esac
  grep -qF "| \`$path\` |" "$chart/README.md" || echo "$path"
done | sort -u >"$work/undocumented"
[ ! -s "$work/undocumented" ] || fail "values without a row in the README: $(tr '\n' ' ' <"$work/undocumented")"

echo "== the packaged chart's metadata for Artifact Hub"
"$root/hack/release.sh" chart >"$work/packaged" || fail "package"
packaged=$(sed -n 's/.* saved it to: //p' "$work/packaged")
mkdir -p "$work/metadata"
tar -xzmf "$root/$packaged" -C "$work/metadata"
rm -rf "$work/metadata/rolewright/templates"/* "$work/metadata/rolewright/values.schema.json"
# Helm parses the lists in the annotations. An error is an element without these fields.
cat >"$work/metadata/rolewright/templates/lists.yaml" <<'TEMPLATE'
{{- $list := dict "crds" (list "kind" "version" "name" "displayName" "description") "crdsExamples" (list "apiVersion" "kind" "spec")
  "changes" (list "kind" "description") "images" (list "name" "image") "links" (list "name" "url") }}
{{- range $name, $fields := $list }}
{{- range $element := fromYamlArray (index $.Chart.Annotations (print "artifacthub.io/" $name)) }}
# {{ $name }}:{{ range $field := $fields }} {{ get $element $field | required (print $name " without " $field) | toString | trunc 40 }}{{ end }}
{{- end }}
{{- end }}
TEMPLATE
"$helm" template rolewright "$work/metadata/rolewright" >"$work/lists.yaml" || fail "the annotations for Artifact Hub are not valid"
for crd in "$root"/crds/*.yaml; do
  kind=$(sed -n 's/^    kind: //p' "$crd") name=$(sed -n 's/^  name: //p' "$crd" | head -1)
  grep -qF "# crds: $kind v1alpha1 $name " "$work/lists.yaml" || fail "artifacthub.io/crds lacks $kind"
done
for name in crdsExamples changes images links; do
  grep -q "^# $name: " "$work/lists.yaml" || fail "artifacthub.io/$name has no entry"
done
! grep '^# changes: ' "$work/lists.yaml" | grep -vE '^# changes: (added|changed|deprecated|removed|fixed|security) ' ||
  fail "artifacthub.io/changes has a kind that Artifact Hub does not have"

echo "== the packaged chart, as a subchart"
mkdir -p "$work/parent/charts"
cp "$root/$packaged" "$work/parent/charts/"
printf 'apiVersion: v2\nname: parent\nversion: 0.0.1\n' >"$work/parent/Chart.yaml"
"$helm" template parent "$work/parent" --set global.region=eu,rolewright.enabled=true >"$work/subchart.yaml" || fail "template as a subchart"
grep -q '^kind: CustomResourceDefinition$' "$work/subchart.yaml" || fail "the packaged chart contains no CRDs"

if [ "$failures" -gt 0 ]; then
  echo "$failures checks failed" >&2
  exit 1
fi
echo "chart: all checks passed"
