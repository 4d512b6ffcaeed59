"""What is broken, where, and which alerts said so."""

from incidents.models.alert import Alert, AlertOccurrence, AlertSource, Delivery
from incidents.models.catalogue import ChangeEvent, Service, ServiceDependency
from incidents.models.incident import (
    AffectedService,
    FieldChange,
    Impact,
    Incident,
    IncidentMerge,
    IncidentTask,
    NumberSequence,
    Severity,
    Status,
    StatusChange,
)

__all__ = [
    "AffectedService",
    "Alert",
    "AlertOccurrence",
    "AlertSource",
    "ChangeEvent",
    "Delivery",
    "FieldChange",
    "Impact",
    "Incident",
    "IncidentMerge",
    "IncidentTask",
    "NumberSequence",
    "Service",
    "ServiceDependency",
    "Severity",
    "Status",
    "StatusChange",
]
