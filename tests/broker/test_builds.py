"""Builds of the app: events move the status, whatever happens to them on the way (F-165)."""

import asyncio
import contextlib
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request, Response

from mozaiks_shell.audit import service as audit
from mozaiks_shell.broker import builds, keys, tokens
from mozaiks_shell.broker import service as broker
from mozaiks_shell.broker.build_reports import Report, report_in
from mozaiks_shell.broker.build_routes import router
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import Conflict, Invalid, NotFound, ShellError
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting import problems
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.identity import app_tokens
from tests.broker.strict import Refused, Rules
from tests.chat.conftest import listening, sign_up  # noqa: F401 - a fixture
from tests.conftest import ADA, ROOT

WAY = ("building", "built", "deployable", "deployed")
START = datetime(2026, 1, 2, tzinfo=UTC)


def at(step: int) -> datetime:
    return START + timedelta(minutes=step)


async def tell(build: str, status: str, event: str = "", step: int | None = None, app: str = "dev-app", **facts: str) -> str:
    """What came of one event, or the code of its refusal."""
    told = Report(event or f"{build}-{status}-{step}", build, "", status, at(step) if step is not None else None, facts)
    try:
        return (await builds.take(Principal("tok_1", app), told)).outcome
    except Conflict as error:
        return error.code


async def status(build: str) -> str:
    return str((await builds.find("dev-app", build))["status"])


async def test_f165_events_replayed_in_order_move_the_status(database):
    assert (await builds.latest("dev-app"))["status"] == "draft"
    seen = []
    for step, wanted in enumerate(WAY):
        assert await tell("b1", wanted, step=step) == "applied"
        seen.append((await builds.latest("dev-app"))["status"])
    assert tuple(seen) == WAY
    for step, wanted in enumerate(WAY):
        assert await tell("b1", wanted, step=step) == "doubled"
    told = await builds.find("dev-app", "b1")
    assert told["status"] == "deployed" and [one["outcome"] for one in told["events"]] == ["applied"] * 4
    assert told["deployed_at"] == at(3).isoformat() and told["completed_at"] == at(1).isoformat()
    said = [row.facts["status"] for row in await audit.latest() if row.act == "build.status_changed"]
    assert sorted(said) == sorted(WAY)


@pytest.mark.parametrize(
    ("before", "wanted"),
    [((), "built"), ((), "deployed"), (("building",), "deployable"), (("building",), "deployed"), (("building",), "draft"),
     (("building", "built"), "building"), (("building", "built"), "deployed"), (WAY[:3], "built"), (WAY, "building"),
     (WAY, "error"), (("building", "error"), "built"), (("building", "error"), "deployable"),
     (("building", "error"), "deployed")],
)  # fmt: skip
async def test_f165_an_invalid_jump_is_refused_and_changes_nothing(database, before, wanted):
    for one in before:
        assert await tell("b1", one) == "applied"
    with pytest.raises(Conflict) as refused:
        await builds.take(ROOT, Report("jump", "b1", "", wanted))
    last = before[-1] if before else "draft"
    assert (refused.value.status, refused.value.code) == (409, "BUILD_JUMP_REFUSED")
    assert refused.value.details["build_status"] == last == await status("b1")
    assert wanted not in refused.value.details["possible"]
    assert await tell("b1", wanted, event="jump") == "BUILD_JUMP_REFUSED", "sent again it is as invalid as before"


async def test_f165_a_failed_build_is_built_again_and_a_failed_deployment_deployed_again(database):
    for number, one in enumerate(("building", "error", "building", "built", "deployable", "error", "deployable", "deployed")):
        assert await tell("b1", one, event=f"e{number}") == "applied", (number, one)
    assert await status("b1") == "deployed"


@pytest.mark.parametrize("order", list(permutations(range(4))))
async def test_f165_in_whatever_order_events_arrive_the_build_ends_where_it_is(database, order):
    for number in order:
        await tell("b1", WAY[number], step=number)
    assert await status("b1") == "deployed"
    for number in order:
        assert await tell("b1", WAY[number], step=number) in {"doubled", "late"}
    assert await status("b1") == "deployed"


async def test_f165_a_late_event_takes_nothing_back(database):
    for step, one in ((0, "building"), (5, "built")):
        await tell("b1", one, step=step)
    assert await tell("b1", "error", step=3) == "late"
    assert await status("b1") == "built"


async def test_f165_a_refused_event_without_a_time_stays_refused(database):
    assert await tell("b1", "built", event="early") == "BUILD_JUMP_REFUSED"
    await tell("b1", "building")
    assert await status("b1") == "building"
    assert await tell("b1", "built", event="early") == "applied", "sent again it counts"


async def test_f165_an_event_id_says_one_thing(database):
    await tell("b1", "building", event="e1")
    assert await tell("b1", "built", event="e1") == "EVENT_ID_REUSED"
    assert await tell("b2", "building", event="e1") == "EVENT_ID_REUSED"
    assert [one["build_id"] for one in await builds.listing("dev-app")] == ["b1"]


async def test_f165_several_builds_and_the_newest_is_the_latest(database):
    for one in WAY:
        await tell("b1", one)
    await tell("b2", "building")
    assert await tell("b1", "built", event="again") == "BUILD_JUMP_REFUSED"
    latest = await builds.latest("dev-app")
    assert (latest["build_id"], latest["status"], latest["deployed_build_id"]) == ("b2", "building", "b1")
    await tell("b2", "error", error="The tests failed.")
    latest = await builds.latest("dev-app")
    assert (latest["status"], latest["error"], latest["deployed_build_id"]) == ("error", "The tests failed.", "b1")
    assert [one["build_id"] for one in await builds.listing("dev-app")] == ["b2", "b1"]


async def test_f165_a_builds_app_is_the_only_one_that_knows_it(database):
    await tell("b1", "building", event="e1")
    assert await tell("b1", "building", event="e1", app="other-app") == "applied", "the same names, another build"
    await tell("theirs", "building", app="other-app")
    assert [one["build_id"] for one in await builds.listing("dev-app")] == ["b1"]
    for call in (builds.find("dev-app", "theirs"), builds.export("dev-app", "theirs")):
        with pytest.raises(NotFound):
            await call


@pytest.fixture(params=["sqlite", "postgresql"])
async def prepared(request, settings, monkeypatch) -> AsyncIterator[None]:
    if request.param == "postgresql":
        monkeypatch.setattr(settings, "database_url", request.getfixturevalue("postgres_migrated"))
    else:
        request.getfixturevalue("sqlite_migrated")
    yield
    await db.dispose()


async def test_f165_one_event_from_many_senders_at_once_counts_once(prepared):
    outcomes = await asyncio.gather(*(tell("b1", "building", event="e1") for _ in range(12)))
    assert sorted(outcomes) == ["applied", *["doubled"] * 11]
    outcomes = await asyncio.gather(*(tell("b1", "built", event=f"x{number}") for number in range(12)))
    assert sorted(outcomes) == ["applied", *["noted"] * 11]
    assert len((await builds.find("dev-app", "b1"))["events"]) == 13


# -- reading reports ----------------------------------------------------------------------------------------

PUBLISHED = {
    "event_type": "build_completed", "appId": "dev-app", "buildId": "bld_456", "status": "built",
    "completedAt": "2026-01-02T00:00:00Z", "workflowName": "AppGenerator", "chatId": "c-1", "eventId": "e-9",
    "ts": "2026-01-02T00:00:01Z", "idempotencyKey": "build:dev-app:bld_456:build_completed",
    "artifacts": {
        "previewUrl": "https://preview.example/x", "exportDownloadUrl": "https://rt.example/api/apps/dev-app/builds/reg-1/export"
    },
}  # fmt: skip


def test_f165_the_published_runtimes_words_are_read():
    report = report_in(PUBLISHED, "dev-app", {})
    assert (report.event_id, report.build_id, report.kind, report.status) == ("e-9", "bld_456", "build_completed", "built")
    assert report.told_at == datetime(2026, 1, 2, 0, 0, 1, tzinfo=UTC)
    assert report.facts == {
        "workflow": "AppGenerator", "chat_id": "c-1", "preview_url": "https://preview.example/x", "export_id": "reg-1",
        "completed_at": "2026-01-02T00:00:00+00:00",
    }  # fmt: skip
    failed = {"event_type": "build_failed", "buildId": "b", "error": {"message": "Out of tokens", "details": "…"}}
    assert report_in(failed, "dev-app", {}).facts == {"error": "Out of tokens"}


def test_f165_an_event_is_named_by_its_id_else_by_its_key_else_by_what_it_says_and_when():
    def named(headers: dict[str, str], **body: Any) -> str:
        return report_in({"build_id": "b", "status": "built", **body}, "dev-app", headers).event_id

    both = {"x-event-id": "h", "x-idempotency-key": "k"}
    assert [named(both, eventId="e"), named(both), named({"idempotency-key": "k"}), named({}, idempotency_key="i")] == [*"ehki"]
    assert (
        named({}, ts="2026-01-02T00:00:00Z") == named({}, ts="2026-01-02T01:00:00+01:00") != named({}, ts="2026-01-03T00:00:00Z")
    )
    assert named({}) != named({})


@pytest.mark.parametrize(
    ("change", "field"),
    [({"buildId": ""}, "buildId"), ({"buildId": "../x"}, "buildId"), ({"buildId": "x" * 129}, "buildId"),
     ({"buildId": 7}, "buildId"),
     ({"status": "shipped"}, "status"), ({"status": None, "event_type": "deploy"}, "status"), ({"status": "deployed"}, "status"),
     ({"appId": "other-app"}, "appId"), ({"ts": "yesterday"}, "ts"), ({"ts": "0001-01-01T00:00:00+14:00"}, "ts"),
     ({"eventId": "x" * 129}, "eventId"), ({"eventId": "a\nb"}, "eventId"), ({"artifacts": {"previewUrl": 1}}, "previewUrl")],
)  # fmt: skip
def test_f165_what_cannot_be_read_is_refused_by_its_field(change, field):
    with pytest.raises(Invalid) as refused:
        report_in({**PUBLISHED, **change}, "dev-app", {})
    assert [one["field"] for one in refused.value.details["errors"]] == [field]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "//evil.example/x",
        "https://",
        "https://a.example/\nx",
        "http://[",
        "x" * 3000,
    ],
)
def test_f165_an_address_that_leads_nowhere_good_is_left_out(url):
    told = {**PUBLISHED, "artifacts": {"previewUrl": url, "exportDownloadUrl": url}, "logs": {"url": url}}
    assert {"preview_url", "logs_url", "export_id"} & set(report_in(told, "dev-app", {}).facts) == set()


def test_f165_a_bundle_of_another_app_is_never_asked_for():
    told = {**PUBLISHED, "artifacts": {"exportDownloadUrl": "/api/apps/other-app/builds/theirs/export"}}
    assert "export_id" not in report_in(told, "dev-app", {}).facts


# -- over HTTP ----------------------------------------------------------------------------------------------


class Runtime:
    """A published runtime that hands bundles to services only, and checks their tokens as the real one does."""

    def __init__(self) -> None:
        self.app, self.bundles, self.asked = FastAPI(), dict[tuple[str, str], bytes](), list[str]()
        rules = Rules(tokens.jwks)

        @self.app.get("/api/apps/{app}/builds/{build}/export")
        async def bundle(app: str, build: str, request: Request) -> Response:
            try:
                claims = await rules.claims(request.headers["authorization"].removeprefix("Bearer "), need_scope=False)
            except Refused as refused:
                raise HTTPException(refused.status, refused.detail) from None
            assert "scp" not in claims and claims["mozaiks_app_id"] == app
            self.asked.append(build)
            if (app, build) not in self.bundles:
                raise HTTPException(404, "Build not found")
            return Response(self.bundles[app, build], media_type="application/zip")


@pytest.fixture
async def runtime(database, monkeypatch) -> AsyncIterator[Runtime]:
    one = Runtime()
    async with listening(one.app) as base:
        monkeypatch.setenv("MOZAIKS_AI_URL", base)
        get_settings.cache_clear()
        stop = await broker.start_runtime()
        yield one
        await stop()
    get_settings.cache_clear()
    keys.forget()


def zipped() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        made.writestr("app.py", "x = 1")
    return held.getvalue()


@contextlib.asynccontextmanager
async def calling(**headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody in front of the real gatekeeper."""
    api = FastAPI()
    problems.install(api)
    api.include_router(router)
    transport = httpx.ASGITransport(Gatekeeper(api, get_settings(), lambda: ""))
    async with httpx.AsyncClient(transport=transport, base_url=get_settings().origin, headers=headers) as client:
        yield client


async def test_f165_a_program_reports_a_build_and_downloads_it(runtime):
    secret, _ = await app_tokens.create(ROOT, "builder", ["builds"])
    runtime.bundles["dev-app", "reg-1"] = zipped()
    async with calling(authorization=f"Bearer {secret}") as program:
        assert (await program.get("/api/apps/dev-app/builds/latest")).json()["status"] == "draft"
        begun = {**PUBLISHED, "status": "building", "event_type": "build_started", "eventId": "e-8", "ts": "2026-01-02T00:00:00Z"}
        where = "/api/apps/dev-app/builds/bld_456"
        assert (await program.get(f"{where}/export")).status_code == 404
        early = await program.post("/api/apps/dev-app/build-events", json=PUBLISHED)
        assert (early.status_code, early.json()["code"]) == (409, "BUILD_JUMP_REFUSED")
        assert (early.json()["build_status"], early.json()["possible"]) == ("draft", ["building", "error"])
        assert (await program.get(f"{where}/export")).json()["code"] == "BUILD_NOT_READY"
        told = (await program.post("/api/apps/dev-app/build-events", json=begun)).json()
        assert (told["outcome"], told["status"]) == ("applied", "built"), "what came early counts now"
        again = (await program.post("/api/apps/dev-app/build-events", json=PUBLISHED)).json()
        assert (again["accepted"], again["outcome"]) == (True, "doubled")
        for path in ("builds/latest", "build-latest"):
            latest = (await program.get(f"/api/apps/dev-app/{path}")).json()
            assert (latest["app_id"], latest["build_id"], latest["status"]) == ("dev-app", "bld_456", "built")
            assert latest["preview"] == {"available": True, "url": "https://preview.example/x"}
        assert latest["export"] == {"available": True, "download_url": f"{get_settings().origin}{where}/export"}
        assert (await program.get("/api/apps/dev-app/builds")).json()["count"] == 1
        file = await program.get(f"{where}/export")
        assert (file.status_code, file.headers["content-type"]) == (200, "application/zip")
        assert file.headers["content-disposition"] == 'attachment; filename="bld_456.zip"'
        assert zipfile.ZipFile(io.BytesIO(file.content)).read("app.py") == b"x = 1"
        assert runtime.asked == ["reg-1"]
        runtime.bundles.clear()
        assert (await program.get(f"{where}/export")).json()["code"] == "EXPORT_NOT_FOUND"


async def test_f165_the_published_runtime_shows_its_token_in_a_header_of_its_own(runtime):
    secret, _ = await app_tokens.create(ROOT, "runtime", ["builds"])
    event = {"event_type": "build_started", "appId": "dev-app", "buildId": "b"}
    named = {"X-Event-Id": "e", "X-Idempotency-Key": "k"}
    async with calling() as runtime_client:
        told = [
            await runtime_client.post("/api/apps/dev-app/build-events", json=event, headers={**named, "X-Internal-Api-Key": key})
            for key in (secret, secret, f"{secret}x", "internal")
        ]
    assert [one.status_code for one in told] == [200, 200, 401, 401]
    assert [one.json().get("outcome") for one in told[:2]] == ["applied", "doubled"]


async def test_f165_who_may_not_report_may_not_look_either(runtime, sign_up):  # noqa: F811
    root, ada = await sign_up("root"), await sign_up("ada")
    other, _ = await app_tokens.create(ROOT, "other", ["notifications", "plugins:*"])
    ways = [("POST", "build-events"), *(("GET", path) for path in ("builds", "builds/latest", "build-latest", "builds/b/export"))]
    origin = get_settings().origin
    for headers, statuses in (
        ({}, {401}), ({"cookie": ada.cookie, "origin": origin}, {403}), ({"authorization": f"Bearer {other}"}, {403}),
    ):  # fmt: skip
        async with calling(**headers) as client:
            for method, path in ways:
                answer = await client.request(method, f"/api/apps/dev-app/{path}", json={} if method == "POST" else None)
                assert answer.status_code in statuses, (headers, path, answer.text)
    async with calling(cookie=root.cookie, origin=origin) as client:
        for method, path in ways:
            answer = await client.request(method, f"/api/apps/other-app/{path}", json={} if method == "POST" else None)
            assert (answer.status_code, answer.json()["code"]) == (404, "APP_NOT_FOUND")
        assert (await client.get("/api/apps/dev-app/builds")).json()["builds"] == []
        wrong = await client.post("/api/apps/dev-app/build-events", json=[1])
        assert (wrong.status_code, wrong.headers["content-type"]) == (422, "application/problem+json")
    assert await builds.listing(ADA.app_id) == []


async def test_f165_a_runtime_that_is_away_is_said_calmly(runtime, monkeypatch):
    for one in ("building", "built"):
        await tell("b1", one)
    monkeypatch.setenv("MOZAIKS_AI_URL", "http://127.0.0.1:9")
    get_settings.cache_clear()
    with pytest.raises(ShellError) as refused:
        await builds.export("dev-app", "b1")
    assert (refused.value.status, refused.value.code) == (503, "RUNTIME_UNAVAILABLE")
