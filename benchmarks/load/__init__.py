"""Servers under load: starting them, filling them, and what they used."""
