from django.apps import AppConfig


class SlosConfig(AppConfig):
    name = "slos"

    def ready(self) -> None:
        from incidents.catalogue import sections
        from slos import receivers  # noqa: F401  (connects them)
        from slos.audited import watch_models
        from slos.impacts.registering import register_all
        from slos.pages import of_service

        watch_models()
        register_all()
        sections.register(of_service.SECTION)
