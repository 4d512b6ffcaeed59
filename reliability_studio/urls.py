"""Every address of the product."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from accounts.problems import not_found
from reliability_studio.health import health
from reliability_studio.metrics import metrics

handler500 = "accounts.problems.server_error"

urlpatterns = [
    path("health", health),
    path("metrics", metrics),
    path("admin/", admin.site.urls),
    path("", include("accounts.page_urls")),
    path("", include("incidents.page_urls")),
    path("", include("timeline.page_urls")),
    path("", include("correlation.page_urls")),
    path("", include("slos.page_urls")),
    path("api/auth/", include("accounts.urls")),
    path("api/", include("accounts.token_urls")),
    path("api/", include("accounts.audit.urls")),
    path("api/", include("incidents.urls")),
    path("api/", include("timeline.urls")),
    path("api/", include("correlation.urls")),
    path("api/", include("slos.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema")),
    # last of /api/: what no line above took
    path("api/<path:rest>", not_found),
]
