from django.apps import AppConfig


class TimelineConfig(AppConfig):
    name = "timeline"

    def ready(self) -> None:
        from incidents import live
        from timeline import checks, receivers  # noqa: F401  (they register themselves)
        from timeline.audited import watch_models
        from timeline.later_rows import register_rows
        from timeline.panels import AFTERMATH, PANEL
        from timeline.reporting import registering

        live.register(PANEL)
        live.register(AFTERMATH)
        register_rows()
        watch_models()
        registering.register_all()
