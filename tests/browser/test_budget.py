"""F-253 in a browser: a budget that ends in the middle of an answer. What was written stays, and the reason is shown."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, browsing, picture, settled
from tests.live import ROOT, Server, Site, clean_environment, free_port, until
from tests.people import People

CONFIG = {"budgets": {"default": {"limit": 3000}}, "reserve_tokens": 500, "prices": [{"model": "*", "input": 1, "output": 2}]}


@pytest.fixture(scope="module")
def model() -> Iterator[str]:
    """A language model that does not stop by itself."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.chat.model", str(port)], cwd=ROOT, env=clean_environment())

    def answers() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{port}/", timeout=60).status_code == 404
        return False

    until(answers, 60, "the model")
    yield f"http://127.0.0.1:{port}/v1"
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="module")
def shell(live: Server, model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product with that model and a budget for everybody."""
    folder = tmp_path_factory.mktemp("budget-configs")
    (folder / "usage_config.json").write_text(json.dumps(CONFIG))
    data = tmp_path_factory.mktemp("budget")
    server = Site.copy("budget").serve(data, configs_built=False, MOZAIKS_CONFIGS_PATH=str(folder), OPENAI_BASE_URL=model)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")], ids=["wide", "narrow"])
def test_f253_an_answer_is_cut_with_the_reason_shown_and_what_was_written_kept(browser, shell, crowd, size, scheme):
    person = crowd.sign_up("max", "Max Spender")
    with browsing(browser, shell.base, person, size, scheme) as (context, watch):
        page = context.new_page()
        page.goto("/")
        settled(page)
        page.locator("#mzc-bubble").click()
        expect(page.locator(".mzc-input")).to_be_enabled()
        expect(page.locator(".mzc-message[data-role=agent]").first).to_be_visible()
        page.locator(".mzc-input").fill("Tell me a story.")
        page.keyboard.press("Enter")
        log = page.get_by_role("log", name="Messages")
        expect(log).to_contain_text("Once upon a time")
        expect(log).to_contain_text("Your budget for this month is used up.", timeout=90_000)
        expect(log).to_contain_text("What was written so far is kept.")
        expect(log).to_contain_text("word by word")
        picture(page, f"budget-cut-{scheme}")
        page.reload()
        settled(page)
        expect(page.locator(".mzc-pane")).to_be_visible()  # what was open comes back by itself
        expect(log).to_contain_text("word by word")
        expect(log).to_contain_text("Your budget for this month is used up.")

        with person.client() as web:
            refused = web.post("/api/workflows/start", json={"workflow_name": "Assistant"})
            assert (refused.status_code, refused.json()["code"]) == (402, "TOKEN_BUDGET_EXCEEDED")
        page.goto("/usage")
        settled(page)
        expect(page.get_by_text("Used up", exact=True)).to_be_visible()
        picture(page, f"budget-usage-{scheme}")
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    assert watch.verdict() == []
