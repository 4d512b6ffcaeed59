"""manage.py register_token NAME --scope S --token-env VAR"""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.models import TOKEN_MARK, ApiToken, Scope, hash_token

SHORTEST = len(TOKEN_MARK) + 32


class Command(BaseCommand):
    help = (
        "Accepts the token in an environment variable for intake, and no longer those the same "
        "name had before. Running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        # reading and writing is always somebody's doing: only intake needs no owner
        parser.add_argument("--scope", choices=[Scope.INTAKE.value], required=True)
        parser.add_argument("--token-env", required=True, metavar="VARIABLE")

    def handle(self, *args: Any, **options: Any) -> None:
        name, variable = options["name"], options["token_env"]
        plain = os.environ.get(variable, "")
        if not plain.startswith(TOKEN_MARK) or len(plain) < SHORTEST or not plain.isascii():
            raise CommandError(
                f"{variable} is not a token: {TOKEN_MARK} and at least 32 random characters. "
                f'Make one: printf {TOKEN_MARK}%s "$(openssl rand -hex 24)"'
            )
        digest = hash_token(plain)
        ours = ApiToken.objects.filter(name=name, owner=None)
        with transaction.atomic():
            ended = ours.exclude(token_hash=digest).filter(revoked_at=None)
            replaced = ended.update(revoked_at=timezone.now())
            kept = ours.filter(token_hash=digest).update(revoked_at=None, expires_at=None)
            if replaced:
                record("api_token.replaced", None, None, {"name": name, "revoked": replaced})
            if not kept:
                if ApiToken.objects.filter(token_hash=digest).exists():
                    raise CommandError(f"{variable} is in use under another name.")
                ApiToken.objects.create(
                    name=name,
                    prefix=plain[:10],
                    token_hash=digest,
                    scopes=[options["scope"]],
                )
        self.stdout.write(f"{name}: {'kept' if kept else 'registered'}, {replaced} replaced")
