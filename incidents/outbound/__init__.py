"""Asking other servers over HTTP: bounded in time and size, secrets named and never stored."""
