from django.apps import AppConfig


class CorrelationConfig(AppConfig):
    name = "correlation"

    def ready(self) -> None:
        from correlation import receivers, runs, service_telemetry, waiting  # noqa: F401  (connects them)
        from correlation.data_sources import checks  # noqa: F401  (registers them)
        from correlation.memory import similar_incidents
        from correlation.metrics import profile_checks
        from correlation.panels import register_panels
        from incidents import selectors, viewpoints

        register_panels()
        runs.register_panel()
        waiting.register_notice()
        similar_incidents.register_panel()
        viewpoints.register("analysis", runs.moment_of)
        selectors.checks.append(service_telemetry.problems)
        profile_checks.connect()
