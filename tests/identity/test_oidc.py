"""F-035, F-037, F-039, F-232: signing in at an OpenID Connect issuer, honest and otherwise."""

from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey
from sqlmodel import select

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.db import system_session
from mozaiks_shell.identity import issuer, service
from mozaiks_shell.identity.adapters import oidc
from mozaiks_shell.identity.adapters.oidc import roles_in
from mozaiks_shell.identity.models import IssuerVisit, User

PASSWORD = "correct horse battery"


def told(answer):
    """Path and query of a redirect."""
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["location"])
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}


@pytest.fixture
def at_mock(configure, mock_issuer, visitor):
    """A browser of an installation that uses ``oidc-provider-mock``."""
    configure(
        MOZAIKS_OIDC_AUTHORITY=mock_issuer,
        MOZAIKS_OIDC_CLIENT_ID="shell",
        MOZAIKS_OIDC_CLIENT_SECRET="s3cret",
        MOZAIKS_OIDC_NAME="Mock",
    )
    return visitor()


@pytest.fixture
def at_forger(configure, forger, visitor):
    """A browser of an installation that uses the forging issuer, as a public client."""
    forget_documents()
    configure(MOZAIKS_OIDC_AUTHORITY=forger.url, MOZAIKS_OIDC_CLIENT_ID="shell")
    return visitor()


def forget_documents() -> None:
    """Each test starts with an issuer that nobody has asked yet."""
    issuer._issuer.cache_clear()


async def visit(browser, next_path="/"):
    """Go to the forging issuer and come back; returns the answer of our callback and its address."""
    start = await browser.get("/auth/oidc/start", params={"next": next_path})
    back = (await browser.get(start.headers["location"])).headers["location"]
    return await browser.get(back), back


async def error_of(browser):
    answer, _ = await visit(browser)
    path, query = told(answer)
    assert (await browser.get("/api/user-profile")).status_code == 401, "signed in although the page says error"
    return query.get("error", path)


async def test_the_whole_flow(at_mock, sign_in_at_mock, heard):
    answer = await sign_in_at_mock(at_mock, "248289761001", "/reports?year=2026")
    assert told(answer) == ("/reports", {"year": "2026"})
    profile = (await at_mock.get("/api/user-profile")).json()
    assert (profile["username"], profile["email"], profile["full_name"]) == ("jane", "jane@example.com", "Jane Doe")
    assert profile["roles"] == ["admin", "editor"], "the first person of a fresh installation is admin"
    assert [event.name for event in heard] == ["user.signed_up", "user.signed_in"]
    assert "mozaiks_visit" not in at_mock.cookies


async def test_the_same_person_comes_back_to_the_same_account(at_mock, visitor, sign_in_at_mock):
    await sign_in_at_mock(at_mock, "248289761001")
    first = (await at_mock.get("/api/user-profile")).json()
    other = visitor()
    await sign_in_at_mock(other, "248289761001")
    second = (await other.get("/api/user-profile")).json()
    assert second["user_id"] == first["user_id"]
    await sign_in_at_mock(other, "someone-else")
    third = (await other.get("/api/user-profile")).json()
    assert third["user_id"] != first["user_id"] and third["roles"] == ["user"]


async def test_a_replayed_callback_is_refused(at_mock, visitor, sign_in_at_mock):
    answer = await sign_in_at_mock(at_mock, "248289761001")
    replay = str(answer.request.url)
    cookie = answer.request.headers["cookie"]
    again = await visitor().get(replay, headers={"cookie": cookie})
    assert told(again) == ("/sign-in", {"error": "OIDC_STATE"}) and "mozaiks_session=" not in str(again.headers)


async def test_denied_at_the_issuer(at_mock):
    start = await at_mock.get("/auth/oidc/start", params={"next": "/reports"})
    denied = await at_mock.post(start.headers["location"], data={"action": "deny"})
    path, query = told(await at_mock.get(denied.headers["location"]))  # this mock leaves the state out, against RFC 6749 4.1.2.1
    assert (path, query["error"]) == ("/sign-in", "OIDC_DENIED")


async def test_the_request_carries_pkce_state_and_nonce(at_forger, forger):
    await visit(at_forger)
    asked = forger.asked[-1]
    assert (
        asked["response_type"] == "code" and asked["code_challenge_method"] == "S256" and asked["scope"] == "openid profile email"
    )
    assert len(asked["state"]) >= 43 and len(asked["nonce"]) >= 43 and len(asked["code_challenge"]) == 43
    assert asked["redirect_uri"] == "http://localhost:3000/auth/oidc/callback"
    redeemed = forger.redeemed[-1]
    assert redeemed["client_id"] == "shell" and "client_secret" not in redeemed and len(redeemed["code_verifier"]) >= 43
    await visit(at_forger)
    assert {forger.asked[0][name] == forger.asked[1][name] for name in ("state", "nonce", "code_challenge")} == {False}


async def test_the_visit_cookie_is_bound_to_this_browser(at_forger, visitor, forger):
    start = await at_forger.get("/auth/oidc/start")
    cookie = start.headers["set-cookie"]
    for flag in ("mozaiks_visit=", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=600"):
        assert flag in cookie
    back = (await at_forger.get(start.headers["location"])).headers["location"]
    assert told(await visitor().get(back)) == ("/sign-in", {"error": "OIDC_STATE"})
    stranger = visitor()
    await stranger.get("/auth/oidc/start")
    assert told(await stranger.get(back)) == ("/sign-in", {"error": "OIDC_STATE"})
    assert told(await at_forger.get(back)) == ("/", {})


async def test_a_visit_that_takes_too_long_is_over(at_forger, later):
    start = await at_forger.get("/auth/oidc/start")
    back = (await at_forger.get(start.headers["location"])).headers["location"]
    later(minutes=11)
    assert told(await at_forger.get(back)) == ("/sign-in", {"error": "OIDC_STATE"})


async def test_a_person_who_says_no_may_try_again_for_the_same_page(at_forger, forger, heard):
    forger.callback = {"code": None, "error": "access_denied"}
    answer, _ = await visit(at_forger, "/reports?year=2026")
    assert told(answer) == ("/sign-in", {"error": "OIDC_DENIED", "next": "/reports?year=2026"})
    assert [(event.name, event.data["reason"]) for event in heard] == [("user.sign_in_failed", "OIDC_DENIED")]


@pytest.mark.parametrize(
    ("callback", "error"),
    [
        ({"code": None, "error": "server_error"}, "OIDC_REFUSED"),
        ({"code": None}, "OIDC_REFUSED"),
        ({"state": "forged"}, "OIDC_STATE"),
        ({"state": None}, "OIDC_STATE"),
        ({"state": "ü" * 2000}, "OIDC_STATE"),
        ({"iss": "https://evil.example"}, "OIDC_UNTRUSTED"),
    ],
)
async def test_wrong_callbacks(at_forger, forger, callback, error):
    forger.callback = callback
    assert await error_of(at_forger) == error


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": None},
        {"aud": ["shell", "another-client"]},
        {"aud": ["shell", "another-client"], "azp": "another-client"},
        {"azp": "another-client"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"iat": None},
        {"iat": 9_000_000_000},
        {"nbf": 9_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "a\x00b"},
    ],
    ids=str,
)
async def test_wrong_id_tokens(at_forger, forger, claims):
    forger.claims = claims
    assert await error_of(at_forger) == "OIDC_UNTRUSTED"


async def test_several_audiences_are_fine_when_issued_to_us(at_forger, forger):
    forger.claims = {"aud": ["shell", "another-client"], "azp": "shell"}
    answer, _ = await visit(at_forger)
    assert told(answer) == ("/", {})


async def test_a_foreign_signature_is_refused(at_forger, forger):
    forger.sign_with = RSAKey.generate_key(2048, {"kid": forger.key.kid})
    assert await error_of(at_forger) == "OIDC_UNTRUSTED"


async def test_an_unsigned_token_is_refused(at_forger, forger):
    forger.algorithm = "none"
    assert await error_of(at_forger) == "OIDC_UNTRUSTED"


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(at_forger, forger):
    forger.algorithm = "HS256"
    assert await error_of(at_forger) == "OIDC_UNTRUSTED"


async def test_a_rotated_key_works_without_a_restart_and_bad_kids_do_not_hammer(at_forger, forger, monkeypatch):
    await visit(at_forger)
    assert forger.key_fetches == 1
    forger.sign_with = RSAKey.generate_key(2048, auto_kid=True)
    for _ in range(3):
        assert told((await visit(at_forger))[0])[1] == {"error": "OIDC_UNTRUSTED"}
    assert forger.key_fetches == 1
    monkeypatch.setattr(oidc, "KEYS_PAUSE", -1.0)
    forger.key = forger.sign_with
    assert told((await visit(at_forger))[0]) == ("/", {})
    assert forger.key_fetches == 2


async def test_iss_is_required_when_the_issuer_promises_it(at_forger, forger):
    forger.metadata = {"authorization_response_iss_parameter_supported": True}
    assert await error_of(at_forger) == "OIDC_UNTRUSTED"
    forger.callback = {"iss": forger.url}
    assert told((await visit(at_forger))[0]) == ("/", {})


async def test_a_discovery_document_of_somebody_else_is_refused(at_forger, forger):
    forger.metadata = {"issuer": "https://evil.example"}
    assert told(await at_forger.get("/auth/oidc/start?next=/a")) == ("/sign-in", {"error": "OIDC_UNTRUSTED", "next": "/a"})


async def test_an_issuer_that_is_down(configure, visitor):
    configure(MOZAIKS_OIDC_AUTHORITY="http://127.0.0.1:9", MOZAIKS_OIDC_CLIENT_ID="shell")
    assert told(await visitor().get("/auth/oidc/start")) == ("/sign-in", {"error": "OIDC_DOWN"})


async def test_no_issuer_is_set_up(browser):
    assert told(await browser.get("/auth/oidc/start")) == ("/sign-in", {"error": "OIDC_OFF"})
    assert told(await browser.get("/auth/oidc/callback?code=1&state=2"))[1] == {"error": "OIDC_STATE"}


async def test_an_account_is_never_taken_over_by_address(at_forger, forger):
    ada = await service.register("sam", PASSWORD, "sam@example.com")
    forger.claims = {"email_verified": True}
    assert await error_of(at_forger) == "OIDC_EMAIL_TAKEN"
    assert (await service.find_user(ada.id)).issuer is None


async def test_a_disabled_person_is_told_so(at_forger):
    await visit(at_forger)
    async with system_session() as db:
        (await db.execute(select(User))).scalars().one().disabled = True
    assert await error_of(at_forger) == "ACCOUNT_DISABLED"


async def test_a_taken_user_name_gets_a_suffix(at_forger, forger):
    await service.register("sam", PASSWORD, "other@example.com")
    await visit(at_forger)
    assert (await at_forger.get("/api/user-profile")).json()["username"].startswith("sam-")


async def test_no_name_and_no_address_still_makes_an_account(at_forger, forger):
    forger.claims = {"email": None, "name": None, "preferred_username": "☃"}
    await visit(at_forger)
    profile = (await at_forger.get("/api/user-profile")).json()
    assert profile["username"].startswith("user-") and profile["email"] == ""


async def test_name_and_address_from_userinfo(at_forger, forger):
    forger.claims = {"email": None, "name": None}
    forger.userinfo = {"sub": "00u-not-hex|1", "email": "sam@corp.example", "name": "Sam from Userinfo"}
    await visit(at_forger)
    assert (await at_forger.get("/api/user-profile")).json()["full_name"] == "Sam from Userinfo"


async def test_userinfo_about_somebody_else_is_refused(at_forger, forger):
    forger.claims = {"email": None}
    forger.userinfo = {"sub": "somebody-else", "email": "admin@example.com"}
    assert await error_of(at_forger) == "OIDC_UNTRUSTED"


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["Editor", "viewer"]}}),
        ("https://app.example.com/roles", {"https://app.example.com/roles": ["editor", "viewer"]}),
        ("roles", {"roles": ["viewer", "editor"]}),
        ("roles", {"roles": "editor viewer"}),
        ("roles", {"resource_access": {"shell": {"roles": ["editor", "viewer"]}}}),
    ],
)
async def test_roles_of_every_shape(configure, forger, visitor, path, claims):
    await service.register("founder", PASSWORD, "founder@example.com")
    configure(MOZAIKS_OIDC_AUTHORITY=forger.url, MOZAIKS_OIDC_CLIENT_ID="shell", AUTH_ROLES_CLAIM=path)
    forget_documents()
    forger.claims = claims
    browser = visitor()
    await visit(browser)
    assert (await browser.get("/api/user-profile")).json()["roles"] == ["editor", "user", "viewer"]


async def test_roles_in_the_access_token_only(configure, at_forger, forger):
    configure(AUTH_ROLES_CLAIM="realm_access.roles")
    forger.access_claims = {"realm_access": {"roles": ["editor"]}}
    await visit(at_forger)
    assert "editor" in (await at_forger.get("/api/user-profile")).json()["roles"]


async def test_a_role_taken_away_at_the_issuer_is_gone_after_the_next_sign_in(at_forger, forger):
    forger.claims = {"roles": ["editor"]}
    await visit(at_forger)
    forger.claims = {"roles": []}
    await visit(at_forger)
    assert (await at_forger.get("/api/user-profile")).json()["roles"] == ["admin"], "the founder stays admin"


@pytest.mark.parametrize("value", [None, 7, {"a": 1}, [1, None, {}], "", [["admin"]]])
def test_nonsense_gives_no_roles(value):
    assert roles_in({"roles": value}, "roles", "shell") == ()
    assert roles_in({"a": value}, "a.b.c", "shell") == ()


async def test_sign_out_offers_the_issuers_own_sign_out(at_forger, forger):
    await visit(at_forger)
    assert told(await at_forger.post("/auth/sign-out")) == ("/sign-in", {"notice": "SIGNED_OUT_HERE"})
    away = (await at_forger.get("/auth/oidc/sign-out")).headers["location"]
    query = parse_qs(urlsplit(away).query)
    assert away.startswith(f"{forger.url}/end?")
    assert query == {"client_id": ["shell"], "post_logout_redirect_uri": ["http://localhost:3000/sign-in"]}


async def test_a_minute_of_clock_difference_is_forgiven(at_forger, forger):
    forger.claims = {"exp": int(now().timestamp()) - 60}
    assert told((await visit(at_forger))[0]) == ("/", {})


async def test_a_click_before_the_pages_script_ran_still_leads_back(at_mock):
    """The prerendered link carries no ``next``; the page's own address does."""
    origin = str(at_mock.base_url).rstrip("/")
    start = await at_mock.get("/auth/oidc/start", headers={"referer": f"{origin}/sign-in?next=%2Freports%3Fyear%3D2026"})
    async with system_session() as opened:
        wanted = (await opened.execute(select(IssuerVisit.next_path))).scalars().all()
    assert (start.status_code, wanted) == (303, ["/reports?year=2026"])
