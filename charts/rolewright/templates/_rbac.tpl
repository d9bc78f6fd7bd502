{{/*
The operator's rights on the objects that it serves: in a ClusterRole, or in a Role of each watched namespace.
Beside RoleBindings for AccessRequests, which it creates, restores and deletes, the operator creates only Events, deletes nothing, and writes only
the finalizer, one annotation and the status.
*/}}
{{- define "rolewright.servingRules" -}}
# The operator patches only metadata.finalizers, its annotation rolewright.dev/restore, and the spec of RoleBindings that it created; RBAC
# cannot express that.
- apiGroups: [rolewright.dev]
  resources: [backends, roles, rolebindings, resourcerestrictions, prunes, accessrequests]
  verbs: [get, list, watch, patch]
- apiGroups: [rolewright.dev]
  resources: [backends/status, roles/status, rolebindings/status, resourcerestrictions/status, prunes/status, approvals/status, accessrequests/status]
  verbs: [patch]
# For AccessRequests that were approved.
- apiGroups: [rolewright.dev]
  resources: [rolebindings]
  verbs: [create, delete]
# The operator reads decisions and offers, and cannot make any.
- apiGroups: [rolewright.dev]
  resources: [approvals, accessoffers]
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
