from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "reliability_studio"

    def ready(self) -> None:
        from reliability_studio import checks  # noqa: F401  (registers the checks)
