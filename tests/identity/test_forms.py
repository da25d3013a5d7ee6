"""F-030, F-041, F-051: signing in and out by native forms."""

from urllib.parse import parse_qs, urlsplit

import pytest

from mozaiks_shell.identity import service

PASSWORD = "correct horse battery"
ADA = {"username": "ada", "password": PASSWORD, "email": "ada@example.com", "full_name": "Ada Lovelace"}
KNOWN = {"username": "ada", "password": PASSWORD}


def told(answer):
    """Path and query of a redirect."""
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["location"])
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}


def cookie_of(answer) -> str:
    return answer.headers.get("set-cookie", "")


async def test_register_signs_in_and_goes_on(browser):
    answer = await browser.post("/auth/register", data={**ADA, "next": "/reports?year=2026"})
    assert told(answer) == ("/reports", {"year": "2026"})
    assert (await browser.get("/api/user-profile")).json()["username"] == "ada"


async def test_the_cookie_over_http(browser):
    cookie = cookie_of(await browser.post("/auth/register", data=ADA))
    assert cookie.startswith("mozaiks_session=") and "Secure" not in cookie
    for flag in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert flag in cookie


async def test_the_cookie_over_https(configure, visitor):
    configure(MOZAIKS_PUBLIC_URL="https://app.example.com")
    browser = visitor()
    cookie = cookie_of(await browser.post("/auth/register", data=ADA))
    assert cookie.startswith("__Host-mozaiks_session=") and "Domain" not in cookie
    for flag in ("HttpOnly", "SameSite=lax", "Path=/", "Secure"):
        assert flag in cookie
    assert (await browser.get("/api/user-profile")).status_code == 200
    gone = cookie_of(await browser.post("/auth/sign-out"))
    assert gone.startswith('__Host-mozaiks_session="";') and "Secure" in gone and "Max-Age=0" in gone


async def test_errors_come_back_as_codes_with_what_was_typed(browser):
    await browser.post("/auth/register", data=ADA)
    await browser.post("/auth/sign-out")
    path, query = told(await browser.post("/auth/sign-in", data={**KNOWN, "password": "wrong password", "next": "/a?b=c"}))
    assert (path, query) == ("/sign-in", {"error": "WRONG_CREDENTIALS", "username": "ada", "next": "/a?b=c"})
    path, query = told(await browser.post("/auth/register", data={**ADA, "username": "a", "password": "short"}))
    assert path == "/register" and query["error"] == "NAME_INVALID,PASSWORD_SHORT"
    assert query["username"] == "a" and query["email"] == "ada@example.com" and "password" not in query
    path, query = told(await browser.post("/auth/register", data=ADA))
    assert query["error"] == "ACCOUNT_EXISTS"


async def test_next_is_found_in_the_address_of_the_page_too(browser):
    await browser.post("/auth/register", data=ADA)
    page = "http://localhost:3000/sign-in?next=/reports%3Fyear%3D2026"
    assert told(await browser.post("/auth/sign-in", data=KNOWN, headers={"referer": page})) == ("/reports", {"year": "2026"})


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "http:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example", "/\n/evil.example", "\t//evil.example",
        " //evil.example", "/ /evil.example", "/.//evil.example",
        "/a/..//evil.example", "/..", "evil.example", "", "/sign-in", "/register?next=/sign-in", "/login/", "/auth/logout",
        "/_event", "/" + "x" * 5000, "/\x00", "/\u2028//evil.example",
    ],
)  # fmt: skip
async def test_only_own_paths_are_followed(browser, wanted):
    assert service.safe_next(wanted) == "/"
    assert (await browser.post("/auth/register", data={**ADA, "next": wanted})).headers["location"] == "/"


@pytest.mark.parametrize("wanted", ["/", "/a", "/a/b?c=d&e=%2F%2Fx#f", "/plugins/tasks/", "/čas?q=//x"])
def test_own_paths_are_kept(settings, wanted):
    assert service.safe_next(wanted) == wanted


async def test_a_planted_session_id_is_never_adopted(browser):
    await browser.post("/api/auth/register", json=ADA, headers={"origin": "http://localhost:3000"})
    browser.cookies.set("mozaiks_session", "planted-by-somebody-else-planted-by-someb")
    answer = await browser.post("/auth/sign-in", data=KNOWN)
    secret = cookie_of(answer).partition("=")[2].partition(";")[0]
    assert secret != "planted-by-somebody-else-planted-by-someb"
    assert await service.resolve("planted-by-somebody-else-planted-by-someb") is None
    assert await service.resolve(secret)


async def test_signing_in_again_closes_the_session_before(browser):
    first = cookie_of(await browser.post("/auth/register", data=ADA)).partition("=")[2].partition(";")[0]
    second = cookie_of(await browser.post("/auth/sign-in", data=KNOWN)).partition("=")[2].partition(";")[0]
    assert first != second
    assert await service.resolve(first) is None and await service.resolve(second)


async def test_a_failed_sign_in_leaves_the_session_alone(browser):
    await browser.post("/auth/register", data=ADA)
    await browser.post("/auth/sign-in", data={**KNOWN, "password": "wrong password"})
    assert (await browser.get("/api/user-profile")).status_code == 200


@pytest.mark.parametrize("path", ["/auth/sign-out", "/auth/logout"])
async def test_sign_out_ends_the_session_and_drops_the_cookie(browser, heard, path):
    await browser.post("/auth/register", data=ADA)
    secret = browser.cookies["mozaiks_session"]
    answer = await browser.post(path)
    assert told(answer) == ("/sign-in", {}) and "Max-Age=0" in cookie_of(answer)
    assert await service.resolve(secret) is None and "mozaiks_session" not in browser.cookies
    assert heard[-1].name == "user.signed_out"
    assert told(await browser.post(path)) == ("/sign-in", {})


async def test_sign_out_by_address_works_only_from_here(browser):
    await browser.post("/auth/register", data=ADA)
    assert told(await browser.get("/auth/logout", headers={"sec-fetch-site": "cross-site"})) == ("/", {})
    assert told(await browser.get("/auth/logout")) == ("/", {})
    assert (await browser.get("/api/user-profile")).status_code == 200
    assert told(await browser.get("/auth/logout", headers={"sec-fetch-site": "none"})) == ("/sign-in", {})
    assert (await browser.get("/api/user-profile")).status_code == 401


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000.evil.example"])
@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/register", "/auth/sign-out", "/api/auth/logout", "/api/update-profile"])
async def test_foreign_forms_are_refused(browser, path, origin):
    await browser.post("/auth/register", data=ADA)
    answer = await browser.post(path, data=KNOWN, headers={"origin": origin})
    assert answer.status_code == 403 and answer.json()["code"] == "ORIGIN_REFUSED"


async def test_switched_off_registration_says_so(configure, visitor):
    configure(MOZAIKS_REGISTRATION="false")
    path, query = told(await visitor().post("/auth/register", data=ADA))
    assert (path, query["error"]) == ("/register", "REGISTRATION_OFF")


async def test_login_is_another_name_for_the_sign_in_page(browser):
    assert (await browser.get("/login?next=/a%3Fb")).headers["location"] == "/sign-in?next=/a%3Fb"


@pytest.mark.parametrize("content", ["", "[1]", "{", "a=1&" * 100])
async def test_broken_bodies_are_refused(browser, content):
    kind = "application/x-www-form-urlencoded" if "&" in content else "application/json"
    answer = await browser.post("/auth/sign-in", content=content, headers={"content-type": kind})
    assert answer.status_code == 422, answer.text
