"""Which change did it, or none."""
