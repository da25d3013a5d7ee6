"""A plugin's own routes, HTTP and WebSocket, behind its gate (F-085)."""

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.plugin_host.routes import mount_plugins

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")
ROUTER = """
from fastapi import APIRouter, WebSocket
router = APIRouter()
@router.get("/hello/{name}")
def hello(name: str): return {"hello": name}
@router.websocket("/live")
async def live(socket: WebSocket):
    await socket.accept()
    await socket.send_text("hi")
    await socket.close()
"""
REGISTER = """
KEYWORD register_routes(app):
    @app.get("/hello/{name}")
    def hello(name: str): return {"hello": name}
"""


@pytest.mark.parametrize("source", [ROUTER, REGISTER.replace("KEYWORD", "def"), REGISTER.replace("KEYWORD", "async def")])
async def test_routes_answer_under_their_prefix(source, write, database, load, api, as_person):
    write("talk", {"routes.py": source})
    write("walk", {"routes.py": source})
    load()
    mount_plugins(api)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://app") as client:
        assert (await client.get("/api/plugins/talk/hello/you")).status_code == 401
        as_person(ADA)
        assert (await client.get("/api/plugins/talk/hello/you")).json() == {"hello": "you"}
        assert (await client.get("/api/plugins/walk/hello/me")).json() == {"hello": "me"}


def test_socket_checks_origin_and_person(write, settings, load, api):
    write("talk", {"routes.py": ROUTER, "manifest.json": '{"access": "public"}'})
    write("private", {"routes.py": ROUTER})
    load()
    mount_plugins(api)
    client = TestClient(api)
    origin = {"origin": settings.origin}
    with client.websocket_connect("/api/plugins/talk/live", headers=origin) as socket:
        assert socket.receive_text() == "hi"
    for path, headers, code in (
        ("/api/plugins/talk/live", {"origin": "https://evil.example"}, 4003),
        ("/api/plugins/private/live", origin, 4001),
    ):
        with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect(path, headers=headers):
            pass
        assert closed.value.code == code
