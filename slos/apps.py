from django.apps import AppConfig


class SlosConfig(AppConfig):
    name = "slos"

    def ready(self) -> None:
        from incidents.catalogue import sections, users_query
        from slos import receivers  # noqa: F401  (connects them)
        from slos.audited import watch_models
        from slos.checking import users
        from slos.impacts.registering import register_all
        from slos.pages import of_service

        watch_models()
        register_all()
        sections.register(of_service.SECTION)
        users_query.register(users.refusal)
