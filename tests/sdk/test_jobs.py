"""``sdk.jobs`` from plugin code: whose behalf, both kinds of functions, refusals, faults (F-297)."""

import asyncio
import json

import pytest

from mozaiks_shell import sdk
from mozaiks_shell.foundation import jobs as queue
from mozaiks_shell.foundation.access import Principal, set_principal
from mozaiks_shell.foundation.jobs import Worker
from mozaiks_shell.identity.accounts import principal_of, register
from mozaiks_shell.plugin_host import faults, loader
from mozaiks_shell.plugin_host.errors import PluginProblem

SOURCE = """
import sys
from mozaiks_shell import sdk
from mozaiks_shell.sdk import auth, db, jobs

@jobs.job(retries=1)
async def remind(title, times=1):
    for _ in range(times):
        await db.reminders.create(title=title, who=auth.current_user().name)
    return {"made": times}

@jobs.job
def plainly(title):
    db.reminders.create(title=title.upper(), who=auth.current_user().name)

@jobs.job(retries=0)
async def fail(how):
    if how == "exit": sys.exit(3)
    if how == "give up": raise jobs.GiveUp("no use")
    raise ValueError(how)

@jobs.every("10m", name="tick")
async def regular():
    try:
        auth.current_user()
    except sdk.errors.NotSignedIn:
        return "nobody"

@jobs.cron("0 6 * * *", each_person=True)
async def digest():
    await db.reminders.create(title="digest", who=auth.current_user().name)

JOBS = {"remind": remind, "plainly": plainly, "fail": fail}

async def execute(data):
    match data["do"]:
        case "enqueue": return {"id": await jobs.enqueue(JOBS[data["job"]], **data["with"])}
        case "by name": return {"id": await jobs.enqueue(data["job"], **data["with"])}
        case "in a transaction":
            async with db.session() as session:
                job_id = await jobs.enqueue(remind, title="kept", session=session)
                if data["fail"]: raise sdk.errors.Invalid("no")
            return {"id": job_id}
        case "status":
            one = await jobs.status(data["id"])
            return {"state": one.state, "error": one.error, "result": one.result, "name": one.name, "attempts": one.attempts}
        case "cancel": return {"cancelled": await jobs.cancel(data["id"])}
        case "list": return {"reminders": [(one.title, one.who) for one in await db.reminders.list()]}
"""
MANIFEST = json.dumps({"name": "memo", "permissions": ["jobs"]})


@pytest.fixture
async def memo(plugin, monkeypatch):
    """The plugin, and its people as real accounts."""
    async with plugin("memo", {"logic.py": SOURCE, "manifest.json": MANIFEST}) as one:
        for name in ("ada", "eve"):
            principal = principal_of(await register(name, "a long enough password", f"{name}@example.com", name.title()))
            setattr(one, name, principal)
        yield one


def become(one: Principal) -> None:
    """Go on as this person."""
    set_principal(one)


async def call(memo, **data):
    return await memo.execute(**data)


async def work() -> None:
    """Until nothing is due. In a task of its own, as in the server: a job must not change who we are."""

    async def all_of_it() -> None:
        while await Worker().step():
            pass

    await asyncio.create_task(all_of_it())


async def test_f297_a_job_runs_as_the_person_who_asked(memo):
    become(memo.ada)
    job_id = (await call(memo, do="enqueue", job="remind", **{"with": {"title": "Milk", "times": 2}}))["id"]
    await call(memo, do="enqueue", job="plainly", **{"with": {"title": "Tea"}})
    become(memo.eve)
    await call(memo, do="by name", job="remind", **{"with": {"title": "Bread"}})
    become(memo.ada)
    assert (await call(memo, do="status", id=job_id))["state"] == "queued"
    await work()
    assert sorted((await call(memo, do="list"))["reminders"]) == [("Milk", "Ada"), ("Milk", "Ada"), ("TEA", "Ada")]
    told = await call(memo, do="status", id=job_id)
    assert told == {"state": "done", "error": "", "result": {"made": 2}, "name": "remind", "attempts": 1}
    become(memo.eve)
    assert (await call(memo, do="list"))["reminders"] == [("Bread", "Eve")]
    for do in ("status", "cancel"):
        with pytest.raises(sdk.errors.NotFound):  # Ada's
            await call(memo, do=do, id=job_id)


async def test_f297_a_job_in_a_transaction(memo):
    become(memo.ada)
    with pytest.raises(sdk.errors.Invalid):
        await call(memo, do="in a transaction", fail=True)
    await work()
    assert (await call(memo, do="list"))["reminders"] == []
    await call(memo, do="in a transaction", fail=False)
    await work()
    assert (await call(memo, do="list"))["reminders"] == [("kept", "Ada")]


async def test_f297_a_key_queues_once_and_a_cancelled_job_never_runs(memo):
    become(memo.ada)
    with_key = {"title": "Milk", "key": "milk", "after": "1h"}
    first = await call(memo, do="enqueue", job="remind", **{"with": with_key})
    assert await call(memo, do="enqueue", job="remind", **{"with": with_key}) == first
    assert await call(memo, do="cancel", id=first["id"]) == {"cancelled": True}
    assert await call(memo, do="cancel", id=first["id"]) == {"cancelled": False}
    assert (await call(memo, do="status", id=first["id"]))["state"] == "cancelled"


@pytest.mark.parametrize("data", [{"title": {1, 2}}, {"title": "x" * 70_000}, {"title": "\ud800"}])
async def test_f297_what_cannot_be_kept_is_refused(memo, data):
    become(memo.ada)
    with pytest.raises(sdk.errors.Invalid):
        await call(memo, do="enqueue", job="remind", **{"with": data})


@pytest.mark.parametrize("data", [{}, {"title": "x", "colour": "red"}])
async def test_f297_arguments_are_checked_when_it_is_queued(memo, data):
    become(memo.ada)
    with pytest.raises(sdk.errors.ShellError, match="failed"):
        await call(memo, do="enqueue", job="remind", **{"with": data})


@pytest.mark.parametrize(("how", "counted"), [("oops", 1), ("exit", 1), ("give up", 0)])
async def test_f297_a_failing_job_is_the_plugins_fault(memo, how, counted):
    become(memo.ada)
    before = len(faults.recent("memo"))
    job_id = (await call(memo, do="enqueue", job="fail", **{"with": {"how": how}}))["id"]
    await work()
    assert (await call(memo, do="status", id=job_id))["state"] == "failed"
    new = faults.recent("memo")[: len(faults.recent("memo")) - before]
    assert [one.kind for one in new] == ["job"] * counted


async def test_f297_regular_work_is_for_nobody_or_for_each(memo, monkeypatch):
    become(memo.ada)
    await work()
    moment = queue.clock.now()
    monkeypatch.setattr(queue.clock, "now", lambda: moment + queue.timedelta(days=1, minutes=1))
    await work()
    done = {one.name: one.result for one in await queue.listing("dev-app", "memo")}
    assert done["memo.tick"] == "nobody"
    assert ("digest", "Ada") in (await call(memo, do="list"))["reminders"]
    become(memo.eve)
    assert ("digest", "Eve") in (await call(memo, do="list"))["reminders"]


async def test_f297_jobs_of_a_plugin_that_is_gone_wait(memo):
    become(memo.ada)
    await call(memo, do="enqueue", job="remind", **{"with": {"title": "Milk"}})
    loader.unload("memo")
    assert queue.known("memo.remind") is None
    await work()
    (waiting,) = [one for one in await queue.listing("dev-app", "memo") if one.name == "memo.remind"]
    assert waiting.state == "queued"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("@jobs.job\ndef work(at): ...", "may not be named at"),
        ("@jobs.every('1m')\ndef work(x): ...", "takes no arguments"),
        ("@jobs.every('soon')\ndef work(): ...", "no length of time"),
        ("@jobs.cron('x')\ndef work(): ...", "no cron line"),
    ],
)
async def test_f297_a_wrong_declaration_is_found_at_the_start(plugin, source, reason):
    files = {"logic.py": f"from mozaiks_shell.sdk import jobs\n{source}\n", "manifest.json": MANIFEST}
    with pytest.raises(PluginProblem, match=reason) as problem:
        async with plugin("memo", files):
            pass
    assert problem.value.file == "logic.py"


async def test_f297_jobs_need_the_permission(plugin):
    with pytest.raises(PluginProblem, match='"permissions"'):
        async with plugin("memo", {"logic.py": "from mozaiks_shell.sdk import jobs\n@jobs.job\ndef work(): ...\n"}):
            pass
