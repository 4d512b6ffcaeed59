"""Alerts, their sources and deliveries, as people and tools read them."""
