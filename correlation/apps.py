from django.apps import AppConfig


class CorrelationConfig(AppConfig):
    name = "correlation"

    def ready(self) -> None:
        from correlation import receivers, source_checks  # noqa: F401  (connects them)
        from correlation.panels import register_panels

        register_panels()
