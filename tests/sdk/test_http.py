"""``sdk.http``: limits, repetitions, and no way into the operator's own network."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable

import pytest

from mozaiks_shell import sdk
from mozaiks_shell.foundation import outbound
from mozaiks_shell.foundation.outbound import is_allowed, is_public
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.sdk import http

Answer = Callable[[str], bytes]


class Site:
    """A server of one answer after the other; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: list[bytes] = []
        self.port = 0

    @property
    def base(self) -> str:
        return f"http://site.test:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.decode())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer == b"silence":
            await reader.read()
        elif answer != b"hang up":
            writer.write(answer)
            await writer.drain()
        writer.close()


def plain(status: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@pytest.fixture
async def site(settings, monkeypatch) -> AsyncIterator[Site]:
    """``site.test`` is on this machine and opened by the operator; everything else is as it is."""
    one = Site()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("MOZAIKS_HTTP_ALLOW", "site.test, 10.9.0.0/16")
    get_settings.cache_clear()
    names: dict[str, list[str]] = {"site.test": ["127.0.0.1"], "inside.test": ["127.0.0.1"]}
    real = outbound._resolve

    async def resolve(host: str, port: int, seconds: float | None) -> list[str]:
        return names[host] if host in names else await real(host, port, seconds)

    monkeypatch.setattr(outbound, "_resolve", resolve)
    monkeypatch.setattr(http, "_pause", lambda *_: 0.0)
    yield one
    server.close()


async def test_an_answer(site):
    site.answers = [plain("200 OK", b'{"a": 1}', content_type="application/json")]
    answer = await http.get(f"{site.base}/x", params={"q": "tea"}, headers={"x-mine": "1"})
    assert (answer.status_code, answer.json(), answer.is_success) == (200, {"a": 1}, True)
    assert site.asked[0].startswith("GET /x?q=tea ") and "x-mine: 1" in site.asked[0].lower()


async def test_refusals_of_the_other_side_are_answers(site):
    site.answers = [plain("404 Not Found", b"no")]
    answer = await http.get(site.base)
    assert (answer.status_code, answer.text) == (404, "no")


def test_plain_code_calls_it_plainly(settings, monkeypatch):
    with pytest.raises(sdk.errors.Forbidden, match="not a public address"):
        http.get("http://127.0.0.1:9/")


INSIDE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "192.0.0.8", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::a9fe:a9fe", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside(address):
    from ipaddress import ip_address

    assert not is_public(ip_address(address))
    assert not is_allowed("anything.test", address, [])


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_what_is_outside(address):
    from ipaddress import ip_address

    assert is_public(ip_address(address))


def test_the_operator_opens_hosts_and_networks():
    allow = ["db.internal", "10.9.0.0/16", "fd00::/8"]
    assert is_allowed("db.internal", "192.168.0.7", allow) and is_allowed("DB.internal.", "192.168.0.7", allow)
    assert is_allowed("x", "10.9.1.1", allow) and is_allowed("x", "fd00::7", allow)
    assert not is_allowed("x", "10.8.1.1", allow) and not is_allowed("other.internal", "192.168.0.7", allow)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
        "http://2130706433:{port}/", "http://0x7f.1:{port}/", "http://0:{port}/", "http://inside.test:{port}/",
        "http://site.test@127.0.0.1:{port}/", "http://169.254.169.254/latest/meta-data",
    ],
)  # fmt: skip
async def test_no_way_in(site, url):
    site.answers = [plain("200 OK", b"secret")]
    with pytest.raises(http.AddressRefused) as refused:
        await http.get(url.format(port=site.port), timeout=10)
    assert refused.value.code == "ADDRESS_NOT_ALLOWED" and refused.value.status == 403
    assert site.asked == []


async def test_no_way_in_by_a_redirect(site):
    site.answers = [plain("302 Found", location=f"http://127.0.0.1:{site.port}/secret"), plain("200 OK", b"secret")]
    with pytest.raises(http.AddressRefused):
        await http.get(site.base)
    assert len(site.asked) == 1


async def test_no_way_in_by_a_name_that_changes_its_mind(site, monkeypatch):
    """The address that was checked is the one that is called: there is no second look-up."""
    looks = []

    async def resolve(host, port, seconds):
        looks.append(host)
        return ["127.0.0.1"] if len(looks) > 1 else ["10.9.0.1"]

    called = []

    async def connect(self, host, port, *rest):
        called.append(host)
        raise outbound.httpcore.ConnectError("nobody there")

    monkeypatch.setattr(outbound, "_resolve", resolve)
    monkeypatch.setattr(outbound.httpcore.AnyIOBackend, "connect_tcp", connect)
    with pytest.raises(sdk.errors.Upstream):
        await http.get("http://changing.test/", retries=0)
    assert (looks, called) == (["changing.test"], ["10.9.0.1"])


async def test_one_bad_address_among_good_ones_is_refused(site, monkeypatch):
    async def resolve(host, port, seconds):
        return ["8.8.8.8", "127.0.0.1"]

    monkeypatch.setattr(outbound, "_resolve", resolve)
    with pytest.raises(http.AddressRefused):
        await http.get(f"http://mixed.test:{site.port}/")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x.test/", "//x.test", "x", "", "http://", "unix:///run/x.sock"])
async def test_only_the_web(site, url):
    with pytest.raises(sdk.errors.Invalid):
        await http.get(url)


async def test_redirects_are_followed_without_handing_on_secrets(site):
    other = f"http://site.test:{site.port}/next"
    site.answers = [plain("302 Found", location=other), plain("200 OK", b"there")]
    answer = await http.get(f"http://site.test:{site.port}/", headers={"authorization": "Bearer x"})
    assert answer.text == "there" and len(answer.history) == 1
    site.answers = [plain("302 Found", location=f"{site.base}/again")]
    with pytest.raises(sdk.errors.Upstream, match="leads nowhere"):
        await http.get(site.base)


@pytest.mark.parametrize("lie", [False, True])
async def test_a_body_that_is_too_large(site, lie):
    body = b"x" * 5000
    head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"
    site.answers = [head + body if lie else plain("200 OK", body)]
    with pytest.raises(sdk.errors.Upstream) as raised:
        await http.get(site.base, max_bytes=4000)
    assert raised.value.code == "RESPONSE_TOO_LARGE"


async def test_a_packed_body_counts_unpacked(site):
    site.answers = [plain("200 OK", gzip.compress(b"x" * 50_000), content_encoding="gzip")]
    with pytest.raises(sdk.errors.Upstream):
        await http.get(site.base, max_bytes=4000)
    site.answers = [plain("200 OK", gzip.compress(b"tea"), content_encoding="gzip")]
    assert (await http.get(site.base)).text == "tea"


async def test_silence_ends(site):
    site.answers = [b"silence"]
    with pytest.raises(sdk.errors.TimedOut):
        await http.get(site.base, timeout=0.3)


async def test_what_is_safe_is_repeated(site):
    site.answers = [b"hang up", plain("503 Busy"), plain("200 OK", b"tea")]
    assert (await http.get(site.base)).text == "tea"
    assert len(site.asked) == 3
    site.answers = [plain("503 Busy")]
    assert (await http.get(site.base)).status_code == 503  # the last answer is an answer


async def test_what_may_have_had_its_effect_is_not(site):
    site.answers = [b"hang up", plain("200 OK")]
    with pytest.raises(sdk.errors.Upstream):
        await http.post(site.base, json={"n": 1})
    assert len(site.asked) == 1
    site.answers = [b"hang up", plain("200 OK", b"once")]
    assert (await http.post(site.base, json={"n": 1}, headers={"Idempotency-Key": "k"})).text == "once"
    assert len(site.asked) == 3


SOURCE = """
from mozaiks_shell.sdk import http
async def execute(data):
    answer = await http.get(data["url"])
    return {"status": answer.status_code}
"""


async def test_f095_a_plugin_says_in_its_manifest_that_it_calls_others(plugin, site):
    site.answers = [plain("200 OK")]
    async with plugin("caller", {"logic.py": SOURCE}) as caller:
        caller.as_user("ada")
        with pytest.raises(sdk.errors.Forbidden) as refused:
            await caller.execute(url=site.base)
        assert refused.value.code == "PERMISSION_MISSING" and '"permissions": ["http"]' in refused.value.message
        assert site.asked == []
    manifest = '{"name": "asker", "permissions": ["http"]}'
    async with plugin("asker", {"logic.py": SOURCE, "manifest.json": manifest}) as asker:
        asker.as_user("ada")
        assert await asker.execute(url=site.base) == {"status": 200}
