"""The queue: once, again after a failure, after a death, on whose behalf."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mozaiks_shell.foundation import events, jobs
from mozaiks_shell.foundation.access import current_principal
from mozaiks_shell.foundation.db import Scope, session
from mozaiks_shell.foundation.jobs import Definition, GiveUp, Worker, enqueue
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.foundation.timing import Every, cron, span
from tests.jobs.conftest import START

APP = {"app_id": "dev-app"}


@pytest.fixture(params=["sqlite", "postgresql"])
async def either_database(request, settings, monkeypatch):
    """Both kinds of database, migrated."""
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres_migrated"))
        get_settings.cache_clear()
    else:
        request.getfixturevalue("sqlite_migrated")
    yield
    await jobs_dispose()


async def jobs_dispose():
    from mozaiks_shell.foundation import db

    await db.dispose()


def recorder(name="kind", **more):
    """A kind of job that remembers its payloads."""
    seen = []

    async def run(payload):
        seen.append(payload)
        return {"seen": len(seen)}

    jobs.define(Definition(name, run, **more))
    return seen


async def state_of(job_id):
    found = await jobs.find("dev-app", job_id)
    return found.state, found.attempts, found.error


async def test_a_job_runs_and_its_answer_is_kept(database, move):
    seen = recorder()
    job_id = await enqueue("kind", {"n": 1}, **APP)
    assert await Worker().step() == 1 and seen == [{"n": 1}]
    found = await jobs.find("dev-app", job_id)
    assert (found.state, found.attempts, found.result) == ("done", 1, {"seen": 1})
    assert await Worker().step() == 0


async def test_it_waits_for_its_time(database, move):
    seen = recorder()
    await enqueue("kind", {}, run_at=START + span("1h"), **APP)
    assert await Worker().step() == 0
    move(3600)
    assert await Worker().step() == 1 and len(seen) == 1


async def test_many_workers_run_each_job_once(either_database):
    seen = recorder()
    for number in range(24):
        await enqueue("kind", {"n": number}, **APP)
    workers = [Worker() for _ in range(3)]
    while sum(await asyncio.gather(*(worker.step() for worker in workers))):
        pass
    assert sorted(one["n"] for one in seen) == list(range(24))


async def test_a_key_queues_once_until_it_is_done(either_database, monkeypatch):
    seen = recorder()
    first = await enqueue("kind", {"n": 1}, key="same", **APP)
    assert await enqueue("kind", {"n": 2}, key="same", **APP) == first
    assert await enqueue("kind", {"n": 3}, key="same", user_id="usr_ada", **APP) != first  # somebody else's
    assert await enqueue("kind", {"n": 4}, key="other", **APP) != first
    monkeypatch.setattr(jobs._People, "resolve", None)
    await Worker().step()
    assert await enqueue("kind", {"n": 5}, key="same", **APP) != first
    assert sorted(one["n"] for one in seen) == [1, 3, 4]


async def test_a_failure_is_repeated_after_a_growing_while(database, move):
    tries = []

    async def fail(payload):
        tries.append(jobs.clock.now())
        raise ValueError("no luck")

    told = []

    @events.subscribe("job.failed")
    async def hear(event):
        told.append(event.data)

    jobs.define(Definition("kind", fail, owner="shop", retries=2))
    job_id = await enqueue("kind", {}, owner="shop", **APP)
    for _ in range(3):
        assert await Worker().step() == 1
        assert await Worker().step() == 0, "repeated at once"
        move(30)
    assert await state_of(job_id) == ("failed", 3, "ValueError: no luck")
    move(10_000)
    assert await Worker().step() == 0 and len(tries) == 3
    assert [one["job"] for one in told] == [job_id] and told[0]["plugin"] == "shop"
    events._listeners["job.failed"].remove(hear)


async def test_who_gives_up_is_not_asked_again(database, move):
    async def fail(payload):
        raise GiveUp("the file is gone")

    jobs.define(Definition("kind", fail))
    job_id = await enqueue("kind", {}, **APP)
    await Worker().step()
    assert await state_of(job_id) == ("failed", 1, "the file is gone")


async def test_too_long_is_a_failure(database):
    async def forever(payload):
        await asyncio.Event().wait()

    jobs.define(Definition("kind", forever, retries=0, seconds=0.05))
    job_id = await enqueue("kind", {}, **APP)
    await Worker().step()
    assert await state_of(job_id) == ("failed", 1, "not done within 0.05 seconds")


async def test_it_runs_as_the_person_who_asked(database, people):
    who = []

    async def run(payload):
        who.append(current_principal())
        async with session() as db:
            assert db.info["scope"] == Scope("dev-app", payload["user"])

    jobs.define(Definition("kind", run))
    for user in ("usr_ada", "usr_eve", ""):
        await enqueue("kind", {"user": user}, user_id=user, **APP)
    await Worker().step()
    assert [one.name for one in who] == ["Ada", "Eve", ""]
    assert current_principal() is None


async def test_who_left_has_no_jobs(database, people):
    seen = recorder()
    job_id = await enqueue("kind", {}, user_id="usr_ada", **APP)
    del people["usr_ada"]
    await Worker().step()
    assert seen == [] and (await state_of(job_id))[0] == "cancelled"


async def test_it_waits_while_its_plugin_is_out_of_service(database, move):
    ready = []
    seen = recorder(ready=lambda: bool(ready))
    await enqueue("kind", {}, **APP)
    assert await Worker().step() == 0
    ready.append(True)
    assert await Worker().step() == 1 and len(seen) == 1


async def test_a_job_in_a_transaction_exists_exactly_if_it_commits(database, as_person):
    from tests.conftest import ADA

    as_person(ADA)
    recorder()
    ids = []
    with pytest.raises(ZeroDivisionError):
        async with session() as db:
            ids.append(await enqueue("kind", {}, user_id="usr_ada", within=db, **APP))
            1 / 0  # noqa: B018
    async with session() as db:
        ids.append(await enqueue("kind", {}, user_id="usr_ada", within=db, **APP))
    assert [await jobs.find("dev-app", one) is not None for one in ids] == [False, True]


async def test_cancel(database):
    seen = recorder()
    job_id = await enqueue("kind", {}, **APP)
    assert await jobs.cancel("dev-app", job_id) is True
    assert await jobs.cancel("dev-app", job_id) is False
    await Worker().step()
    assert seen == [] and (await state_of(job_id))[0] == "cancelled"


async def test_cancel_interrupts_what_runs(database):
    began, ended = asyncio.Event(), asyncio.Event()

    async def run(payload):
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    jobs.define(Definition("kind", run))
    stop = await Worker().start()
    job_id = await enqueue("kind", {}, **APP)
    await asyncio.wait_for(began.wait(), 30)
    assert await jobs.cancel("dev-app", job_id) is True
    await asyncio.wait_for(ended.wait(), 30)
    await stop()
    assert (await state_of(job_id))[0] == "cancelled"


async def test_a_stop_puts_work_back_and_the_next_start_does_it(database):
    began, runs = asyncio.Event(), []

    async def run(payload):
        runs.append(1)
        began.set()
        if len(runs) == 1:
            await asyncio.Event().wait()

    jobs.define(Definition("kind", run, retries=0))
    stop = await Worker().start()
    job_id = await enqueue("kind", {}, **APP)
    await asyncio.wait_for(began.wait(), 30)
    await stop()
    assert await state_of(job_id) == ("queued", 0, "")
    assert await Worker().step() == 1
    assert await state_of(job_id) == ("done", 1, "")


async def test_a_lease_that_ran_out_passes_the_job_on_and_the_first_worker_cannot_end_it(database, move):
    seen = recorder()
    job_id = await enqueue("kind", {}, **APP)
    frozen, other = Worker(), Worker()
    (held,) = await frozen._take()
    assert await other.step() == 0
    move(31)
    assert await other.step() == 1 and len(seen) == 1
    assert await frozen._end(held, {"state": "failed"}) is False
    assert await state_of(job_id) == ("done", 2, "")


async def test_what_kills_its_process_every_time_is_given_up(database, move):
    recorder(retries=1)
    job_id = await enqueue("kind", {}, **APP)
    for _ in range(2):
        assert len(await Worker()._take()) == 1  # and dies
        move(31)
    await Worker().step()
    state, _, error = await state_of(job_id)
    assert state == "failed" and "process ended" in error


async def test_regular_work_is_queued_once_by_all_workers(either_database, move):
    seen = recorder(timing=Every(span("10m")))
    workers = [Worker() for _ in range(3)]

    async def all_step():
        await asyncio.gather(*(worker.step() for worker in workers))
        while sum(await asyncio.gather(*(worker.step() for worker in workers))):
            pass

    await all_step()
    assert seen == []
    for runs in (1, 2):
        move(600)
        await all_step()
        assert len(seen) == runs
    move(86_400)  # nobody ran for a day: one run, not 144
    await all_step()
    assert len(seen) == 3


async def test_a_changed_rule_counts_from_now(database, move):
    seen = recorder(timing=Every(span("1d")))
    await Worker().step()
    jobs.define(Definition("kind", jobs.known("kind").run, timing=cron("30 8 * * *")))
    await Worker().step()
    move(1800)
    await Worker().step()
    assert len(seen) == 1


async def test_for_each_person(database, move, people):
    who = []

    async def run(payload):
        who.append(current_principal().user_id)

    jobs.define(Definition("kind", run, timing=Every(span("1d")), each_person=True))
    await Worker().step()
    move(86_400)
    await Worker().step()
    assert sorted(who) == ["usr_ada", "usr_eve"]


async def test_old_ones_are_swept(database, move):
    recorder()
    job_id = await enqueue("kind", {}, **APP)
    await Worker().step()
    move(8 * 86_400)
    await Worker()._sweep()
    assert await jobs.find("dev-app", job_id) is None


async def test_of_another_app_nothing_is_taken(database):
    seen = recorder()
    await enqueue("kind", {}, app_id="other-app")
    assert await Worker().step() == 0 and seen == []


DEADLY = """
import asyncio, os, signal, sys
from pathlib import Path
from mozaiks_shell.foundation import jobs
marker = Path(sys.argv[1])

async def run(payload):
    with marker.open("a") as file:
        file.write(payload["n"] + chr(10))
    if len(marker.read_text().split()) == 1:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    jobs.define(jobs.Definition("kind", run))
    if not marker.exists():
        await jobs.enqueue("kind", {"n": "here"}, app_id="dev-app")
    worker = jobs.Worker()
    stop = await worker.start()
    while not any(one.state == "done" for one in await jobs.listing("dev-app")):
        await asyncio.sleep(0.05)
    await stop()

asyncio.run(main())
"""


def test_kill_9_in_the_middle_loses_no_job(migrated, settings, tmp_path: Path):
    settings.data_dir.mkdir(parents=True)
    (settings.data_dir / "mozaiks.db").write_bytes(migrated.read_bytes())
    (tmp_path / "deadly.py").write_text(DEADLY)
    variables = {**os.environ, "MOZAIKS_DATA_DIR": str(settings.data_dir), "MOZAIKS_JOBS_LEASE_SECONDS": "2"}
    command = [sys.executable, str(tmp_path / "deadly.py"), str(tmp_path / "marker")]
    root = Path(__file__).parents[2]
    first = subprocess.run(command, env={**variables, "PYTHONPATH": str(root)}, timeout=300, check=False)
    assert first.returncode == -signal.SIGKILL
    second = subprocess.run(command, env={**variables, "PYTHONPATH": str(root)}, timeout=300, check=False)
    assert second.returncode == 0
    assert (tmp_path / "marker").read_text().split() == ["here", "here"]
