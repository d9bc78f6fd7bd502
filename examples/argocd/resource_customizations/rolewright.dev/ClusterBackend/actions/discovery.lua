local pause = (obj.metadata.annotations or {})["rolewright.dev/pause"]
local paused = pause ~= nil and pause ~= "false"

local actions = {}
actions["reconcile"] = { ["disabled"] = false, ["iconClass"] = "fa fa-fw fa-sync" }
actions["pause"] = { ["disabled"] = paused, ["iconClass"] = "fa fa-fw fa-pause" }
actions["resume"] = { ["disabled"] = not paused, ["iconClass"] = "fa fa-fw fa-play" }
return actions
