from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"

    def ready(self) -> None:
        from incidents.alert_rules import alert_panel
        from incidents.audited import watch_models
        from incidents.followup import panel as followup_panel
        from incidents.notify import panels as notify_panels
        from incidents.panels import register_panels
        from incidents.people import panel as people_panel

        register_panels()
        watch_models()
        alert_panel.register_panel()
        notify_panels.register_panels()
        people_panel.register_panel()
        followup_panel.register_panel()
        from incidents import receivers  # noqa: F401  (they register themselves)
        from incidents.notify import receivers as notify_receivers  # noqa: F401
