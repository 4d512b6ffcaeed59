"""API addresses of the slos app, below /api/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from slos.impacts.api import ImpactView
from slos.rest.corrections import CorrectionsView, WithdrawCorrectionView
from slos.rest.views import SLOViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("slos", SLOViewSet, basename="api-slo")

urlpatterns = [
    path("incidents/<str:reference>/impact", ImpactView.as_view(), name="incident-impact"),
    path("slos/<str:slo>/corrections", CorrectionsView.as_view()),
    path("slos/<str:slo>/corrections/<uuid:correction>/withdraw", WithdrawCorrectionView.as_view()),
    path("", include(router.urls)),
]
