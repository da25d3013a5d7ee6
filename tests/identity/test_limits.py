"""F-318: guessing passwords is slow, per login name and per address."""

import re

import pytest

from mozaiks_shell.foundation import limits
from mozaiks_shell.foundation.errors import TooMany
from mozaiks_shell.identity.sign_in import REGISTRATIONS_PER_ADDRESS, SIGN_INS_PER_ADDRESS, SIGN_INS_PER_NAME, network_of

ADA = {"username": "ada", "password": "correct horse battery", "email": "ada@example.com"}
WRONG = {"username": "ada", "password": "wrong password"}


async def test_guessing_one_name_from_many_addresses(visitor):
    for number in range(SIGN_INS_PER_NAME):
        assert (await visitor(f"203.0.113.{number}").post("/api/auth/token", json=WRONG)).status_code == 401
    answer = await visitor("203.0.113.99").post("/api/auth/token", json={**WRONG, "username": " ADA "})
    assert answer.status_code == 429 and 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.json()["code"] == "LIMIT_EXCEEDED"
    assert (await visitor().post("/api/auth/token", json={**WRONG, "username": "eve"})).status_code == 401


async def test_name_and_address_of_one_account_are_counted_together(visitor):
    await visitor().post("/api/auth/register", json=ADA)
    for number in range(SIGN_INS_PER_NAME):
        login = ("ada", "ADA@example.com", " Ada ")[number % 3]
        answer = await visitor(f"203.0.113.{number}").post("/api/auth/token", json={**WRONG, "username": login})
        assert answer.status_code == 401
    for login in ("ada", "ada@example.com"):
        answer = await visitor("203.0.113.99").post("/api/auth/token", json={**ADA, "username": login})
        assert answer.status_code == 429, "the right password goes through while the name is locked"


async def test_a_success_with_the_address_starts_the_count_of_the_name_anew(visitor):
    await visitor().post("/api/auth/register", json=ADA)
    for _ in range(2):
        for _ in range(SIGN_INS_PER_NAME - 1):
            assert (await visitor().post("/api/auth/token", json=WRONG)).status_code == 401
        assert (await visitor().post("/api/auth/token", json={**ADA, "username": ADA["email"]})).status_code == 200


async def test_the_page_says_so_too(visitor):
    for _ in range(SIGN_INS_PER_NAME):
        await visitor().post("/auth/sign-in", data=WRONG)
    answer = await visitor().post("/auth/sign-in", data=WRONG)
    assert re.fullmatch(r"/sign-in\?error=LIMIT_EXCEEDED&wait=\d+&username=ada", answer.headers["location"])


async def test_a_success_starts_the_count_of_a_name_anew(visitor):
    await visitor().post("/api/auth/register", json=ADA)
    for _ in range(3):
        for _ in range(SIGN_INS_PER_NAME - 1):
            await visitor().post("/api/auth/token", json={**WRONG, "password": ""})
        assert (await visitor().post("/api/auth/token", json=ADA)).status_code == 200


async def test_guessing_many_names_from_one_address(visitor, monkeypatch):
    monkeypatch.setattr("mozaiks_shell.identity.sign_in.SIGN_INS_PER_ADDRESS", 3)
    answers = [await visitor().post("/api/auth/token", json={**WRONG, "username": f"n{n}"}) for n in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429] and SIGN_INS_PER_ADDRESS > SIGN_INS_PER_NAME
    assert (await visitor("203.0.113.8").post("/api/auth/token", json=WRONG)).status_code == 401


async def test_registrations_from_one_address(visitor):
    bad = {**ADA, "password": "x"}
    for _ in range(REGISTRATIONS_PER_ADDRESS):
        assert (await visitor().post("/api/auth/register", json=bad)).status_code == 422
    answer = await visitor().post("/api/auth/register", json=ADA)
    assert answer.status_code == 429 and "retry-after" in answer.headers


@pytest.mark.parametrize(
    ("hops", "expected"), [("0", "10.0.0.1"), ("1", "198.51.100.2"), ("2", "198.51.100.1"), ("3", "10.0.0.1")]
)
async def test_the_address_is_taken_from_as_many_proxies_as_we_have(configure, visitor, heard, hops, expected):
    configure(MOZAIKS_TRUSTED_PROXY_HOPS=hops)
    browser = visitor("10.0.0.1", **{"x-forwarded-for": "forged, 198.51.100.1, 198.51.100.2"})
    await browser.post("/api/auth/token", json=WRONG)
    assert heard[-1].data["ip"] == expected


def test_an_ipv6_household_counts_as_one():
    assert network_of("2001:db8:1:2:aaaa::1") == network_of("2001:db8:1:2:bbbb::2") != network_of("2001:db8:1:3::1")
    assert network_of("198.51.100.1") != network_of("198.51.100.2") and network_of("unix") == "unix"


async def test_hit_counts_per_name_and_key(settings):
    for _ in range(2):
        await limits.hit("a", "x" * 10_000, 2)
    with pytest.raises(TooMany) as refused:
        await limits.hit("a", "x" * 10_000, 2)
    assert 1 <= refused.value.retry_after <= 60
    await limits.hit("a", "y", 2)
    await limits.hit("b", "x" * 10_000, 2)
    await limits.forget("a", "x" * 10_000, 2)
    await limits.hit("a", "x" * 10_000, 2)
