"""What is broken, where, and which alerts said so."""

from incidents.models.affected import AffectedService, Impact
from incidents.models.alert import Alert, AlertOccurrence, AlertSource, Delivery, SourceToken
from incidents.models.alert_reading import AlertReading
from incidents.models.alertmanager import Alertmanager
from incidents.models.catalogue import ChangeEvent, Service, ServiceDependency
from incidents.models.channel import NotificationChannel
from incidents.models.grouping_rule import GroupingRule
from incidents.models.heartbeat import Heartbeat, Pulse
from incidents.models.history import FieldChange, StatusChange
from incidents.models.incident import Incident, Severity, Status
from incidents.models.maintenance import MaintenanceWindow
from incidents.models.merge import IncidentMerge
from incidents.models.merge_proposal import MergeProposal
from incidents.models.notification import (
    UNDELIVERED,
    NotificationAttempt,
    NotificationDelivery,
    NotificationState,
)
from incidents.models.notification_rule import NotificationRule
from incidents.models.numbers import NumberSequence
from incidents.models.role import IncidentRole
from incidents.models.task import IncidentTask, TaskChange

__all__ = [
    "UNDELIVERED",
    "AffectedService",
    "Alert",
    "AlertOccurrence",
    "AlertReading",
    "AlertSource",
    "Alertmanager",
    "ChangeEvent",
    "Delivery",
    "FieldChange",
    "GroupingRule",
    "Heartbeat",
    "Impact",
    "Incident",
    "IncidentMerge",
    "IncidentRole",
    "IncidentTask",
    "MaintenanceWindow",
    "MergeProposal",
    "NotificationAttempt",
    "NotificationChannel",
    "NotificationDelivery",
    "NotificationRule",
    "NotificationState",
    "NumberSequence",
    "Pulse",
    "Service",
    "ServiceDependency",
    "Severity",
    "SourceToken",
    "Status",
    "StatusChange",
    "TaskChange",
]
