"""API addresses of the incidents app, below /api/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from incidents import intake_api, lab_api
from incidents.api import IncidentTaskViewSet, IncidentViewSet
from incidents.catalogue_api import ChangeViewSet, DependencyViewSet, ServiceViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("incidents", IncidentViewSet, basename="incident")
router.register("services", ServiceViewSet, basename="service")
router.register("dependencies", DependencyViewSet, basename="dependency")
router.register("changes", ChangeViewSet, basename="change")
tasks = SimpleRouter(trailing_slash=False, use_regex_path=False)
tasks.register("incidents/<str:reference>/tasks", IncidentTaskViewSet, basename="incident-task")

urlpatterns = [
    path("intake/alertmanager", intake_api.alertmanager, name="intake-alertmanager"),
    path("intake/changes", intake_api.changes, name="intake-changes"),
    path("test/fail", lab_api.fail, name="test-fail"),
    path("", include(router.urls)),
    path("", include(tasks.urls)),
]
