"""Two servers on one PostgreSQL and one Redis, behind nginx without sticky sessions, with the configuration that
docs/several-processes.md prints: any request and any socket may land on either (D1, F-186, F-197)."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.chat.conftest import Browser, Shell
from tests.invariants.product import assembled
from tests.live import ROOT, Server, Site, clean_environment, free_port, until
from tests.people import People, Person
from tests.servers import find
from tests.tab import Tab

pytestmark = pytest.mark.live

LOST = "The connection to the run was lost, because the server process that held it is gone."
SOON = 120.0  # seconds; for whatever must come, on a machine that is busy


@contextlib.contextmanager
def nginx(folder: Path, port: int, processes: tuple[int, int]) -> Iterator[None]:
    """The documented configuration, with our ports. Every answer says which process gave it (``x-process``)."""
    (printed,) = re.findall(r"```nginx\n(.*?)```", (ROOT / "docs" / "several-processes.md").read_text("utf-8"), re.DOTALL)
    for shown, ours in {"127.0.0.1:3001": processes[0], "127.0.0.1:3002": processes[1], "127.0.0.1:8080": port}.items():
        assert printed.count(shown) == 1
        printed = printed.replace(shown, f"127.0.0.1:{ours}")
    folder.mkdir()
    (folder / "shell.conf").write_text(printed)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.getuid() == 0 else ''} daemon off; pid {folder}/pid; error_log {folder}/error.log;"
        "events { worker_connections 512; }"
        f"http {{ add_header x-process $upstream_addr always; {temporary} include {folder}/shell.conf; }}"
    )
    process = subprocess.Popen([find("nginx"), "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"])

    def answers() -> bool:
        assert process.poll() is None, (folder / "error.log").read_text()
        with contextlib.suppress(httpx.HTTPError):
            return bool(httpx.get(f"http://localhost:{port}/health", timeout=30).headers.get("x-process"))
        return False

    try:
        until(answers, SOON, "nginx")
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def runtime() -> Iterator[str]:
    """A runtime that streams exactly what it is told."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.double", str(port)], cwd=ROOT, env=clean_environment())

    def answers() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{port}/api/health").status_code == 200
        return False

    try:
        until(answers, SOON, "the runtime double")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


class Pair:
    """Both servers. ``base`` is the address of the proxy."""

    def __init__(self, site: Site, folder: Path, base: str, env: dict[str, str]) -> None:
        self.base = base
        shared = env | {"MOZAIKS_DATA_DIR": str(folder / "shared"), "MOZAIKS_PUBLIC_URL": base, "MOZAIKS_TRUSTED_PROXY_HOPS": "1"}
        self.servers = [Server(site, folder / name, env=shared) for name in ("one", "two")]

    def start(self) -> None:
        """Both at once, on a database that nobody migrated."""
        for server in self.servers:
            server.data.mkdir()
            with server.log.open("ab") as log:
                server.process = subprocess.Popen(
                    server.command(built=True), cwd=server.site.folder, env=server.environment(), stdout=log, stderr=log,
                    stdin=subprocess.DEVNULL, start_new_session=True,
                )  # fmt: skip
        for server in self.servers:
            until(server._is_ready, 600, f"/ready of {server.log}")

    def stop(self) -> None:
        for server in self.servers:
            server.stop()

    def serving(self, place: str) -> Server:
        """The server behind an ``x-process``."""
        return next(one for one in self.servers if place.endswith(f":{one.port}"))


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str, redis_url: str) -> Iterator[Pair]:
    port = free_port()
    built = Server(Site.copy("two"), tmp_path / "built", port=port)
    built.start()  # one build, made for the address of the proxy
    built.stop()
    with runtime() as ai:
        both = Pair(
            built.site, tmp_path, f"http://localhost:{port}",
            {"DATABASE_URL": postgres_url, "REDIS_URL": redis_url, "MOZAIKS_AI_URL": ai},
        )  # fmt: skip
        try:
            both.start()
            with nginx(tmp_path / "nginx", port, (both.servers[0].port, both.servers[1].port)):
                yield both
        finally:
            both.stop()


@contextlib.asynccontextmanager
async def on_both(pair: Pair, person: Person) -> AsyncIterator[list[tuple[Server, Browser]]]:
    """A chat socket on each of the processes, as the proxy happened to give them."""
    async with contextlib.AsyncExitStack() as stack:
        found: dict[int, tuple[Server, Browser]] = {}
        while len(found) < 2:
            tab = await stack.enter_async_context(Shell(pair.base).browser(person, origin=pair.base))
            server = pair.serving(tab.socket.response.headers["x-process"])
            if server.port in found:
                await tab.socket.close()
            else:
                found[server.port] = (server, tab)
        yield list(found.values())


@contextlib.asynccontextmanager
async def listening_on_both(pair: Pair, person: Person) -> AsyncIterator[list[ClientConnection]]:
    """A socket for live updates on each of the processes."""
    where = pair.base.replace("http", "ws") + "/ws/live"
    async with contextlib.AsyncExitStack() as stack:
        found: dict[str, ClientConnection] = {}
        while len(found) < 2:
            one = await connect(where, additional_headers={"cookie": person.cookie}, origin=pair.base, proxy=None)
            stack.push_async_callback(one.close)
            found.setdefault(one.response.headers["x-process"], one)
        yield list(found.values())


async def test_two_processes_behind_a_plain_proxy(pair, postgres_url):
    people = await asyncio.to_thread(People, pair.base)
    ada = await asyncio.to_thread(lambda: people.ada)
    await asyncio.to_thread(pages_and_their_files_come_from_both, pair, ada)
    await a_tab_keeps_its_state_in_redis(pair, ada)
    await news_and_sign_out_reach_every_process(pair, people, ada)
    await one_owner_and_another_when_it_is_killed(pair, ada, postgres_url)


def pages_and_their_files_come_from_both(pair: Pair, ada: Person) -> None:
    with ada.client() as client:
        answers = [client.get(path) for path in ("/", "/plugins/tasks", "/settings") * 2]
        assert [one.status_code for one in answers] == [200] * 6
        assert len({one.headers["x-process"] for one in answers}) == 2, "round robin"
        for file in re.findall(r'"(/assets/[^"]+\.(?:js|css))"', answers[0].text)[:6]:
            same = [client.get(file) for _ in range(2)]
            assert [one.status_code for one in same] == [200, 200], file
            assert same[0].content == same[1].content
            assert same[0].headers["x-process"] != same[1].headers["x-process"]


async def a_tab_keeps_its_state_in_redis(pair: Pair, ada: Person) -> None:
    enter = next(one["name"] for one in assembled()["handlers"] if one["name"].endswith("____frame.enter"))
    for _ in range(2):
        async with Tab(pair.base, ada.cookie) as tab:
            assert any("Ada Lovelace" in frame for frame in await tab.call(enter, {}))


async def news_and_sign_out_reach_every_process(pair: Pair, people: People, ada: Person) -> None:
    other = await asyncio.to_thread(people.sign_in, ada)
    async with listening_on_both(pair, other) as sockets, asyncio.timeout(SOON):
        await asyncio.to_thread(give_plan, pair, people, ada)
        for one in sockets:
            frame = json.loads(await one.recv())
            assert (frame["type"], frame["subtype"]) == ("notification", "new")
            assert "plan" in frame["data"]["title"]
        with ada.client() as client:
            ended = await asyncio.to_thread(client.delete, "/api/sessions")
        assert ended.status_code == 200
        # The server may leave the line itself to us, and websockets has no event for the frame.
        while not all(one.protocol.close_rcvd for one in sockets):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        assert [one.protocol.close_rcvd.code for one in sockets] == [4001, 4001]


def give_plan(pair: Pair, people: People, ada: Person) -> None:
    with ada.client() as mine, people.root.client() as admin:
        user_id, plan = mine.get("/api/user-profile").json()["user_id"], mine.get("/api/user-subscription").json()["plan"]
        offered = admin.get("/api/subscription-plans").json()["subscription_plans"]
        other = next(one["name"] for one in offered if one["name"] != plan)
        assert admin.post(f"/api/billing/users/{user_id}/plan", json={"plan": other}).status_code == 200


async def one_owner_and_another_when_it_is_killed(pair: Pair, ada: Person, database: str) -> None:
    async with on_both(pair, ada) as [(owner, near), (other, far)]:
        await near.send(t="open", workflow="Assistant", **{"from": -1})
        await near.until(near.asked, SOON)
        chat = near.chat["chat"]
        await far.send(t="open", chat=chat, **{"from": -1})
        await far.until(far.asked, SOON)
        # What is said in one process is answered in both, by the one that owns the chat.
        await far.send(t="say", text="stream 40 at 200", id="m_1")
        for tab in (near, far):
            await tab.until(lambda tab=tab: len(tab.messages()) == 2 and tab.asked(), SOON)
        assert near.messages() == far.messages()
        assert numbers(near.messages()[1][2]) == list(range(40))
        with psycopg.connect(database) as connection:
            held = connection.execute("SELECT count(*) FROM shell_lease WHERE name = %s AND holder <> ''", (f"chat:{chat}",))
            assert held.fetchone() == (1,)
        # kill -9 in the middle of an answer. The double streams for so long that nobody waits for its end.
        await far.send(t="say", text="stream 100000 at 50", id="m_2")
        for tab in (near, far):
            await tab.until(lambda tab=tab: len(numbers("".join(tab.live.values()))) > 20, SOON)
        owner.stop(signal.SIGKILL)
        await far.until(lambda: far.saw_status("interrupted") and LOST in told(far), SOON)
        written = next(text for role, _, text in reversed(far.messages()) if role == "agent")
        assert numbers(written) == list(range(len(numbers(written)))), "in order, nothing twice"
        assert len(numbers(written)) > 20
        # The page that was open at the dead process comes back with what it had seen, and sees the same.
        async with Shell(pair.base).browser(ada, origin=pair.base) as again:
            assert pair.serving(again.socket.response.headers["x-process"].split(",")[-1].strip()) is other
            again.offset = near.offset
            await again.send(t="open", chat=chat, **{"from": near.offset})
            await again.until(lambda: again.caught_up and again.saw_status("interrupted"), SOON)
            assert [text for role, _, text in again.messages() if role == "agent"] == [written]
        # And one goes on.
        async with Shell(pair.base).browser(ada, origin=pair.base) as fresh:
            await fresh.send(t="open", workflow="Assistant", new=True, **{"from": -1})
            await fresh.until(fresh.asked, SOON)
            assert fresh.chat["chat"] != chat
            await fresh.send(t="say", text="stream 5 at 200", id="m_3")
            await fresh.until(lambda: len(fresh.messages()) == 2, SOON)
            assert numbers(fresh.messages()[1][2]) == list(range(5))


def told(tab: Browser) -> list[str]:
    return [text for role, _, text in tab.messages() if role == "notice"]


def numbers(text: str) -> list[int]:
    """The tokens in it, in order."""
    return [int(one) for one in re.findall(r"t(\d{6})", text)]
