from django.apps import AppConfig


class CorrelationConfig(AppConfig):
    name = "correlation"

    def ready(self) -> None:
        from correlation import profile_checks, receivers, service_telemetry, source_checks  # noqa: F401  (connects them)
        from correlation.panels import register_panels
        from correlation.runs import moment_of, register_panel
        from incidents import selectors, viewpoints

        register_panels()
        register_panel()
        viewpoints.register("analysis", moment_of)
        selectors.checks.append(service_telemetry.problems)
        profile_checks.connect()
