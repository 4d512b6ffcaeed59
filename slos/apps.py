from django.apps import AppConfig


class SlosConfig(AppConfig):
    name = "slos"

    def ready(self) -> None:
        from slos.audited import watch_models

        watch_models()
