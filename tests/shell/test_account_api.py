"""F-231, F-233 to F-235 over HTTP: picture, password, sessions, export, deletion."""

import json

import httpx
import pytest

from mozaiks_shell.identity import service as identity
from tests.identity.conftest import configure, heard  # noqa: F401 - fixtures
from tests.identity.test_avatar import SVG, picture
from tests.shell.web import ADA, EVE, PASSWORD, ROOT, browser, visitor  # noqa: F401 - fixtures
from tests.shell.web import signed_in as enter


@pytest.fixture
async def ada(visitor) -> httpx.AsyncClient:  # noqa: F811
    """Ada's browser; Root founded the installation before."""
    await enter(visitor(), ROOT)
    return await enter(visitor(), ADA)


@pytest.mark.parametrize("form", [True, False], ids=["multipart", "raw"])
async def test_f231_a_picture_is_uploaded_and_shown(ada, visitor, form):  # noqa: F811
    data = picture()
    sent = {"files": {"file": ("../../x.svg", data, "image/svg+xml")}} if form else {"content": data}
    answer = await ada.post("/api/avatar", **sent)
    assert answer.status_code == 200, answer.text
    address = answer.json()["avatar"]
    assert (await ada.get("/api/user-profile")).json()["avatar"] == address
    eve = await enter(visitor(), EVE)
    for client in (ada, eve):
        shown = await client.get(address)
        assert shown.status_code == 200 and shown.headers["content-type"] == "image/webp" and shown.content != data
        assert shown.headers["x-content-type-options"] == "nosniff" and "sandbox" in shown.headers["content-security-policy"]
        assert shown.headers["cache-control"] == "private, max-age=31536000, immutable"
    bare = await ada.get(address.partition("?")[0])
    assert bare.headers["cache-control"] == "private, no-cache"
    again = await ada.get(address.partition("?")[0], headers={"if-none-match": bare.headers["etag"]})
    assert again.status_code == 304 and not again.content
    assert (await visitor().get(address)).status_code == 401
    for other in ("usr_nobody", "..%2f..%2fx", "%00"):
        assert (await ada.get(f"/api/avatar/{other}")).status_code in {404, 422}
    await ada.delete("/api/avatar")
    assert (await ada.get(address)).status_code == 404 and (await ada.get("/api/user-profile")).json()["avatar"] == ""


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"content": SVG}, 422, "AVATAR_TYPE"),
        ({"content": b""}, 422, "AVATAR_TYPE"),
        ({"files": {"file": ("a.png", SVG, "image/png")}}, 422, "AVATAR_TYPE"),
        ({"files": [("a", ("a.png", b"x")), ("b", ("b.png", b"x"))]}, 422, "VALIDATION_ERROR"),
        ({"data": {"file": "text"}}, 422, None),
        ({"content": b"--x", "headers": {"content-type": "multipart/form-data; boundary=x"}}, 422, "VALIDATION_ERROR"),
        ({"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, 422, "VALIDATION_ERROR"),
        ({"content": b"\x00" * 2_100_000}, 413, None),
        ({"files": {"file": ("a.png", b"\x00" * 2_500_000)}}, 413, None),
    ],
)
async def test_f231_bad_uploads_are_refused(ada, sent, status, code):
    answer = await ada.post("/api/avatar", **sent)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code


async def test_f233_the_password_is_changed(ada, visitor):  # noqa: F811
    other = visitor()
    await other.post("/auth/sign-in", data={"username": "ada", "password": PASSWORD})
    assert (await other.get("/api/user-profile")).status_code == 200
    wish = {"old_password": "wrong", "new_password": "staple battery horse", "new_password_again": "staple battery horse"}
    wrong = await ada.post("/api/account/password", json=wish)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "WRONG_PASSWORD")
    weak = await ada.post("/api/account/password", json={**wish, "old_password": PASSWORD, "new_password": "short"})
    assert weak.status_code == 422 and {one["field"] for one in weak.json()["errors"]} == {"password", "password_again"}
    done = await ada.post("/api/account/password", json={**wish, "old_password": PASSWORD})
    assert done.json()["sessions_ended"] == 1, done.text
    assert (await other.get("/api/user-profile")).status_code == 401
    assert (await ada.get("/api/user-profile")).status_code == 200


async def test_f235_sessions_over_http(ada, visitor):  # noqa: F811
    other = visitor()
    await other.post("/auth/sign-in", data={"username": "ada", "password": PASSWORD}, headers={"user-agent": "Other/1"})
    listed = (await ada.get("/api/sessions")).json()["sessions"]
    assert [one["current"] for one in listed].count(True) == 1 and len(listed) == 2 and "digest" not in str(listed)
    there = next(one for one in listed if not one["current"])
    assert there["user_agent"] == "Other/1" and there["ip"] == "203.0.113.7"
    eve = await enter(visitor(), EVE)
    assert (await eve.delete(f"/api/sessions/{there['id']}")).status_code == 404
    assert (await other.get("/api/user-profile")).status_code == 200
    assert (await ada.delete(f"/api/sessions/{there['id']}")).status_code == 200
    assert (await other.get("/api/user-profile")).status_code == 401
    await other.post("/auth/sign-in", data={"username": "ada", "password": PASSWORD})
    assert (await ada.delete("/api/sessions")).json()["sessions_ended"] == 1
    token = (await ada.post("/api/auth/token", json={"username": "ada", "password": PASSWORD})).json()["access_token"]
    assert (await ada.post("/api/auth/logout?everywhere=true")).json()["sessions_ended"] == 2
    assert await identity.resolve(token, "token") is None


async def test_f234_the_export_is_a_file(ada):
    await ada.post("/api/update-profile", json={"bio": "“Zürich” 👩‍💻 李"})
    answer = await ada.get("/api/account/export")
    assert answer.headers["content-disposition"].startswith("attachment") and answer.headers["cache-control"] == "no-store"
    exported = json.loads(answer.content)
    assert exported["profile"]["bio"] == "“Zürich” 👩‍💻 李" and PASSWORD not in answer.text and "argon2" not in answer.text
    for _ in range(4):
        await ada.get("/api/account/export")
    assert (await ada.get("/api/account/export")).status_code == 429


async def test_f234_the_account_is_deleted(ada, visitor):  # noqa: F811
    assert (await ada.post("/api/account/delete", json={})).json()["code"] == "WRONG_PASSWORD"
    assert (
        await ada.post("/api/account/delete", json={"password": PASSWORD}, headers={"origin": "https://evil.example"})
    ).status_code == 403
    answer = await ada.post("/api/account/delete", json={"password": PASSWORD})
    assert answer.status_code == 200 and "max-age=0" in answer.headers["set-cookie"].lower()
    assert (await ada.get("/api/user-profile")).status_code == 401
    assert (await ada.post("/api/account/delete", json={"password": PASSWORD})).status_code == 401
    again = await visitor().post("/auth/sign-in", data={"username": "ada", "password": PASSWORD})
    assert "WRONG_CREDENTIALS" in again.headers["location"]
