"""What other apps may hook into; receivers run inside the sender's transaction.

`lifecycle.resolve` sends `resolving` and then `sealing`, `lifecycle.reopen` sends `reopened`.
`occurrence_joined` (occurrence, alert, opened) says that an alert's firing opened or joined
an incident, `occurrence_resolved` (occurrence, alert) that it is over. `change_recorded` (change)
says that a change was told of. Every other signal carries `incident`; the rest of the arguments
stand at each send.
"""

from django.dispatch import Signal

resolving = Signal()
sealing = Signal()
reopened = Signal()
merged = Signal()
occurrence_joined = Signal()
occurrence_resolved = Signal()
edited = Signal()
change_recorded = Signal()
