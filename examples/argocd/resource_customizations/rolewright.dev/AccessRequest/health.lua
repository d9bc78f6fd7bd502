local hs = {}

if obj.kind == "AccessOffer" then
  -- It has no status.
  hs.status = "Healthy"
  hs.message = "AccessRequests can name this offer"
elseif obj.status ~= nil and obj.status.state ~= nil then
  -- An Approval or an AccessRequest. Its spec cannot change.
  local states = {
    Executing = "Progressing",
    Executed = "Healthy",
    Rejected = "Healthy",
    Outdated = "Degraded",
    Ignored = "Degraded",
    Pending = "Suspended",
    Granting = "Progressing",
    Active = "Healthy",
    Ending = "Progressing",
    Ended = "Healthy",
    Denied = "Degraded",
  }
  hs.status = states[obj.status.state] or "Progressing"
  hs.message = obj.status.state
  if obj.status.message ~= nil then
    hs.message = hs.message .. ": " .. obj.status.message
  end
elseif obj.status ~= nil and obj.status.conditions ~= nil and obj.status.observedGeneration == obj.metadata.generation then
  -- The user or somebody else decides how long these last.
  local suspended = { Planned = true, ApprovalRequired = true, Paused = true, Scheduled = true }
  local ready, stalled
  for _, condition in ipairs(obj.status.conditions) do
    if condition.type == "Ready" then
      ready = condition
    elseif condition.type == "Stalled" then
      stalled = condition.status == "True"
    end
  end
  if ready ~= nil then
    hs.message = ready.reason .. ": " .. ready.message
    if ready.status == "True" then
      hs.status = "Healthy"
    elseif suspended[ready.reason] then
      hs.status = "Suspended"
    elseif stalled then
      hs.status = "Degraded"
    else
      hs.status = "Progressing"
    end
  end
end

if hs.status == nil then
  hs.status = "Progressing"
  hs.message = "Rolewright has not reconciled this version of the object yet"
end
if obj.metadata.deletionTimestamp ~= nil and hs.status == "Healthy" then
  hs.status = "Progressing"
  hs.message = "The object is being deleted"
end
return hs
