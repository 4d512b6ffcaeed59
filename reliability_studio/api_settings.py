"""Settings of the REST framework and of the schema it writes."""

from __future__ import annotations

from typing import Any

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.RolePermission"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "accounts.paging.NewestFirst",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "EXCEPTION_HANDLER": "accounts.problems.handle",
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "COERCE_DECIMAL_TO_STRING": False,
}
SCHEMA: dict[str, Any] = {
    "TITLE": "Reliability Studio",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["accounts.permissions.RolePermission"],
    # fields of one name with different values: a name for each set
    "ENUM_NAME_OVERRIDES": {
        "IncidentStatusEnum": "incidents.models.Status",
        "AnalysisStatusEnum": "correlation.models.Analysis.Status",
        "SeverityEnum": "incidents.models.Severity",
        "ServerOriginEnum": "incidents.models.Alertmanager.Origin",
        "EventSeverityEnum": "timeline.models.Severity",
        "AlertSourceKindEnum": "incidents.models.AlertSource.Kind",
        "ClosedAsEnum": "incidents.models.Incident.ClosedAs",
        "IncidentRoleEnum": "incidents.models.IncidentRole.Role",
        "DeliveryStateEnum": "incidents.models.Delivery.State",
        "NotificationStateEnum": "incidents.models.NotificationState",
        "PostmortemStateEnum": "timeline.postmortems.models.Postmortem.State",
        "ReportStateEnum": "timeline.reporting.models.IncidentReport.State",
        "SLOStatusEnum": "slos.rest.shapes.STATUSES",
        "NotificationEventEnum": "incidents.notify.events.EVENT_CHOICES",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}
