"""The sample code of the founding documents runs as printed (§5 of the features; F-067, F-078, F-291, F-292, F-293, F-298)."""

import json
import re
from pathlib import Path

import httpx
import pytest

from mozaiks_shell import sdk
from mozaiks_shell.sdk.testing import installed

# "MozaiksCore Runtime", section "Basic Usage", the Python example.
BASIC_USAGE = """\
from mozaiks_core_runtime import auth, db, payments

@auth.require_user
def create_task(request):
    user = auth.current_user()
    task = db.tasks.create(
        title=request.data['title'],
        owner=user.id
    )
    return {"id": task.id, "title": task.title}
"""

# "MozaiksCore Runtime", section "Plugin Development", "Example: Hello World Plugin".
HELLO_WORLD = '''\
# backend/plugins/my-plugin/logic.py
from typing import Dict, Any

class MyPlugin:
    def __init__(self, config: Dict[str, Any] = None):
        self.config = config or {}
    
    def on_init(self, app_context: Any) -> None:
        """Called when app starts"""
        print("MyPlugin initialized")
    
    def on_request(self, request_data: Dict[str, Any]) -> Dict[str, Any]:
        """Called on each request"""
        return {"plugin": "my-plugin", "status": "active"}
'''


def put(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


async def test_f291_basic_usage_as_printed(tmp_path):
    manifest = json.dumps({"name": "tasker", "entry_point": "logic.py:create_task"})
    folder = put(tmp_path / "plugins" / "tasker", {"logic.py": BASIC_USAGE, "manifest.json": manifest})
    async with installed(folder) as tasker:
        with pytest.raises(sdk.errors.NotSignedIn):
            await tasker.execute(title="Milk")
        tasker.as_user("ada")
        answer = await tasker.execute(title="Milk")
        assert answer.keys() == {"id", "title"} and answer["title"] == "Milk" and answer["id"]
        kept = await sdk.database.Collection("tasker", "tasks").list()
        assert [(one["id"], one["owner"]) for one in kept] == [(answer["id"], "usr_ada")]


async def test_f292_an_anonymous_call_over_http_is_401(tmp_path):
    manifest = json.dumps({"name": "tasker", "access": "public", "entry_point": "logic.py:create_task"})
    folder = put(tmp_path / "plugins" / "tasker", {"logic.py": BASIC_USAGE, "manifest.json": manifest})
    async with (
        installed(folder) as tasker,
        httpx.AsyncClient(transport=httpx.ASGITransport(tasker.api()), base_url="http://app") as web,
    ):
        assert (await web.post("/api/execute/tasker", json={"title": "Milk"})).status_code == 401
        tasker.as_user("ada")
        assert (await web.post("/api/execute/tasker", json={"title": "Milk"})).json()["title"] == "Milk"


@pytest.mark.parametrize("place", ["logic.py", "backend/logic.py"])
async def test_f067_my_plugin_as_printed(tmp_path, capsys, place):
    folder = put(tmp_path / "plugins" / "my-plugin", {place: HELLO_WORLD})
    async with (
        installed(folder) as mine,
        httpx.AsyncClient(transport=httpx.ASGITransport(mine.api()), base_url="http://app") as web,
    ):
        mine.as_user("ada")
        for _ in range(2):
            answer = await web.post("/api/execute/my-plugin", json={})
            assert (answer.status_code, answer.json()) == (200, {"plugin": "my-plugin", "status": "active"})
    assert capsys.readouterr().out.count("MyPlugin initialized") == 1


ROOT = Path(__file__).parents[2]


def test_f298_the_mapping_names_what_is_there():
    text = (ROOT / "docs" / "sdk-mapping.md").read_text(encoding="utf-8")
    python_part, http_part = text.split("## Over HTTP")
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)`", python_part + http_part.split("## Errors")[1], re.MULTILINE)
    assert len(rows) >= 15
    for _, python in rows:
        path = re.match(r"(?:await )?([\w.]+)", python)
        assert path is not None, python
        thing = sdk
        for part in path[1].split("."):
            if isinstance(thing, type(sdk.db)) and part not in {"session"}:
                part = "tasks"
            thing = getattr(thing, part)
    shown = ["auth.currentUser()", "db.tasks.create", "payments.checkout", "workflowClient.execute"]
    for name in [*shown, "mozaiksPay.createCheckout", "mozaiksMarketing.createCampaign"]:
        assert name in text, name
