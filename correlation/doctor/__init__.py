"""The doctor: what the product can and cannot see of each service, and what to do about it."""

from correlation.doctor.examination import Examination, UnknownService, examine

__all__ = ["Examination", "UnknownService", "examine"]
