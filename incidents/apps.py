from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"

    def ready(self) -> None:
        from incidents.alert_rules import alert_panel
        from incidents.audited import watch_models
        from incidents.panels import register_panels

        register_panels()
        watch_models()
        alert_panel.register_panel()
        from incidents import receivers  # noqa: F401  (they register themselves)
