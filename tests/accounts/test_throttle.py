from __future__ import annotations

from uuid import uuid4

from pytest_django import Settings

from accounts import throttle


def test_wait_counts_down_to_the_window_end(settings: Settings) -> None:
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 1
    settings.LOGIN_ATTEMPTS_WINDOW_SECONDS = 100.0
    account = uuid4().hex

    before = throttle.wait_seconds(account, None)
    throttle.note_failure(account, None)

    assert before == 0
    assert 90 < throttle.wait_seconds(account, None) <= 100


def test_success_forgives_the_account_but_not_the_address(settings: Settings, address: str) -> None:
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = settings.LOGIN_ATTEMPTS_PER_ADDRESS = 1
    account = uuid4().hex
    throttle.note_failure(account, address)

    throttle.note_success(account)

    assert throttle.wait_seconds(account, None) == 0
    assert throttle.wait_seconds(uuid4().hex, address) > 0


def test_addresses_of_one_ipv6_network_count_together(settings: Settings) -> None:
    settings.LOGIN_ATTEMPTS_PER_ADDRESS = 1
    network = f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}"

    throttle.note_failure(uuid4().hex, f"{network}::1")

    assert throttle.wait_seconds(uuid4().hex, f"{network}:ffff::2") > 0


def test_cache_that_is_down_falls_back_to_this_process(settings: Settings) -> None:
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 1
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"socket_connect_timeout": 1},
        }
    }
    account = uuid4().hex

    throttle.note_failure(account, None)

    assert throttle.wait_seconds(account, None) > 0
