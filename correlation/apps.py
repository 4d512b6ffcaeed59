from django.apps import AppConfig


class CorrelationConfig(AppConfig):
    name = "correlation"

    def ready(self) -> None:
        from correlation import (  # noqa: F401  (connects them)
            profile_checks,
            receivers,
            runs,
            service_telemetry,
            similar_incidents,
            source_checks,
        )
        from correlation.panels import register_panels
        from incidents import selectors, viewpoints

        register_panels()
        runs.register_panel()
        similar_incidents.register_panel()
        viewpoints.register("analysis", runs.moment_of)
        selectors.checks.append(service_telemetry.problems)
        profile_checks.connect()
