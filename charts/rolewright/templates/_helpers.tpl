{{/* Names and labels. Rights are in _rbac.tpl. */}}

{{- define "rolewright.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
At most 50 characters: a Service's name can have 63, and suffixes such as "-metrics" follow.
*/}}
{{- define "rolewright.fullname" -}}
{{- $name := include "rolewright.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/*
The prefix of cluster-scoped objects. It includes the namespace: releases of one name in several namespaces (each with
its watchNamespaces) would otherwise use the same ClusterRole.
*/}}
{{- define "rolewright.clusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "rolewright.fullname" .) }}
{{- end }}

{{- define "rolewright.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "rolewright.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "rolewright.selectorLabels" -}}
app.kubernetes.io/name: {{ include "rolewright.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/*
Merged as a map, not joined as text: a label that a user sets too would be a duplicate. The chart's own labels have priority.
*/}}
{{- define "rolewright.labels" -}}
{{- $own := include "rolewright.selectorLabels" . | fromYaml }}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") }}
{{- $_ := set $own "app.kubernetes.io/version" (.Chart.AppVersion | replace "+" "_") }}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service }}
{{- mergeOverwrite dict (default dict .Values.commonLabels) $own | toYaml }}
{{- end }}

{{/*
Without the chart's version: a new chart version that does not change the pods must not restart them.
*/}}
{{- define "rolewright.podLabels" -}}
{{- $own := omit (include "rolewright.labels" . | fromYaml) "helm.sh/chart" }}
{{- mergeOverwrite dict (default dict .Values.podLabels) $own | toYaml }}
{{- end }}

{{- define "rolewright.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag }}
{{- printf "%s:%s" .Values.image.repository $tag }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "rolewright.listen" -}}
{{- $address := .Values.listen.address }}
{{- if contains ":" $address }}{{ $address = printf "[%s]" $address }}{{ end }}
{{- printf "%s:%d" $address (int .Values.listen.port) }}
{{- end }}
