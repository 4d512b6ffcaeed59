"""What other apps may hook into; receivers run inside the lifecycle's transaction.

`resolving` and `sealing` are sent by `lifecycle.resolve` in that order, `reopened` by
`lifecycle.reopen`, `occurrence_joined` (occurrence, alert, opened) when an alert's firing
opens or joins an incident. Every signal carries `incident`; see the arguments at each send.
"""

from django.dispatch import Signal

resolving = Signal()
sealing = Signal()
reopened = Signal()
merged = Signal()
occurrence_joined = Signal()
edited = Signal()
