"""What other apps may hook into; receivers run inside the sender's transaction.

`lifecycle.resolve` sends `resolving` and then `sealing`, `lifecycle.reopen` sends `reopened`.
`occurrences_joined` (occurrences, opened) says that firings opened or joined an incident,
`occurrences_resolved` (occurrences) that they are over; `alert` and `service` of each are loaded.
`alert_marked` (occurrence, mark, detail, at) says what `upkeep.marks` knows of an alert besides,
`heartbeat_changed` (pulse, stopped, beat_at) that a heartbeat's series stopped or is back.
`service_linked` (service, actor) says that the service its alerts name is known now,
`change_recorded` (change) that a change was told of. `merged` and `unmerged` (target, merge,
actor) carry the source as `incident`, `merge_proposed` (proposal) and `merge_dismissed` (proposal,
actor) the newer of the two.
`role_changed` (role, user, actor, ended) says that a person took a role or laid it down,
`task_changed` (task, actor, what) that a task was made or edited: `what` is {field: [old, new]},
empty for a new one. `cause_identified` (key, title, service, confidence) says that an analysis
named a cause that was not the last one told, `postmortem_published` (postmortem, actor) that it
was, `notification_finished` (delivery) that a notification was sent or given up.
`analysis_finished` (nothing more) says that a run came to an end, whatever it found. Every other
signal carries `incident`; the rest of the arguments stand at each send.
"""

from django.dispatch import Signal

resolving = Signal()
sealing = Signal()
reopened = Signal()
merged = Signal()
unmerged = Signal()
merge_proposed = Signal()
merge_dismissed = Signal()
occurrences_joined = Signal()
occurrences_resolved = Signal()
alert_marked = Signal()
heartbeat_changed = Signal()
edited = Signal()
role_changed = Signal()
task_changed = Signal()
change_recorded = Signal()
service_linked = Signal()
cause_identified = Signal()
analysis_finished = Signal()
postmortem_published = Signal()
notification_finished = Signal()
