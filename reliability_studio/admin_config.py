"""Names the admin's site; apart from it, because apps load before models do."""

from django.contrib.admin.apps import AdminConfig


class StudioAdminConfig(AdminConfig):
    default_site = "reliability_studio.admin_site.StudioAdminSite"
