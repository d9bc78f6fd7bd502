if obj.metadata.annotations ~= nil then
  obj.metadata.annotations["rolewright.dev/pause"] = nil
  -- Argo CD restores a map that an action leaves empty.
  if next(obj.metadata.annotations) == nil then
    obj.metadata.annotations = nil
  end
end
return obj
