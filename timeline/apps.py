from django.apps import AppConfig


class TimelineConfig(AppConfig):
    name = "timeline"

    def ready(self) -> None:
        from incidents import live
        from timeline import checks, receivers  # noqa: F401  (they register themselves)
        from timeline.panels import PANEL

        live.register(PANEL)
