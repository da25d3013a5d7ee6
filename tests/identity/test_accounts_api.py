"""F-042, F-045, F-051, F-059, F-230: the account API over HTTP."""

import json

import httpx
import pytest
from sqlmodel import select

from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.identity import service
from mozaiks_shell.identity.models import User

PASSWORD = "correct horse battery"
ADA = {"username": "ada", "password": PASSWORD, "email": "ada@example.com", "full_name": "Ada Lovelace"}
EVE = {"username": "eve", "password": PASSWORD, "email": "eve@example.com", "full_name": "Eve Moreau"}

TOO_LONG = json.dumps({"a": "x" * 20_000})


async def signed_up(browser: httpx.AsyncClient, person: dict[str, str] = ADA) -> dict[str, str]:
    """Register and get a token; returns the header that shows it."""
    assert (await browser.post("/api/auth/register", json=person)).status_code == 201
    answer = await browser.post("/api/auth/token", json={"username": person["username"], "password": person["password"]})
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


async def test_register_then_token_opens_the_profile(browser, heard):
    header = await signed_up(browser)
    profile = (await browser.get("/api/user-profile", headers=header)).json()
    assert (profile["username"], profile["email"], profile["full_name"]) == ("ada", "ada@example.com", "Ada Lovelace")
    assert profile["roles"] == ["admin"] and profile["is_admin"]
    assert [event.name for event in heard] == ["user.signed_up", "user.signed_in"]


async def test_token_accepts_a_form_and_says_how_long_it_lives(browser):
    await browser.post("/api/auth/register", json=ADA)
    answer = (await browser.post("/api/auth/token", data={"username": "ADA@example.com", "password": PASSWORD})).json()
    assert answer["token_type"] == "bearer" and answer["expires_in"] == 3600 and len(answer["access_token"]) >= 43


async def test_only_argon2_and_digests_are_stored(browser):
    header = await signed_up(browser)
    async with system_session() as db:
        user = (await db.execute(select(User))).scalars().one()
        stored = str((await db.execute(select(service.claims_of.__globals__["Session"]))).scalars().one().model_dump())
    assert user.password_hash.startswith("$argon2id$")
    assert header["authorization"].removeprefix("Bearer ") not in stored


async def test_no_hash_in_any_answer(browser):
    header = await signed_up(browser)
    answers = [
        await browser.get("/api/user-profile", headers=header),
        await browser.get("/api/auth/validate-token", headers=header),
        await browser.post("/api/update-profile", headers=header, json={"city": "London"}),
        await browser.post("/api/auth/register", json=EVE),
    ]
    for answer in answers:
        assert answer.is_success and "argon2" not in answer.text and "hash" not in answer.text


@pytest.mark.parametrize(
    "change", [{"email": "other@example.com"}, {"username": "other"}, {"username": "ＡＤＡ", "email": "x@y.z"}]
)
async def test_a_taken_name_or_address_is_a_conflict(browser, change):
    assert (await browser.post("/api/auth/register", json=ADA)).status_code == 201
    answer = await browser.post("/api/auth/register", json={**ADA, **change})
    assert answer.status_code == 409 and answer.json()["code"] == "ACCOUNT_EXISTS"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "x" * 10_000}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "zzzzzzzzzzzz"}, "password"),
        ({"password": "Ada@Example.com"}, "password"),
        ({"password": "ada lovelace"}, "password"),
        ({"username": "a"}, "username"),
        ({"username": "ada@example.com"}, "username"),
        ({"username": "x'; DROP TABLE identity_user; --"}, "username"),
        ({"username": "a\x00da"}, "username"),
        ({"username": "x" * 10_000}, "username"),
        ({"email": "nobody"}, "email"),
        ({"email": "a b@c"}, "email"),
        ({"email": "x" * 10_000 + "@example.com"}, "email"),
        ({"full_name": "x" * 10_000}, "full_name"),
        ({"full_name": "two\nlines"}, "full_name"),
        ({"username": 7}, "username"),
        ({"email": {"$ne": ""}}, "email"),
        ({"password": None}, "password"),
    ],
)
async def test_wrong_fields_are_named(browser, change, field):
    answer = await browser.post("/api/auth/register", json={**ADA, **change})
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_every_wrong_field_is_named_at_once(browser):
    answer = await browser.post("/api/auth/register", json={"username": "", "password": "", "email": ""})
    assert {error["field"] for error in answer.json()["errors"]} == {"username", "password", "email"}


@pytest.mark.parametrize("name", ["Žofie.Šťastná", "李小龍", "O.Brien-2", "мария"])
async def test_names_of_the_world_work(browser, name):
    header = await signed_up(browser, {**ADA, "username": name, "full_name": "Žofie 'Robert'); DROP TABLE"})
    profile = (await browser.get("/api/user-profile", headers=header)).json()
    assert profile["username"] == name.casefold() and profile["full_name"] == "Žofie 'Robert'); DROP TABLE"


async def test_the_same_password_typed_on_another_keyboard_fits(browser):
    await browser.post("/api/auth/register", json={**ADA, "password": "Mu\u0308ller-Stra\u00dfe"})
    answer = await browser.post("/api/auth/token", json={"username": "ada", "password": "M\u00fcller-Stra\u00dfe"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "login",
    ["' OR 1=1 --", "ada' --", "%", "ada\x00", "\ud800", "x" * 10_000, "👩‍💻", "nobody@example.com", "eve"],
)
async def test_strange_logins_are_just_wrong(browser, login):
    await browser.post("/api/auth/register", json=ADA)
    body = json.dumps({"username": login, "password": PASSWORD})
    answer = await browser.post("/api/auth/token", content=body.encode(), headers={"content-type": "application/json"})
    assert answer.status_code in {401, 422} and "INTERNAL" not in answer.text


@pytest.mark.parametrize("password", ["wrong password!", "", "x" * 10_000, PASSWORD.upper()])
async def test_a_wrong_password_never_fits(browser, heard, password):
    await browser.post("/api/auth/register", json=ADA)
    answer = await browser.post("/api/auth/token", json={"username": "ada", "password": password})
    assert answer.status_code in {401, 422}
    assert PASSWORD not in str(heard) and (not password or password not in str(heard))


async def test_unknown_name_and_wrong_password_look_the_same(browser, heard):
    await browser.post("/api/auth/register", json=ADA)
    wrong = await browser.post("/api/auth/token", json={"username": "ada", "password": "not the password"})
    unknown = await browser.post("/api/auth/token", json={"username": "nobody", "password": "not the password"})
    assert wrong.status_code == unknown.status_code == 401 and wrong.json() == unknown.json()
    failed = [event.data for event in heard if event.name == "user.sign_in_failed"]
    assert len(failed) == 2 and all(data["ip"] == "203.0.113.7" and "ada" not in data["login"] for data in failed)


async def test_switched_off_registration_answers_403(configure, visitor):
    configure(MOZAIKS_REGISTRATION="false")
    answer = await visitor().post("/api/auth/register", json=ADA)
    assert answer.status_code == 403 and answer.json()["code"] == "REGISTRATION_OFF"


async def test_switched_off_local_accounts_answer_403(configure, visitor):
    configure(MOZAIKS_LOCAL_ACCOUNTS="false", MOZAIKS_OIDC_AUTHORITY="http://localhost:9", MOZAIKS_OIDC_CLIENT_ID="x")
    browser = visitor()
    assert (await browser.post("/api/auth/register", json=ADA)).status_code == 403
    assert (await browser.post("/api/auth/token", json={"username": "ada", "password": PASSWORD})).status_code == 403


async def test_validate_tells_good_tokens_from_bad_ones(browser):
    header = await signed_up(browser)
    token = header["authorization"].removeprefix("Bearer ")
    claims = (await browser.get("/api/auth/validate-token", headers=header)).json()
    assert claims["valid"] and claims["sub"] == claims["user_id"] and claims["exp"] - claims["iat"] == 3600
    assert (await browser.post("/api/auth/validate", json={"token": token})).json() == claims
    assert (await browser.post("/api/auth/validate", headers=header)).json() == claims
    assert (await browser.post("/api/auth/validate", json={"token": "nonsense"})).status_code == 401
    assert (await browser.post("/api/auth/validate", json={"token": "\u00fc" * 9000})).status_code == 401
    assert (await browser.get("/api/auth/validate-token")).status_code == 401
    assert (await browser.post("/api/auth/logout", headers=header)).json()["sessions_ended"] == 1
    assert (await browser.post("/api/auth/validate", json={"token": token})).status_code == 401
    assert (await browser.get("/api/user-profile", headers=header)).status_code == 401


async def test_a_token_ends_by_itself(browser, later):
    header = await signed_up(browser)
    later(minutes=59)
    assert (await browser.get("/api/user-profile", headers=header)).status_code == 200
    later(minutes=61)
    assert (await browser.get("/api/user-profile", headers=header)).status_code == 401


async def test_cookie_and_token_are_not_interchangeable(browser):
    header = await signed_up(browser)
    token = header["authorization"].removeprefix("Bearer ")
    assert (await browser.get("/api/user-profile", headers={"cookie": f"{service.cookie_name()}={token}"})).status_code == 401
    secret = await service.open_session(await service.authenticate("ada", PASSWORD))
    assert (await browser.get("/api/user-profile", headers={"authorization": f"Bearer {secret}"})).status_code == 401
    both = {"cookie": f"{service.cookie_name()}={secret}", "authorization": "Bearer nonsense"}
    assert (await browser.get("/api/user-profile", headers=both)).status_code == 401


async def test_sign_out_everywhere(browser):
    header = await signed_up(browser)
    secret = await service.open_session(await service.authenticate("ada", PASSWORD))
    answer = await browser.post("/api/auth/logout", params={"everywhere": "true"}, headers=header)
    assert answer.json()["sessions_ended"] == 2 and await service.resolve(secret) is None


async def test_protected_keys_are_refused_by_name(browser):
    header = await signed_up(browser)
    for key in ("_id", "username", "email", "hashed_password", "password_hash", "roles", "is_admin", "Roles", "disabled"):
        answer = await browser.post("/api/update-profile", headers=header, json={key: "evil", "city": "London"})
        assert answer.status_code == 400 and answer.json()["fields"] == [key]
    assert "city" not in (await browser.get("/api/user-profile", headers=header)).json()


async def test_profile_keeps_free_fields(browser):
    header = await signed_up(browser)
    await browser.post("/api/update-profile", headers=header, json={"full_name": "Ada King", "city": "London", "tags": ["a"]})
    answer = await browser.post("/api/update-profile", headers=header, json={"tags": None})
    profile = answer.json()["profile"]
    assert (profile["full_name"], profile["city"]) == ("Ada King", "London") and "tags" not in profile


@pytest.mark.parametrize(
    "body",
    [
        '{"bio": NaN}',
        '{"bio": "\\ud800"}',
        '{"bad key": 1}',
        '{"\\ud800": 1}',
        '{"full_name": 3}',
        '{"a": "' + "x" * 20_000 + '"}',
        '{"a":' + "[" * 900 + "]" * 900 + "}",
    ],
)
async def test_profile_refuses_what_it_cannot_keep(browser, body):
    header = await signed_up(browser)
    answer = await browser.post("/api/update-profile", headers={**header, "content-type": "application/json"}, content=body)
    assert answer.status_code == 422, answer.text
    assert (await browser.get("/api/user-profile", headers=header)).status_code == 200


async def test_another_persons_data_is_refused(browser):
    await signed_up(browser)
    header = await signed_up(browser, EVE)
    ada = (await service.authenticate("ada", PASSWORD)).id
    assert (await browser.get("/api/user-profile", params={"user_id": ada}, headers=header)).status_code == 403
    assert (await browser.post("/api/update-profile", json={"user_id": ada}, headers=header)).status_code == 403


async def test_a_failed_first_registration_leaves_the_installation_fresh(browser):
    assert (await browser.post("/api/auth/register", json={**ADA, "password": "x"})).status_code == 422
    assert await service.is_fresh_installation()


@pytest.mark.parametrize(
    "path", ["/api/auth/token", "/api/auth/validate", "/auth/sign-in", "/auth/register", "/api/auth/register"]
)
@pytest.mark.parametrize("depth", [900, 100_000])
async def test_deeply_nested_json_is_a_mistake_of_the_sender(browser, path, depth):
    body = '{"username":' + "[" * depth + "]" * depth + "}"
    answer = await browser.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
