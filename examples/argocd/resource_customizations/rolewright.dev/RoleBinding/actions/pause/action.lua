if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["rolewright.dev/pause"] = "true"
return obj
