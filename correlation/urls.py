"""API addresses of the correlation app, below /api/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from correlation.api import AnalyseView, CorrelationsView
from correlation.data_sources.api import DataSourceViewSet
from correlation.memory.similar_api import SimilarView
from correlation.memory.verdict_api import VerdictsView
from correlation.plots.api import PlotView
from correlation.rules.api import RuleAliasViewSet, RuleViewSet
from correlation.run_api import RunsView

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("datasources", DataSourceViewSet, basename="data-source")
router.register("correlation-rules", RuleViewSet, basename="correlation-rule")
router.register("rules", RuleAliasViewSet, basename="correlation-rule-alias")

urlpatterns = [
    path("incidents/<str:reference>/correlations", CorrelationsView.as_view()),
    path(
        "incidents/<str:reference>/correlations/<uuid:correlation>/plot.svg",
        PlotView.as_view(),
        name="correlation-plot",
    ),
    path("incidents/<str:reference>/analyses", RunsView.as_view()),
    path("incidents/<str:reference>/analyse", AnalyseView.as_view()),
    path("incidents/<str:reference>/similar", SimilarView.as_view()),
    path("incidents/<str:reference>/verdicts", VerdictsView.as_view()),
    path("", include(router.urls)),
]
