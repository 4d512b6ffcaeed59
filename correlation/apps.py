from django.apps import AppConfig


class CorrelationConfig(AppConfig):
    name = "correlation"

    def ready(self) -> None:
        from correlation import receivers, source_checks  # noqa: F401  (connects them)
        from correlation import profile_checks, service_telemetry
        from correlation.panels import register_panels
        from incidents import selectors

        register_panels()
        selectors.checks.append(service_telemetry.problems)
        profile_checks.connect()
