from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"

    def ready(self) -> None:
        from incidents.panels import register_panels

        register_panels()
        from incidents import receivers  # noqa: F401  (they register themselves)
