"""What is broken of SLOs: rows while it lasts, alerts like any other, events on incidents."""

from slos.breaches.reading import of_incident, of_slo

__all__ = ["of_incident", "of_slo"]
