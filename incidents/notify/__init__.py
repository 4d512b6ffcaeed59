"""Telling people and machines outside what changed of an incident; see docs/notifications.md."""
