"""Workflows from programs, plugins and folders (F-143, F-147, F-159, F-160): who may register, who sees what, and why not."""

import json
from types import SimpleNamespace

import httpx
import pytest

from mozaiks_shell.appconfig.capabilities import Capability, capability_problems, more_from
from mozaiks_shell.broker import registry
from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat import service as chats
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.errors import Conflict, Invalid, NotFound, PlanNeeded
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.plugin_host import capabilities as of_plugins
from mozaiks_shell.plugin_host.manifest import read_manifest
from tests.chat.conftest import running_shell

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses")
SERVICE = Principal("usr_gen", "dev-app", "Generator", "", frozenset({"service"}), "ses")


@pytest.fixture
def configs(tmp_path, monkeypatch):
    folder = tmp_path / "configs"
    folder.mkdir()
    own = [{"id": "assistant", "display_name": "Assistant", "workflow_id": "Assistant"}]
    (folder / "ai_capabilities.json").write_text(json.dumps({"capabilities": own}))
    monkeypatch.setenv("MOZAIKS_CONFIGS_PATH", str(folder))
    get_settings.cache_clear()
    return folder


@pytest.fixture
async def ready(configs, upstream):
    stop_runtime = await broker.start_runtime()
    stop_chats = await chats.start_chats()
    yield upstream
    await stop_chats()
    await stop_runtime()


def definition(name="TripPlanner", **more):
    return {"id": name.lower(), "display_name": name, "workflow_id": name, **more}


async def test_a_registered_workflow_is_offered_gated_and_started(ready):
    ready.workflows.add("TripPlanner")
    _, made = await broker.register_workflow(SERVICE, definition(allowed_plans=["pro"]))
    assert made
    (offer,) = [one for one in await broker.offers(ADA) if one.capability.id == "tripplanner"]
    assert (offer.allowed, offer.reason) == (False, "TripPlanner is part of the plan Pro.")
    with pytest.raises(PlanNeeded):
        await broker.start(ADA, "TripPlanner")
    assert ready.calls == []
    _, made = await broker.register_workflow(SERVICE, definition(display_name="Trips"))
    assert not made
    assert (await broker.start(ADA, "TripPlanner")).capability_id == "tripplanner"
    await broker.unregister_workflow(SERVICE, "TripPlanner")
    with pytest.raises(NotFound):
        await broker.start(ADA, "TripPlanner")
    with pytest.raises(NotFound):
        await broker.unregister_workflow(SERVICE, "TripPlanner")


async def test_another_process_sees_it_and_another_app_does_not(ready, monkeypatch):
    await broker.register_workflow(SERVICE, definition())
    monkeypatch.setattr(registry, "_read", registry._Read())  # a process that has read nothing
    assert "tripplanner" in {one.capability.id for one in await broker.offers(ADA)}
    monkeypatch.setenv("MOZAIKS_APP_ID", "other-app")
    get_settings.cache_clear()
    assert "tripplanner" not in {one.capability.id for one in await broker.offers(ADA)}
    assert "tripplanner" not in {one.id for one in broker.capabilities()}


async def test_what_cannot_be_registered_is_named(ready):
    for bad, words in (
        (definition(workflow_id="../x"), "workflow_id"),
        (definition(id=""), "id"),
        (definition(visibility="all"), "visibility"),
        (definition(display_name="x" * 81), "display_name"),
    ):
        with pytest.raises(Invalid, match=words):
            await broker.register_workflow(SERVICE, bad)
    with pytest.raises(Conflict, match=r"assistant is taken already \(ai_capabilities.json\)"):
        await broker.register_workflow(SERVICE, definition(id="assistant"))
    await broker.register_workflow(SERVICE, definition())
    with pytest.raises(Conflict):
        await broker.register_workflow(SERVICE, definition("Other", id="tripplanner"))


async def test_registering_and_discovering_over_http(configs, upstream, sign_up):
    root, ada = await sign_up("root"), await sign_up("ada")
    origin = {"origin": get_settings().origin}
    async with (
        running_shell() as running,
        httpx.AsyncClient(base_url=running.url, headers={"cookie": root.cookie, **origin}) as owner,
        httpx.AsyncClient(base_url=running.url, headers={"cookie": ada.cookie, **origin}) as person,
        httpx.AsyncClient(base_url=running.url) as nobody,
    ):
        body = {"workflow_name": "TripPlanner", "enterprise_id": "dev-app", "version": "2", "description": "Plans trips."}
        assert (await nobody.post("/api/workflows/register", json=body)).status_code == 401
        assert (await person.post("/api/workflows/register", json=body)).status_code == 403
        made = await owner.post("/api/workflows/register", json=body)
        told = made.json()["workflow"]
        assert (made.status_code, told["capability_id"], told["display_name"]) == (201, "trip_planner", "Trip planner")
        assert (await owner.post("/api/workflows/register", json={"workflow_definition": body})).status_code == 200
        for wrong, status in (({**body, "enterprise_id": "acme"}, 403), ({}, 400), ([], 400), ({"workflow_name": "a b"}, 422)):
            assert (await owner.post("/api/workflows/register", json=wrong)).status_code == status
        await owner.post("/api/workflows/register", json={"workflow_name": "Secret", "visibility": "admin"})
        await owner.post("/api/workflows/register", json={"workflow_name": "Old", "enabled": False})

        seen = (await person.get("/api/workflows/discover/dev-app")).json()
        assert (seen["enterprise_id"], seen["count"]) == ("dev-app", 2)
        assert [(one["workflow_name"], one["allowed"]) for one in seen["workflows"]] == [
            ("Assistant", True),
            ("TripPlanner", True),
        ]
        assert (await person.get("/api/workflows/discover/acme")).status_code == 404
        assert (await person.get("/api/app/workflows/dev-app")).status_code == 403
        every = (await owner.get("/api/app/workflows/dev-app")).json()["workflows"]
        assert {one["workflow_name"]: one["source"] for one in every} == {
            "Assistant": "ai_capabilities.json", "Old": "registered", "Secret": "registered", "TripPlanner": "registered",
        }  # fmt: skip
        assert (await owner.get("/api/app/workflows/acme")).status_code == 404
        started = await person.post("/api/workflows/start", json={"workflow_name": "TripPlanner"})
        assert (started.status_code, started.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")  # the runtime has no such workflow
        assert (await owner.delete("/api/workflows/register/TripPlanner")).status_code == 200
        assert (await person.delete("/api/workflows/register/Old")).status_code == 403
        assert (await person.get("/api/workflows/discover/dev-app")).json()["count"] == 1


async def test_available_says_why_not(configs, upstream, sign_up, monkeypatch):
    await sign_up("root")
    ada = await sign_up("ada")
    own = [
        {"id": "assistant", "display_name": "Assistant", "workflow_id": "Assistant"},
        {"id": "gen", "display_name": "Generator", "workflow_id": "Gen", "allowed_plans": ["pro"]},
        {"id": "tour", "display_name": "Tour", "workflow_id": "Tour"},
    ]
    (configs / "ai_capabilities.json").write_text(json.dumps({"capabilities": own}))
    broker.reload()

    @upstream.inner.get("/api/workflows/{app_id}/available")
    async def available(app_id: str) -> dict:
        rows = [("Assistant", True, None), ("Tour", False, "Finish the welcome first.")]
        return {"workflows": [{"workflow_name": name, "available": fine, "reason": why} for name, fine, why in rows]}

    async with running_shell() as running:
        headers = {"cookie": ada.cookie, "origin": get_settings().origin}
        async with httpx.AsyncClient(base_url=running.url, headers=headers) as http:
            rows = (await http.get("/api/workflows/dev-app/available")).json()["workflows"]
            assert [(one["workflow_name"], one["available"], one["reason"]) for one in rows] == [
                ("Assistant", True, None),
                ("Gen", False, "Generator is part of the plan Pro."),
                ("Tour", False, "Finish the welcome first."),
            ]
            assert rows[1]["required_gates"] == ["plan:pro"]
            own_id = ada.principal.user_id
            assert (await http.get("/api/workflows/dev-app/available", params={"user_id": own_id})).status_code == 200
            assert (await http.get("/api/workflows/dev-app/available", params={"user_id": "usr_eve"})).status_code == 403
            assert (await http.get("/api/workflows/other/available")).status_code == 404
            monkeypatch.setenv("MOZAIKS_AI_URL", "http://127.0.0.1:9")
            get_settings.cache_clear()
            rows = (await http.get("/api/workflows/dev-app/available")).json()["workflows"]
            assert (rows[0]["available"], "not reachable" in rows[0]["reason"]) == (False, True)


async def test_a_plugin_brings_capabilities(ready, tmp_path, monkeypatch):
    folder = tmp_path / "trips"
    folder.mkdir()
    listed = [
        {"id": "trips.plan", "display_name": "Plan a trip", "workflow_id": "Trip", "allowed_plans": ["pro"]},
        {"id": "assistant", "display_name": "Mine", "workflow_id": "Mine"},
    ]
    (folder / "manifest.json").write_text(json.dumps({"name": "trips", "version": "1.0.0", "capabilities": listed}))
    plugin = SimpleNamespace(name="trips", live=True, manifest=read_manifest(folder))
    monkeypatch.setattr(of_plugins.registry, "all_plugins", lambda: [plugin])
    seen = {one.capability.id: one for one in await broker.offers(ADA)}
    assert (seen["trips.plan"].allowed, seen["assistant"].capability.workflow_id) == (False, "Assistant")
    with pytest.raises(PlanNeeded):
        await broker.start(ADA, "Trip")
    (twice,) = capability_problems()
    assert (twice.file, twice.level) == ("plugin trips", "warning")
    plugin.live = False
    assert "trips.plan" not in {one.capability.id for one in await broker.offers(ADA)}


def test_specs_may_stand_in_a_folder_of_their_own(settings, configs, tmp_path, monkeypatch):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "_template.json").write_text("{}")
    (folder / "extra.json").write_text(json.dumps({"capability": definition("Extra")}))
    monkeypatch.setenv("MOZAIKS_AI_CAPABILITY_SPECS_DIR", str(folder))
    get_settings.cache_clear()
    broker.reload()
    assert [one.id for one in broker.capabilities()] == ["assistant", "extra"]
    (folder / "extra.json").unlink()
    broker.reload()
    assert [one.id for one in broker.capabilities()] == ["assistant"]


def test_a_source_that_is_named_again_replaces_the_first(settings, configs):
    one = Capability.model_validate(definition("One"))
    more_from("test", lambda: [("test", one)])
    more_from("test", lambda: [])
    assert "one" not in {each.id for each in broker.capabilities()}
