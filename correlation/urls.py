"""API addresses of the correlation app, below /api/."""

from django.urls import path

from correlation.api import AnalyseView, CorrelationsView

urlpatterns = [
    path("incidents/<str:reference>/correlations", CorrelationsView.as_view()),
    path("incidents/<str:reference>/analyse", AnalyseView.as_view()),
]
