"""Included at api/."""

from rest_framework.routers import SimpleRouter

from accounts.api import ApiTokenViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("tokens", ApiTokenViewSet, basename="api-token")
urlpatterns = router.urls
