"""Included at api/."""

from django.urls import path

from accounts.audit import api

urlpatterns = [
    path("audit", api.Audit.as_view(), name="api-audit"),
    path("audit/export.csv", api.CsvExport.as_view(), name="api-audit-csv"),
    path("audit/export.jsonl", api.JsonLinesExport.as_view(), name="api-audit-jsonl"),
]
