{{/*
The operator's rights where it serves objects: in a ClusterRole, or in a Role of each watched namespace.
Nothing is created or deleted but Events; the finalizer and the status are all that is written.
*/}}
{{- define "rolewright.servingRules" -}}
# RBAC cannot narrow a patch to metadata.finalizers; the operator patches nothing else of these.
- apiGroups: [rolewright.dev]
  resources: [backends, roles, rolebindings, resourcerestrictions]
  verbs: [get, list, watch, patch]
- apiGroups: [rolewright.dev]
  resources: [backends/status, roles/status, rolebindings/status, resourcerestrictions/status]
  verbs: [patch]
# Never list or watch: only Secrets that a Backend names are read, and none is kept in a cache.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{ include "rolewright.eventRules" . }}
{{- end }}

{{- define "rolewright.eventRules" -}}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* The subjects of every binding of the chart. */}}
{{- define "rolewright.subjects" -}}
- kind: ServiceAccount
  name: {{ include "rolewright.serviceAccountName" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
{{- end }}
