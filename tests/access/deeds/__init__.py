"""What can be done at each address that changes something, so that it succeeds."""
