"""What a generator workflow made is handed to services as one file (F-165)."""

import io
import shutil
import zipfile
from pathlib import Path

import pytest

from mozaiks_shell.runtime.bundle import generated_files
from mozaiks_shell.runtime.chat import Chat

SAMPLE = Path(__file__).resolve().parents[2] / "mozaiks_shell" / "runtime" / "samples" / "HelloWorld"
MADE = """{"app": {"main.py": "print(1)", "../../etc/passwd": "harmless"}, "README.md": "# Über"}"""


@pytest.fixture
def generator(tmp_path, spawn):
    """A runtime with a workflow folder whose tool shows files."""
    folder = tmp_path / "workflows" / "AppGenerator"
    shutil.copytree(SAMPLE, folder)
    for file in folder.rglob("*"):
        if file.is_file() and file.suffix in {".yaml", ".py"}:
            file.write_text(
                file.read_text()
                .replace("HelloWorld", "AppGenerator")
                .replace('"body": "', f'"generated_files": {MADE}, "body": "')
            )
    return spawn(workflows_path=str(folder.parent))


async def test_f165_the_files_of_a_chat_are_a_zip_for_services_of_its_app(generator):
    service = generator.headers("svc", scp=None)
    async with generator.chat("AppGenerator", "u1") as wire:
        chat = wire.frames[0]["data"]["chat_id"]
        where = f"/api/apps/app1/builds/{chat}/export"
        assert generator.request("GET", where, headers=service).status_code == 404
        await wire.answer(await wire.until("chat.input_request"), "Ada")
        await wire.until("chat.tool_call")
        answer = generator.request("GET", where, headers=service)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as held:
            assert {name: held.read(name).decode() for name in held.namelist()} == {
                "app/main.py": "print(1)", "app/etc/passwd": "harmless", "README.md": "# Über",
            }  # fmt: skip
        assert generator.request("GET", where, "u1").status_code == 403, "a person's token"
        assert generator.request("GET", where, headers=generator.headers("svc", scp=None, app_id="other")).status_code == 403
        other = where.replace("app1", "other")
        assert generator.request("GET", other, headers=generator.headers("svc", scp=None, app_id="other")).status_code == 404


@pytest.mark.parametrize("made", [None, [], "x", {"a": 1}, {"..": "x"}, {"": {"": "x"}}, {"a": {"b": [1]}}])
def test_f165_what_is_no_file_is_left_out(made):
    chat = Chat("app", "u", "W", "c", keep=10, keep_missed=10)
    chat.last_artifact = {"payload": {"generated_files": made}}
    assert generated_files(chat) == {}
