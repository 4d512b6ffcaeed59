"""Who uses the product: people, their roles and the tokens of machines."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What a person may do; each role may do all that the one before it may."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"


class User(AbstractUser):
    """A person. Deactivated, never deleted: timelines and audit entries refer to them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    time_zone = models.CharField(max_length=64, default="UTC")
