"""The composer in a browser, on a desktop and on a phone: files, drafts, texts that wait, stopping what is meant."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, browsing, holds, picture, settled
from tests.browser.test_accessibility import CUT, axe, violations  # noqa: F401 - axe is a fixture
from tests.doubles import running
from tests.live import Server, Site, until
from tests.people import PASSWORD, People

MOST = 200_000
HELPER = '''"""Commands for the chat."""
from mozaiks_shell import sdk

sdk.slash.template("sum", "Sum up in a line", "Sum this up: {words}", hint="a text")
sdk.slash.template("hello", "Say hello", "Hello there!")


@sdk.slash.command("note", "Note something", hint="what to note")
async def note(words: str, person: sdk.CurrentUser) -> str:
    if not words:
        raise sdk.errors.Invalid("Say what to note.")
    return f"Noted for {person.name}: {words}"


@sdk.page()
def front():
    return sdk.ui.page_header("Helper")
'''
both = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["1440", "390"])


@pytest.fixture(scope="module")
def runtime() -> Iterator[str]:
    """The double, as a process of its own."""
    with running("tests.composer_double") as url:
        yield url


@pytest.fixture(scope="module")
def shell(live: Server, runtime: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The product, connected to that runtime, with files allowed."""
    env = {
        "MOZAIKS_AI_URL": runtime,
        "CHAT_ATTACHMENTS_ALLOWED_WORKFLOWS": "*",
        "CHAT_ATTACHMENTS_ALLOWED_TYPES": ".txt,.md,.png",
        "UPLOAD_MAX_BYTES": str(MOST),
    }
    site = Site.copy("composer")
    helper = site.folder / "plugins" / "helper"
    helper.mkdir()
    manifest = {"name": "helper", "version": "1.0.0", "display_name": "Helper"}
    (helper / "manifest.json").write_text(json.dumps(manifest))
    (helper / "page.py").write_text(HELPER)
    server = site.serve(tmp_path_factory.mktemp("composer"), **env)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def crowd(shell: Server) -> People:
    return People(shell.base)


@pytest.fixture
def tab(browser, shell, crowd, request):
    """Opens a tab of a fresh browser of Ada's, with a new chat in the open pane."""
    size = request.node.callspec.params.get("size", WIDE) if hasattr(request.node, "callspec") else WIDE
    person = crowd.sign_up("ada", "Ada Lovelace")
    with browsing(browser, shell.base, person, size=size) as (context, watch):

        def new(path: str = "/") -> Page:
            page = context.new_page()
            page.goto(path)
            settled(page)
            page.get_by_role("button", name="Open chat").click()
            expect(box(page)).to_be_visible()
            expect(log(page)).to_contain_text("Nothing here yet")
            return page

        new.watch, new.context, new.person = watch, context, person  # type: ignore[attr-defined]
        yield new
    assert watch.verdict() == []


def box(page: Page):
    return page.get_by_role("textbox", name="Message")


def log(page: Page):
    return page.get_by_role("log", name="Messages")


def say(page: Page, text: str) -> None:
    box(page).fill(text)
    page.keyboard.press("Enter")


def heard(runtime: str, kind: str = "user.input.submit") -> list[str]:
    """Texts the runtime was sent."""
    return [one["text"] for one in httpx.get(f"{runtime}/heard", timeout=60).json()["frames"] if one["type"] == kind]


def put_files(page: Page, *files: tuple[str, bytes]) -> None:
    """Choose files in the picker of the composer."""
    given = [{"name": name, "mimeType": "text/plain", "buffer": content} for name, content in files]
    page.locator(".mzc-composer input[type=file]").set_input_files(given)


def drag(page: Page, action: str, name: str = "", content: str = "") -> None:
    """Paste a file into the text box, or drag one onto the conversation."""
    page.locator(".mzc-input").evaluate(
        """(area, [action, name, content]) => {
          const carried = new DataTransfer();
          carried.items.add(new File([content], name, { type: "text/plain" }));
          const event = action === "paste"
            ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true })
            : new DragEvent(action, { dataTransfer: carried, bubbles: true, cancelable: true });
          (action === "paste" ? area : area.closest(".mzc-stream").querySelector(".mzc-scroller")).dispatchEvent(event);
        }""",
        [action, name, content],
    )


@both
def test_f190_files_by_button_paste_and_drop_go_with_the_message_and_stand_in_the_log(tab, runtime, size):
    page = tab()
    expect(page.get_by_role("button", name="Attach files")).to_be_visible()
    put_files(page, ("notes.txt", b"x" * 1500))
    drag(page, "paste", "pasted.md", "# hello")
    drag(page, "dragenter", "dropped.txt", "hi")
    expect(page.get_by_text("Drop files to attach them")).to_be_visible()
    drag(page, "drop", "dropped.txt", "hi")
    expect(page.get_by_text("Drop files to attach them")).to_have_count(0)
    chips = page.locator(".mzc-box").get_by_role("list", name="Files").get_by_role("listitem")
    expect(chips).to_have_count(3)
    expect(chips.nth(0)).to_contain_text("notes.txt")
    expect(chips.nth(0)).to_contain_text("1.5 kB")
    chips.nth(1).get_by_role("button", name="Remove pasted.md").click()
    expect(chips).to_have_count(2)
    picture(page, f"composer-chips-{size['width']}")
    say(page, "please read these")
    expect(log(page)).to_contain_text("You said: please read these")
    expect(chips).to_have_count(0)
    links = log(page).get_by_role("link")
    expect(links).to_have_count(2)
    expect(links.first).to_contain_text("notes.txt")
    order = log(page).inner_text()
    assert order.index("notes.txt") < order.index("dropped.txt") < order.index("please read these")
    content = page.evaluate("async (path) => (await (await fetch(path)).text()).length", links.first.get_attribute("href"))
    assert content == 1500
    sent = [one["name"] for one in httpx.get(f"{runtime}/heard", timeout=60).json()["files"]]
    assert sent[-2:] == ["notes.txt", "dropped.txt"], "what was removed was never sent"
    picture(page, f"composer-files-in-log-{size['width']}")
    page.reload()
    settled(page)
    expect(log(page).get_by_role("link")).to_have_count(2)


@both
def test_f190_what_is_refused_is_said_clearly_and_costs_nothing(tab, runtime, size):
    page = tab()
    tab.watch.expect("403", "answer 403")
    alert = page.locator(".mzc-composer").get_by_role("alert")
    put_files(page, ("huge.txt", b"x" * (MOST + 1)))
    expect(alert).to_have_text("huge.txt has 200 kB; a file may have at most 200 kB.")
    put_files(page, ("program.exe", b"MZ"), ("void.txt", b""), ("fine.txt", b"ok"))
    expect(alert).to_contain_text("program.exe is not of a kind that is taken here: .txt, .md, .png.")
    expect(alert).to_contain_text("void.txt is empty.")
    chips = page.locator(".mzc-box").get_by_role("listitem")
    expect(chips).to_have_count(1)
    picture(page, f"composer-refused-{size['width']}")
    put_files(page, ("virus.txt", b"boo"))
    say(page, "take both")
    expect(alert).to_have_text("virus.txt: The assistant does not take this file.")
    expect(box(page)).to_have_value("take both")
    expect(chips).to_have_count(1)  # the other one is in the chat already
    expect(log(page).get_by_role("link")).to_have_text(re.compile("fine.txt"))
    chips.first.get_by_role("button", name="Remove virus.txt").click()
    box(page).press("Enter")
    expect(log(page)).to_contain_text("You said: take both")


def test_f190_progress_is_shown_and_a_file_on_its_way_can_be_taken_back(tab, runtime):
    page = tab()
    put_files(page, ("slow.txt", b"x" * 100_000))
    say(page, "wait for it")
    row = page.get_by_role("list", name="Messages that wait").get_by_role("listitem").first
    expect(page.get_by_role("progressbar", name="Sending slow.txt")).to_be_visible()
    picture(page, "composer-progress")
    row.get_by_role("button", name="Remove the waiting message").click()
    expect(row).to_have_count(0)
    say(page, "never mind")
    expect(log(page)).to_contain_text("You said: never mind")
    assert "wait for it" not in heard(runtime)


@both
def test_f187_texts_typed_while_an_answer_runs_wait_visibly_and_go_one_after_the_other(tab, runtime, size):
    page = tab()
    say(page, "stream 80 at 20")
    expect(log(page)).to_contain_text("t000003")
    for text in ("first next", "second next", "third next"):
        say(page, text)
    waiting = page.get_by_role("list", name="Messages that wait").get_by_role("listitem")
    expect(waiting).to_have_count(3)
    expect(page.get_by_text("Sent when the answer is complete.")).to_be_visible()
    picture(page, f"composer-queue-{size['width']}")
    waiting.nth(1).get_by_role("button", name="Remove the waiting message").click()
    waiting.nth(1).get_by_role("button", name="Edit the waiting message").click()
    expect(box(page)).to_have_value("third next")
    say(page, "third, but better")
    expect(waiting).to_have_count(2)
    expect(log(page)).not_to_contain_text("first next")
    expect(log(page)).to_contain_text("You said: third, but better")
    expect(waiting).to_have_count(0)
    mine = [one for one in heard(runtime) if "next" in one or "better" in one]
    assert mine[-2:] == ["first next", "third, but better"]
    shown = log(page).inner_text()
    assert shown.index("t000079") < shown.index("You said: first next") < shown.index("You said: third, but better")


def test_f187_a_waiting_text_survives_a_reload_and_is_said_once(tab, runtime):
    page = tab()
    say(page, "stream 120 at 20")
    expect(log(page)).to_contain_text("t000003")
    say(page, "after the reload")
    expect(page.get_by_role("list", name="Messages that wait")).to_be_visible()
    page.reload()
    settled(page)
    expect(log(page)).to_contain_text("You said: after the reload")
    assert heard(runtime).count("after the reload") == 1


@both
def test_enter_breaks_with_shift_and_leaves_the_input_method_alone(tab, runtime, size):
    page = tab()
    box(page).press_sequentially("one")
    box(page).press("Shift+Enter")
    box(page).press_sequentially("two")
    expect(box(page)).to_have_value("one\ntwo")
    box(page).dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    box(page).dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True})
    expect(box(page)).to_have_value("one\ntwo")
    box(page).press("Enter")
    expect(log(page)).to_contain_text("You said: one")
    assert "one\ntwo" in heard(runtime)


def test_enter_before_the_connection_keeps_the_text_and_sends_it_once(tab, runtime):
    page = tab()
    page.get_by_role("button", name="Close chat").click()
    held: list[Any] = []
    page.route_web_socket("**/ws/chat", lambda socket: held.append(socket))
    page.reload()
    settled(page)
    page.get_by_role("button", name="Open chat").click()
    say(page, "said too early")
    expect(box(page)).to_have_value("")
    expect(page.get_by_text("Sent as soon as the connection is there.")).to_be_visible()
    picture(page, "composer-early")
    until(lambda: page.evaluate("1") and held, 30, "a socket that waits")
    page.route_web_socket("**/ws/chat", lambda socket: socket.connect_to_server())
    held[-1].close(code=1001)
    expect(log(page)).to_contain_text("You said: said too early")
    assert heard(runtime).count("said too early") == 1


def test_drafts_survive_a_reload_and_another_chat(tab):
    page = tab()
    box(page).fill("kept for later")
    page.reload()
    settled(page)
    expect(box(page)).to_have_value("kept for later")
    page.get_by_role("button", name="New chat").first.click()
    expect(log(page)).to_contain_text("Nothing here yet")
    expect(box(page)).to_have_value("")
    page.get_by_role("button", name=re.compile("^Chats: ")).click()
    page.locator(".mzc-chats .mzc-line").nth(1).click()
    expect(box(page)).to_have_value("kept for later")


def test_a_draft_is_not_shown_to_whoever_signs_in_next_in_the_same_tab(tab, crowd, shell):
    page = tab()
    say(page, "stream 40 at 20")
    box(page).fill("my secret plan")
    say(page, "my secret next message")
    box(page).fill("my secret plan")
    assert "my secret plan" in page.evaluate("JSON.stringify({...sessionStorage})")
    eve = crowd.sign_up("eve", "Eve Moreau")
    tab.context.clear_cookies()
    page.goto("/sign-in")
    settled(page)
    page.get_by_label("Username").or_(page.get_by_label(re.compile("user|e-mail", re.IGNORECASE))).first.fill(eve.username)
    page.locator("input[type=password]").first.fill(PASSWORD)
    page.locator("input[type=password]").first.press("Enter")
    page.wait_for_url(re.compile(f"^{re.escape(shell.base)}/(?!sign-in)"))
    settled(page)
    bubble = page.get_by_role("button", name="Open chat")
    if bubble.is_visible():
        bubble.click()
    expect(box(page)).to_be_visible()
    expect(log(page)).to_contain_text("Nothing here yet")
    expect(box(page)).to_have_value("")
    kept = json.dumps(page.evaluate("({...sessionStorage})"))
    assert "my secret" not in kept


@both
def test_f192_stop_ends_this_answer_and_a_late_one_does_not_touch_the_next(tab, runtime, size):
    page = tab()
    sent: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(str(frame))))
    page.reload()
    settled(page)
    say(page, "stream 400 at 20")
    expect(log(page)).to_contain_text("t000003")
    before = len(heard(runtime, "user.cancel"))
    page.get_by_role("button", name="Stop").click()
    expect(log(page)).to_contain_text("Stopped")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert len(heard(runtime, "user.cancel")) == before + 1
    (stop,) = [json.loads(frame) for frame in sent if '"t":"stop"' in frame]
    assert stop["turn"]
    say(page, "stream 60 at 20")
    expect(log(page).locator(".mzc-prose[data-live]")).to_contain_text("t000003")
    page.evaluate(
        """(frame) => new Promise((done) => {
      const late = new WebSocket(location.origin.replace("http", "ws") + "/ws/chat");
      late.onopen = () => late.send(JSON.stringify({ t: "open", chat: frame.chat, from: -1 }));
      late.onmessage = (event) => {
        if (!event.data.includes("caught_up")) return;
        late.send(JSON.stringify({ t: "stop", turn: frame.turn }));
        late.send(JSON.stringify({ t: "ping" }));
        late.onmessage = (answer) => answer.data.includes("pong") && (late.close(), done());
      };
    })""",
        {"turn": stop["turn"], "chat": page.evaluate("sessionStorage.getItem('mozaiks.current_chat_id')").strip('"')},
    )
    expect(log(page)).to_contain_text("t000059")
    assert len(heard(runtime, "user.cancel")) == before + 1


@both
def test_f192_a_message_is_copied_asked_again_and_edited(tab, runtime, size):
    page = tab()
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    say(page, "a **bold** question")
    expect(log(page)).to_contain_text("You said: a bold question")
    answer = log(page).locator('.mzc-message[data-role="agent"]').last
    tools = answer.get_by_role("toolbar", name="What to do with this message")
    tools.get_by_role("button", name="Copy message").click()
    expect(tools.get_by_role("button", name="Copy message")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "You said: a **bold** question"
    picture(page, f"composer-actions-{size['width']}")
    tools.get_by_role("button", name="Ask this again").click()
    expect(log(page).get_by_text("You said: a bold question")).to_have_count(2)
    assert heard(runtime).count("a **bold** question") >= 2
    box(page).fill("half a thought")
    mine = log(page).locator('.mzc-message[data-role="user"]').first
    page.mouse.move(0, 0)
    over = """one => { one.scrollIntoView({block: 'center'}); const box = one.getBoundingClientRect();
        return one.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)) }"""
    assert not mine.locator(".mzc-acts").evaluate(over), "what is not seen lies over nothing"
    mine.hover()
    assert mine.locator(".mzc-acts").evaluate(over)
    mine.get_by_role("button", name="Edit and send again").click()
    expect(box(page)).to_have_value("a **bold** question")
    expect(box(page)).to_be_focused()
    expect(page.get_by_text("You are editing an earlier message. It is sent as a new one.")).to_be_visible()
    box(page).press("Escape")
    expect(box(page)).to_have_value("half a thought")
    mine.hover()
    mine.get_by_role("button", name="Edit and send again").click()
    say(page, "a calmer question")
    expect(log(page)).to_contain_text("You said: a calmer question")
    expect(box(page)).to_have_value("half a thought")


@both
def test_f192_feedback_is_given_with_words_changed_and_taken_back(tab, runtime, size):
    page = tab()
    say(page, "is this good?")
    expect(log(page)).to_contain_text("You said: is this good?")
    answer = log(page).locator('.mzc-message[data-role="agent"]').last
    up, down = (answer.get_by_role("button", name=name, exact=True) for name in ("Helpful", "Not helpful"))
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    words = answer.get_by_role("textbox", name="What was wrong? (optional)")
    expect(words).to_be_focused()
    words.fill("It only repeats me.")
    picture(page, f"composer-feedback-{size['width']}")
    answer.get_by_role("button", name="Send feedback").click()
    expect(answer.get_by_text("Thank you for the feedback.")).to_be_visible()
    page.reload()
    settled(page)
    expect(down).to_have_attribute("aria-pressed", "true")
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(down).to_have_attribute("aria-pressed", "false")
    answer.get_by_role("textbox", name="What was good? (optional)").press("Escape")
    up.press("ArrowRight")
    expect(down).to_be_focused()
    up.click()
    expect(up).to_have_attribute("aria-pressed", "false")
    page.reload()
    settled(page)
    expect(up).to_have_attribute("aria-pressed", "false")


@both
def test_f179_a_question_has_controls_that_fit_and_is_answered_once(tab, runtime, size):
    page = tab()
    say(page, "choose")
    question = log(page).get_by_role("group", name="Question", exact=True).last
    group = question.get_by_role("group", name="Which one shall it be?")
    expect(group.get_by_role("button")).to_have_text(["The red one", "The blue one"])
    picture(page, f"composer-question-{size['width']}")
    group.get_by_role("button", name="The blue one").dblclick()
    expect(log(page)).to_contain_text("You said: blue")
    expect(group.get_by_role("button").first).to_be_disabled()
    expect(group.get_by_role("button", name="The blue one")).to_have_attribute("aria-pressed", "true")
    expect(log(page).locator('.mzc-message[data-role="user"]').last).to_contain_text("The blue one")
    assert heard(runtime)[-2:] == ["choose", "blue"]
    expect(page.get_by_role("list", name="Messages that wait")).to_have_count(0)
    picture(page, f"composer-question-answered-{size['width']}")


@both
def test_f179_a_secret_is_typed_into_a_password_box_and_kept_nowhere(tab, runtime, size):
    page = tab()
    say(page, "secret")
    hidden = page.locator(".mzc-composer input[type=password]")
    expect(hidden).to_be_visible()
    expect(log(page)).to_contain_text("What is the password?")
    expect(page.get_by_role("button", name="Attach files")).to_have_count(0)
    hidden.fill("swordfish")
    assert "swordfish" not in page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    picture(page, f"composer-password-{size['width']}")
    hidden.press("Enter")
    expect(page.locator("textarea.mzc-input")).to_be_visible()
    until(lambda: page.evaluate("1") and "swordfish" in heard(runtime), 30, "the password at the runtime")
    expect(log(page)).to_contain_text("••••••••")


@both
def test_f179_a_file_that_is_asked_for_is_chosen_and_sent(tab, runtime, size):
    page = tab()
    say(page, "file")
    question = log(page).get_by_role("group", name="Question", exact=True).last
    expect(question.get_by_role("button", name="Choose a file")).to_be_visible()
    given = {"name": "report.md", "mimeType": "text/plain", "buffer": b"# report"}
    question.locator("input[type=file]").set_input_files(given)
    expect(log(page)).to_contain_text("You said: report.md")
    expect(log(page).get_by_role("link").first).to_contain_text("report.md")
    expect(question.get_by_role("button", name="Choose a file")).to_be_disabled()
    picture(page, f"composer-question-file-{size['width']}")


def test_f179_a_question_whose_time_is_over_and_one_answered_in_another_tab_are_disabled(tab):
    page = tab()
    say(page, "hurry")
    question = log(page).get_by_role("group", name="Question", exact=True).last
    expect(question.get_by_role("button", name="Red")).to_be_enabled()
    expect(question.get_by_text("Nobody waits for the answer any more.")).to_be_visible()
    expect(question.get_by_role("button", name="Red")).to_be_disabled()
    picture(page, "composer-question-expired")
    say(page, "choose")
    second = tab.context.new_page()
    second.goto("/")
    settled(second)
    second.get_by_role("button", name="Open chat").click()
    mine, theirs = (log(each).get_by_role("group", name="Which one shall it be?") for each in (page, second))
    expect(mine.get_by_role("button").first).to_be_enabled()
    theirs.get_by_role("button", name="The red one").click()
    expect(mine.get_by_role("button", name="The red one")).to_be_disabled()
    expect(mine.get_by_role("button", name="The red one")).to_have_attribute("aria-pressed", "true")


def test_f179_a_waiting_text_is_no_answer_to_a_question_nobody_had_read(tab, runtime):
    page = tab()
    say(page, "stream 60 at 20")
    expect(log(page)).to_contain_text("t000003")
    say(page, "name it")
    say(page, "just a remark")
    expect(page.get_by_text("The assistant asked something else meanwhile. Send this as the answer?")).to_be_visible()
    expect(log(page)).to_contain_text("What shall it be called?")
    assert "just a remark" not in heard(runtime)
    picture(page, "composer-queue-question")
    page.get_by_role("button", name="Send now").click()
    expect(log(page)).to_contain_text("You said: just a remark")


@both
def test_suggestions_stand_in_an_empty_chat_and_send(tab, runtime, size):
    page = tab()
    offered = log(page).get_by_role("group", name="Suggestions").get_by_role("button")
    expect(offered).to_have_text(["What can you do?", "Show me around", "What is my plan?"])
    picture(page, f"composer-suggestions-{size['width']}")
    offered.nth(1).click()
    expect(log(page)).to_contain_text("You said: Which pages does this app have?")
    expect(offered).to_have_count(0)


@both
def test_slash_commands_are_chosen_by_keyboard_and_carried_out(tab, runtime, size):
    page = tab()
    tab.watch.expect("answer 422", "422")
    menu = page.get_by_role("listbox", name="Commands")
    box(page).press("/")
    expect(menu.get_by_role("option")).to_contain_text(["/new", "/export", "/hello", "/note", "/sum"])
    picture(page, f"composer-slash-{size['width']}")
    box(page).press("ArrowUp")
    expect(menu.get_by_role("option").last).to_have_attribute("aria-selected", "true")
    expect(box(page)).to_have_attribute("aria-activedescendant", "mzc-commands-4")
    box(page).press("Escape")
    expect(menu).to_have_count(0)
    expect(box(page)).to_have_value("/")
    box(page).fill("")
    box(page).press_sequentially("/not")
    expect(menu.get_by_role("option")).to_contain_text(["/note"])
    box(page).press("Tab")
    expect(box(page)).to_have_value("/note ")
    box(page).press_sequentially("buy milk")
    box(page).press("Enter")
    expect(page.get_by_text("Noted for Ada Lovelace: buy milk")).to_be_visible()
    expect(log(page)).to_contain_text("Nothing here yet")
    say(page, "/note ")
    expect(page.locator(".mzc-composer").get_by_role("alert")).to_have_text("Say what to note.")
    expect(box(page)).to_have_value("/note")
    box(page).press("Escape")
    say(page, "/sum a long story")
    expect(log(page)).to_contain_text("You said: Sum this up: a long story")
    say(page, "/etc/hosts is a file")
    expect(log(page)).to_contain_text("You said: /etc/hosts is a file")
    with page.expect_download() as download:
        say(page, "/export")
    assert "Sum this up: a long story" in download.value.path().read_text("utf-8")
    say(page, "stream 400 at 20")
    expect(log(page)).to_contain_text("t000003")
    say(page, "/stop")
    expect(log(page)).to_contain_text("Stopped")
    say(page, "/new")
    expect(log(page)).to_contain_text("Nothing here yet")


@pytest.mark.parametrize("locale", ["en", "ar"])
@both
def test_f200_every_state_is_accessible_in_light_and_dark_and_right_to_left(tab, shell, axe, size, locale):  # noqa: F811
    """All at once: a question, a file in the log, actions, feedback, waiting texts, a refusal, the menu of commands."""
    tab.context.add_cookies([{"name": "mozaiks_locale", "value": locale, "url": shell.base}])
    page = tab.context.new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto("/")
    settled(page)
    page.locator("#mzc-bubble").click()
    write, talk = page.locator(".mzc-input"), page.locator(".mzc-scroller")
    expect(talk.locator(".mzc-suggestion")).to_have_count(3)
    found = []

    def look(name: str) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            holds(page, f"document.documentElement.classList.contains('{scheme}')")
            picture(page, f"composer-all-{name}-{locale}-{scheme}-{size['width']}")
            problems = [*violations(page, axe), *page.evaluate(CUT)]
            found.extend(f"{name} {scheme} {one}" for one in problems if "mzc" in one)

    put_files(page, ("notes.txt", b"x" * 1500))
    write.fill("choose")
    write.press("Enter")
    expect(talk.locator(".mzc-answers button")).to_have_count(2)
    put_files(page, ("program.exe", b"x"), ("fine.md", b"x"))
    expect(page.locator(".mzc-composer [role=alert]")).to_be_visible()
    look("question")
    talk.locator(".mzc-answers button").last.click()
    talk.locator('.mzc-message[data-role="agent"] .mzc-act').last.click()
    expect(talk.locator(".mzc-feedback")).to_be_visible()
    look("feedback")
    page.locator(".mzc-chips .mzc-chip-remove").click()
    write.fill("stream 400 at 20")
    write.press("Enter")
    expect(talk).to_contain_text("t000003")
    for text in ("a first text that waits and is far too long for one line of the narrow box", "a second one"):
        write.fill(text)
        write.press("Enter")
    write.fill("/")
    expect(page.get_by_role("listbox")).to_be_visible()
    for button in page.locator(".mzc-queue-tools button").all():
        edge, room = button.bounding_box(), page.locator(".mzc-composer").bounding_box()
        assert edge and room and room["x"] <= edge["x"] and edge["x"] + edge["width"] <= room["x"] + room["width"]
    look("queue")
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("got_there", [True, False], ids=["it got there", "it did not"])
def test_f187_a_text_on_its_way_when_the_connection_breaks_is_said_exactly_once(tab, runtime, got_there):
    page = tab()
    text = f"on its way, and {'heard' if got_there else 'lost'}"
    tab.watch.expect("websocket", "WebSocket")
    said: list[str] = []
    cut: list[str] = []

    def between(socket) -> None:  # type: ignore[no-untyped-def]
        server = socket.connect_to_server()

        def hang_up(message: str) -> None:
            cut.append(message)
            server.close()
            socket.close(code=1001)

        def from_page(message: str) -> None:
            if '"t":"say"' in message and not cut:
                said.append(message)
                if not got_there:
                    return hang_up(message)
            server.send(message)

        def from_server(message: str) -> None:
            if said and not cut:
                if text in message:
                    hang_up(message)  # the page is never told
                return
            socket.send(message)

        socket.on_message(from_page)
        server.on_message(from_server)

    page.route_web_socket("**/ws/chat", between)
    page.reload()
    settled(page)
    expect(log(page)).to_contain_text("Nothing here yet")
    say(page, text)
    expect(log(page)).to_contain_text(f"You said: {text}")
    expect(box(page)).to_have_value("")
    expect(page.get_by_role("list", name="Messages that wait")).to_have_count(0)
    assert cut and heard(runtime).count(text) == 1
    expect(log(page).locator('.mzc-message[data-role="user"]')).to_have_count(1)
