"""ALERTMANAGER_URL as a row: made, moved, taken away; people's rows and choices stay."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from incidents.models import Alertmanager, AlertSource
from incidents.upkeep.environment import follow_environment


@pytest.mark.django_db
def test_address_of_the_environment_is_a_row_without_its_login(settings: Settings) -> None:
    settings.ALERTMANAGER_URL = "http://user:secret@alertmanager:9093/prefix"
    settings.ALERTMANAGER_FIELDS = {"receiver": "studio", "auth_variable": "AM_TOKEN"}

    follow_environment()
    follow_environment()

    row = Alertmanager.objects.select_related("source").get()
    assert (row.url, row.receiver, row.auth_variable, row.origin, row.source.slug) == (
        "http://alertmanager:9093/prefix",
        "studio",
        "AM_TOKEN",
        "environment",
        "alertmanager",
    )


def test_row_follows_a_new_address_and_stays_switched_off(
    source: AlertSource, settings: Settings
) -> None:
    settings.ALERTMANAGER_URL = "http://first:9093"
    follow_environment()
    Alertmanager.objects.update(enabled=False)
    settings.ALERTMANAGER_URL = "http://second:9093"

    follow_environment()

    row = Alertmanager.objects.get()
    assert (row.url, row.enabled) == ("http://second:9093", False)


def test_unset_address_takes_its_row_along_and_no_other(
    source: AlertSource, settings: Settings
) -> None:
    Alertmanager.objects.create(source=source, url="http://mine:9093")
    settings.ALERTMANAGER_URL = "http://first:9093"
    follow_environment()
    settings.ALERTMANAGER_URL = ""

    follow_environment()

    assert [row.url for row in Alertmanager.objects.all()] == ["http://mine:9093"]


def test_address_that_a_person_has_added_is_not_added_again(
    source: AlertSource, settings: Settings
) -> None:
    Alertmanager.objects.create(source=source, url="http://am:9093")
    settings.ALERTMANAGER_URL = "http://am:9093"

    follow_environment()

    assert Alertmanager.objects.get().origin == "user"
