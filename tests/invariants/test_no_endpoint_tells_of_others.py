"""F-259: every endpoint that reads, asked by Ada for everything she can name, tells nothing of Eve's or of another app's;
asked by an administrator, nothing of another app's."""

import json
import subprocess
import sys
import tempfile

from tests.live import ROOT, clean_environment

MEANT_FOR_OTHERS = {"/api/avatar/{user_id}": "pictures are shown to signed-in people of the same app"}

_ASK = """
import asyncio, itertools, json, os, re, sys
from datetime import UTC, date, datetime, timedelta
import httpx
from sqlalchemy import JSON, Boolean, Date, DateTime, Float, Integer, LargeBinary, Numeric, insert
from mozaiks_shell.mozaiks_shell import api, settings
from mozaiks_shell.chat.service import start_chats
from mozaiks_shell.foundation import db
from mozaiks_shell.foundation.db import UserRow, scoped_tables, system_session
from mozaiks_shell.hosting.asgi import Gatekeeper
from mozaiks_shell.hosting.migrate import upgrade
from mozaiks_shell.hosting.state import process
from mozaiks_shell.identity import service as identity
from mozaiks_shell.identity.accounts import find_login
from mozaiks_shell.plugin_host.startup import start_plugins

EVE, ELSEWHERE = "EvesOwnMark", "OtherAppMark"
KEYS = itertools.count(7)

def value(column, app, person, mark):
    if column.name in {"app_id", "user_id"}:
        return {"app_id": app, "user_id": person}[column.name]
    kinds = [
        (JSON, {"note": mark}), (Boolean, False), (DateTime, datetime.now(UTC) + timedelta(hours=1)), (Date, date(2026, 1, 1)),
        (Integer, next(KEYS) if column.primary_key else 7), (Float, 1.0), (Numeric, 1), (LargeBinary, mark.encode()),
    ]
    for kind, one in kinds:
        if isinstance(column.type, kind):
            return one
    return f"{mark}-{column.name}"[: getattr(column.type, "length", None) or 99]

def walk(routes):
    for route in routes:
        if hasattr(route, "effective_route_contexts"):
            yield from walk(route.effective_route_contexts())
            continue
        real = getattr(route, "starlette_route", None) or route
        path = getattr(route, "path", "") or real.path
        if "GET" in (getattr(real, "methods", None) or getattr(route, "methods", None) or []):
            yield path

async def main():
    upgrade(settings)
    stop_plugins = await start_plugins(settings)
    stop_chats = await start_chats()
    process.not_ready = ""
    people = {}
    for name in ("root", "ada", "eve"):
        await identity.register(name, "correct horse battery", f"{name}@example.com", name)
        user = await find_login(name)
        people[name] = (user.id, await identity.open_session(user))
    async with db.engine().begin() as connection:
        await connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        for table in scoped_tables():
            mine = [(settings.app_id, people["eve"][0], EVE)] if issubclass(table, UserRow) else []
            for app, person, mark in [*mine, ("other-app", people["ada"][0], ELSEWHERE)]:
                row = {column.name: value(column, app, person, mark) for column in table.__table__.columns}
                await connection.execute(insert(table.__table__).values(row))
    told, asked = [], {}
    for who, marks in (("ada", (EVE, ELSEWHERE)), ("root", (ELSEWHERE,)), ("eve", (EVE,))):  # Eve: there is something to tell
        cookies = {"cookie": f"{identity.cookie_name()}={people[who][1]}"}
        transport = httpx.ASGITransport(Gatekeeper(api, settings, lambda: "", None), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:3000", headers=cookies) as client:
            for path in sorted(one for one in set(walk(api.routes)) if "logout" not in one and "sign-out" not in one):
                names = re.findall(r"{(\\w+)[^}]*}", path)
                tries = [{n: people["eve"][0] for n in names}]
                for mark in (EVE, ELSEWHERE) if names else ():
                    tries += [{n: f"{mark}-{n}" for n in names}, {n: f"{mark}-id" for n in names}]
                for given in tries:
                    address = re.sub(r"{(\\w+)[^}]*}", lambda m: given[m[1]], path)
                    try:
                        answer = await asyncio.wait_for(client.get(address, params={"limit": 100, "all": "true"}), 30)
                    except TimeoutError:
                        asked[path] = "does not end"
                        continue
                    asked.setdefault(f"{who} {path}", []).append(answer.status_code)
                    said = (answer.text + str(answer.headers)).replace(address, "")
                    for one in given.values():
                        said = said.replace(one, "")
                    if any(mark in said for mark in marks):
                        told.append([who, path, address, said[:300]])
    await stop_chats()
    await stop_plugins()
    json.dump({"told": told, "asked": asked}, sys.stdout)
    sys.stdout.flush()
    os._exit(0)

print("@@@")
asyncio.run(main())
"""


def test_f259_no_endpoint_tells_of_others():
    with tempfile.TemporaryDirectory() as data:
        answer = subprocess.run(
            [sys.executable, "-c", _ASK], cwd=ROOT, capture_output=True, text=True, timeout=300,
            env=clean_environment(MOZAIKS_DATA_DIR=data, PYTHONPATH=str(ROOT), REFLEX_WEB_WORKDIR=f"{data}/web"),
        )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-4000:]
    found = json.loads(answer.stdout[answer.stdout.rindex('{"told"') :])
    read = [path for path, codes in found["asked"].items() if 200 in codes]
    assert len(read) > 30, found["asked"]
    assert len({path for who, path, *_ in found["told"] if who == "eve"}) > 3, "Eve is told what is hers"
    assert [one for one in found["told"] if one[0] != "eve" and one[1] not in MEANT_FOR_OTHERS] == []
