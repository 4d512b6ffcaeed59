"""manage.py create_user NAME --email E --role R --password-env VAR"""

from __future__ import annotations

import os
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Role, User


class Command(BaseCommand):
    help = "Creates a person, with the password from an environment variable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--email", required=True)
        parser.add_argument("--role", choices=Role.values, default=Role.VIEWER.value)
        parser.add_argument("--password-env", required=True, metavar="VARIABLE")
        parser.add_argument("--staff", action="store_true", help="may open the Django admin")

    def handle(self, *args: Any, **options: Any) -> None:
        variable = options["password_env"]
        password = os.environ.get(variable, "")
        if not password:
            raise CommandError(f"The environment variable {variable} is empty.")
        person = User(
            username=options["username"],
            email=options["email"],
            role=options["role"],
            is_staff=options["staff"],
        )
        try:
            validate_password(password, person)
            person.set_password(password)
            person.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        person.save()
        self.stdout.write(f"{person.username}: {person.role}")
