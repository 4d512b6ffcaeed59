from django.apps import AppConfig


class CorrelationConfig(AppConfig):
    name = "correlation"

    def ready(self) -> None:
        from correlation import profile_checks, receivers, service_telemetry, source_checks  # noqa: F401  (connects them)
        from correlation.panels import register_panels
        from incidents import selectors

        register_panels()
        selectors.checks.append(service_telemetry.problems)
        profile_checks.connect()
