"""Numbers given out one after another."""

from __future__ import annotations

from django.db import models
from django.db.models import F


class NumberSequence(models.Model):
    """The last number given out; its row lock orders concurrent openings."""

    name = models.CharField(max_length=32, primary_key=True)
    value = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"

    @classmethod
    def lock(cls, name: str) -> None:
        """Hold the sequence until the transaction ends, without taking a number.

        SQLite needs no more than the transaction: IMMEDIATE ones exclude each other.
        """
        if not cls.objects.select_for_update().filter(name=name).exists():
            NumberSequence.objects.bulk_create([NumberSequence(name=name)], ignore_conflicts=True)
            cls.objects.select_for_update().get(name=name)

    @classmethod
    def take(cls, name: str) -> int:
        """The next number; call it inside the transaction that uses it."""
        cls.lock(name)
        cls.objects.filter(name=name).update(value=F("value") + 1)
        return cls.objects.get(name=name).value
