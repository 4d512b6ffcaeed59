"""What happens to an alert after it was received: read again, stale, flapping, beating, held."""
