"""Why a cause is ranked where it is, in words a responder can use."""
