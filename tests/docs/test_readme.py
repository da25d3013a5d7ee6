"""The README tells the truth: its links lead somewhere and its plugin runs."""

import re
from pathlib import Path

import httpx

from mozaiks_shell.foundation.settings import ROOT
from mozaiks_shell.sdk.testing import installed

README = (ROOT / "README.md").read_text("utf-8")


def test_every_relative_link_exists():
    for source in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("[A-Z]*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)", source.read_text("utf-8")):
            if not target.startswith(("http", "mailto:", "/")):
                assert (source.parent / target).exists(), f"{source.name}: {target}"


async def test_the_plugin_of_the_readme_runs(tmp_path: Path):
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        name = re.match(r"# plugins/(\S+)", block).group(1)
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(block)
    async with installed(tmp_path / "hello") as hello:
        hello.as_user("ada")
        assert [(page.route, page.title) for page in hello.pages()] == [("/plugins/hello", "Hello")]
        state = hello.state(hello.module("page").Hello)
        await hello.send(state, "greet")
        assert state.greeted == 1
        async with httpx.AsyncClient(transport=httpx.ASGITransport(hello.api()), base_url="http://test") as client:
            assert (await client.post("/api/execute/hello", json={})).json() == {"hello": "Ada"}
