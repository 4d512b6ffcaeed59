from django.apps import AppConfig


class SlosConfig(AppConfig):
    name = "slos"

    def ready(self) -> None:
        from incidents.catalogue import sections
        from slos.audited import watch_models
        from slos.pages import of_service

        watch_models()
        sections.register(of_service.SECTION)
