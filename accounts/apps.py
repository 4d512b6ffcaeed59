from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import checks, receivers, schema  # noqa: F401  (they register themselves)
        from accounts.audited import watch_models

        watch_models()
