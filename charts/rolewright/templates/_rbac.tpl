{{/*
The operator's rights on the objects that it serves: in a ClusterRole, or in a Role of each watched namespace.
The operator creates only Events, deletes nothing, and writes only the finalizer, one annotation and the status.
*/}}
{{- define "rolewright.servingRules" -}}
# The operator patches only metadata.finalizers and its annotation rolewright.dev/restore; RBAC cannot express that.
- apiGroups: [rolewright.dev]
  resources: [backends, roles, rolebindings, resourcerestrictions]
  verbs: [get, list, watch, patch]
- apiGroups: [rolewright.dev]
  resources: [backends/status, roles/status, rolebindings/status, resourcerestrictions/status, approvals/status]
  verbs: [patch]
# The operator reads decisions, and cannot make any.
- apiGroups: [rolewright.dev]
  resources: [approvals]
  verbs: [get, list, watch]
# No list and no watch: the operator reads only Secrets that a Backend names, and caches none.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- if .Values.watchNamespaces }}
# For the annotation rolewright.dev/secret-hosts. In a Role, this covers only the namespace of the Role.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
{{- else }}
# ClusterBackends serve namespaces by their labels, so only an operator that serves all namespaces serves ClusterBackends. Also for the
# annotation rolewright.dev/secret-hosts.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
- apiGroups: [rolewright.dev]
  resources: [clusterbackends]
  verbs: [get, list, watch, patch]
- apiGroups: [rolewright.dev]
  resources: [clusterbackends/status]
  verbs: [patch]
{{- end }}
{{ include "rolewright.eventRules" . }}
{{- end }}

{{- define "rolewright.eventRules" -}}
- apiGroups: [""]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* The subjects of every binding of the chart. */}}
{{- define "rolewright.subjects" -}}
- kind: ServiceAccount
  name: {{ include "rolewright.serviceAccountName" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
{{- end }}
