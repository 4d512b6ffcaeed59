"""API addresses of the incidents app, below /api/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from incidents import lab_api
from incidents.alert_rules.api import AlertReadingViewSet, GroupingRuleViewSet
from incidents.alerts.api import AlertSourceViewSet, AlertViewSet, DeliveryViewSet
from incidents.api import IncidentViewSet
from incidents.catalogue.api import ChangeViewSet, DependencyViewSet, ServiceViewSet
from incidents.followup.api import IncidentTaskViewSet, TaskViewSet
from incidents.merges import api as merge_api
from incidents.notify import api as notify_api
from incidents.people.api import RoleViewSet
from incidents.stats import api as stats_api
from incidents.upkeep.api import (
    AlertmanagerViewSet,
    HeartbeatViewSet,
    MaintenanceWindowViewSet,
)

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("incidents", IncidentViewSet, basename="incident")
router.register("merge-proposals", merge_api.MergeProposalViewSet, basename="merge-proposal")
router.register("tasks", TaskViewSet, basename="task")
router.register("services", ServiceViewSet, basename="service")
router.register("dependencies", DependencyViewSet, basename="dependency")
router.register("alerts", AlertViewSet, basename="alert")
router.register("alert-sources", AlertSourceViewSet, basename="alert-source")
router.register("deliveries", DeliveryViewSet, basename="delivery")
router.register("grouping-rules", GroupingRuleViewSet, basename="grouping-rule")
router.register("alert-readings", AlertReadingViewSet, basename="alert-reading")
router.register("changes", ChangeViewSet, basename="change")
router.register("maintenance-windows", MaintenanceWindowViewSet, basename="maintenance-window")
router.register("heartbeats", HeartbeatViewSet, basename="heartbeat")
router.register("channels", notify_api.ChannelViewSet, basename="notification-channel")
router.register(
    "notification-rules", notify_api.NotificationRuleViewSet, basename="notification-rule"
)
router.register(
    "notification-deliveries",
    notify_api.NotificationDeliveryViewSet,
    basename="notification-delivery",
)
router.register("alertmanagers", AlertmanagerViewSet, basename="alertmanager")
parts = SimpleRouter(trailing_slash=False, use_regex_path=False)
parts.register("incidents/<str:reference>/roles", RoleViewSet, basename="incident-role")
parts.register("incidents/<str:reference>/tasks", IncidentTaskViewSet, basename="incident-task")

urlpatterns = [
    path("intake/", include("incidents.intake.urls")),
    path("test/fail", lab_api.fail, name="test-fail"),
    path("incidents/<str:reference>/merge", merge_api.Merge.as_view(), name="incident-merge"),
    path("incidents/<str:reference>/unmerge", merge_api.Unmerge.as_view(), name="incident-unmerge"),
    path("incidents/<str:reference>/merges", merge_api.Merges.as_view(), name="incident-merges"),
    path("stats", stats_api.Stats.as_view(), name="api-stats"),
    path("stats/export.csv", stats_api.StatsCsv.as_view(), name="api-stats-csv"),
    path("", include(router.urls)),
    path("", include(parts.urls)),
]
