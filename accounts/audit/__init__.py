"""Who changed what, when and from where: an append-only chain for the whole installation.

`record` writes one entry, `record_writing` one a sitting, and `watch` one for every save and
deletion of a model. Only what people,
tokens and commands do is recorded (`accounts.origin`).
"""

from accounts.audit.recording import record
from accounts.audit.sittings import record_writing
from accounts.audit.watching import watch

__all__ = ["record", "record_writing", "watch"]
