from django.apps import AppConfig


class CorrelationConfig(AppConfig):
    name = "correlation"

    def ready(self) -> None:
        from correlation import receivers, runs, service_telemetry, waiting  # noqa: F401  (connects them)
        from correlation.audited import watch_models
        from correlation.data_sources import checks  # noqa: F401  (registers them)
        from correlation.memory import similar_incidents, verdicts
        from correlation.metrics import profile_checks
        from correlation.panels import register_panels
        from correlation.reporting import cause_facts, cause_section, evidence_section
        from incidents import selectors, suggestions, viewpoints
        from timeline.postmortems import knowledge
        from timeline.reporting.sections import register as register_section

        watch_models()
        register_panels()
        runs.register_panel()
        waiting.register_notice()
        similar_incidents.register_panel()
        register_section(cause_section.SECTION)
        register_section(evidence_section.SECTION)
        knowledge.register(cause=cause_facts.cause_of, similar=cause_facts.similar_to)
        viewpoints.register("analysis", runs.moment_of)
        selectors.checks.append(service_telemetry.problems)
        suggestions.suggest_root_cause(verdicts.suggested_root_cause)
        profile_checks.connect()
