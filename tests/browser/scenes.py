"""Every page of the product and every important state of one, for tests that look at all of them. What a scene does is
written in selectors, so that it does the same in every language."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import settled

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
VAULT = '''"""A page."""
from mozaiks_shell import sdk


@sdk.page()
def front():
    return sdk.ui.page_header("The vault", "For those who pay.")
'''
CRASH = '''"""A page that breaks in the browser, and tells things."""
from mozaiks_shell import sdk
from mozaiks_shell.sdk import rx, ui


class Crash(sdk.State):
    broken: bool = False

    @sdk.event
    def break_page(self):
        self.broken = True

    @sdk.event
    def tell(self):
        yield sdk.notify("Saved.", "success")
        yield sdk.notify("It did not work.", "danger")


@sdk.page()
def front():
    trap = f"({Crash.broken} ? (() => {{ throw new Error('on purpose') }})() : 'whole')"
    return ui.stack(
        ui.page_header("Crash"),
        ui.row(
            ui.button("Break", on_click=Crash.break_page, id="break"), ui.button("Tell", on_click=Crash.tell, id="tell")
        ),
        rx.el.p(rx.Var(trap, _var_data=Crash.broken._get_all_var_data())),
    )
'''
FAILURES = '''"""Fails as asked."""
from fastapi import APIRouter
from mozaiks_shell.sdk import errors

router = APIRouter()
HOW = {"429": errors.TooMany("Slowly.", retry_after=600), "500": RuntimeError("on purpose"), "503": errors.Unavailable("Soon.")}


@router.get("/fail/{how}")
async def fail(how: str):
    raise HOW[how]
'''
Act = Callable[[Page], None]


def add_plugins(product: Path) -> None:
    """Put what the scenes need beyond the product itself into a copy of it: a plugin the free plan does not open, one
    that breaks."""
    for name, access, files in (
        ("vault", "plan:pro", {"page.py": VAULT}),
        ("crash", "signed_in", {"page.py": CRASH, "routes.py": FAILURES}),
    ):
        folder = product / "plugins" / name
        folder.mkdir(exist_ok=True)
        said = {"name": name, "version": "1.0.0", "display_name": name.title(), "access": access}
        for file, text in {"manifest.json": json.dumps(said), **files}.items():
            (folder / file).write_text(text, "utf-8")


MARKDOWN = f"# {LONG}\n\n- [x] *done*\n- [ ] `{LONG}`\n\n| a | b |\n|---|---|\n| {LONG} | 1 |\n\n```\n{LONG * 3}\n```"


def fill_samples(call: Callable[..., None]) -> None:
    """Something for the sample plugins to show. ``call(plugin, **data)`` executes a plugin as the person who gets it."""
    call("notes", action="create", title=LONG, text=MARKDOWN, tags="work home")
    call("notes", action="create", title="Milk", text="Two bottles.", tags="home")
    call("crm", action="create_contact", name=LONG, email="ada@example.com", phone="+49 30 1234", company="Analytical Engines")
    for stage in ("lead", "offer", "won"):
        deal = {"title": LONG, "company": "Analytical Engines", "amount": "150000.50", "closes": "2020-02-02", "stage": stage}
        call("crm", action="create_deal", **deal)


@dataclass(frozen=True)
class Scene:
    """Who (an attribute of ``People``, "" for a visitor) opens what, and does then what. ``drawn`` appears when the page
    is complete. ``narrow``: only where the sidebar is a drawer."""

    who: str
    path: str
    act: Act | None = None
    drawn: str = "main h1"
    narrow: bool = False


def press(selector: str, then: str) -> Act:
    """Press something visible and wait for something else."""

    def act(page: Page) -> None:
        page.locator(f"{selector}:visible").first.click()
        expect(page.locator(then).first).to_be_visible()

    return act


def key(keys: str, then: str) -> Act:
    """Press keys (once the page listens) and wait for something."""

    def act(page: Page) -> None:
        expect(page.locator("#mzc-bubble")).to_be_visible()
        page.keyboard.press(keys)
        expect(page.locator(then).first).to_be_visible()

    return act


def chat(page: Page) -> None:
    """The pane open, with the greeting in it."""
    page.locator("#mzc-bubble").click()
    expect(page.locator(".mzc-message[data-role=agent]").first).to_be_visible()
    expect(page.locator(".mzc-input")).to_be_enabled()


def talked(page: Page) -> None:
    chat(page)
    page.locator(".mzc-input").fill("list pages")
    page.keyboard.press("Enter")
    expect(page.locator(".mzc-message[data-role=user] ~ .mzc-message[data-role=agent] .mzc-acts").last).to_be_attached()


def expanded(page: Page) -> None:
    talked(page)
    page.locator(".mzc-tools > button").first.click()
    expect(page.locator(".mzc-pane[data-surface=overlay]")).to_be_visible()


def chats(page: Page) -> None:
    talked(page)
    page.locator(".mzc-switch").click()
    page.locator(".mzc-chats .mzc-tool").first.click()
    page.locator(".mzc-ask button").last.click()
    expect(page.locator(".mzc-ask .mz-ghost")).to_be_visible()


def with_chats(page: Page) -> None:
    talked(page)
    page.locator(".mzc-tools > button").last.click()
    expect(page.locator("#mzc-bubble")).to_be_visible()
    page.reload()
    settled(page)


def form(page: Page) -> None:
    page.locator("main button.mz-tile").nth(1).click()
    expect(page.locator(".mzc-pane form.mzc-block")).to_be_visible()


def artifact(page: Page) -> None:
    page.locator("main button.mz-tile").nth(2).click()
    expect(page.locator(".mzc-message[data-role=agent]").first).to_be_visible()
    page.locator(".mzc-input").fill("hosting plans")
    page.keyboard.press("Enter")
    expect(page.locator(".mzc-artifact table")).to_be_visible()


def mistaken(page: Page) -> None:
    press("main li .mz-button", "main li form")(page)
    page.locator("main li [name=title]").fill("")
    page.keyboard.press("Enter")
    expect(page.locator("main li [role=alert]")).to_be_visible()


def leaving(page: Page) -> None:
    page.locator("main input[type=text]:visible").first.fill("changed")
    page.locator("#mz-sidebar a[href='/plans']").evaluate("one => one.click()")
    expect(page.locator("dialog[open]")).to_be_visible()


def found(page: Page) -> None:
    key("Control+k", ".mz-pal[open] [role=option]")(page)
    page.keyboard.type("a")
    expect(page.locator(".mz-pal[open] [aria-selected=true]")).to_be_visible()


def mini(page: Page) -> None:
    page.locator(".mz-nav-toggle").evaluate("one => one.click()")
    expect(page.locator("[data-nav=mini]")).to_be_attached()


def unlearned(page: Page) -> None:
    """What the server would show to somebody without a connection."""
    expect(page.locator("#again")).to_be_visible()


def with_job(page: Page) -> None:
    """Begin long work; it is seen while it runs."""
    wish = {"workflow_name": "CompareOptions", "message": "hosting plans"}
    assert page.request.post("/api/ai/jobs", data=wish, headers={"origin": page.evaluate("location.origin")}).status == 202
    expect(page.locator("[data-state=waiting_for_input]").first).to_be_visible()


FAIL = "/api/plugins/crash/fail/"
SCENES = {
    "sign-in": Scene("", "/sign-in"),
    "sign-in-refused": Scene("", "/sign-in?error=WRONG_CREDENTIALS&username=ada"),
    "sign-in-languages": Scene("", "/sign-in", press("[popovertarget=mz-language]", "#mz-language")),
    "sign-in-theme": Scene("", "/sign-in", press("[popovertarget=mz-theme]", "#mz-theme")),
    "register": Scene("", "/register"),
    "register-refused": Scene("", "/register?error=PASSWORD_COMMON&username=ada"),
    "visitor-chat": Scene("", "/register", press("[popovertarget=mzc-visitor]", "#mzc-visitor")),
    "visitor-lost": Scene("", "/no-such-page"),
    "offline": Scene("", "/offline", unlearned),
    "home": Scene("root", "/"),
    "home-with-chats": Scene("eve", "/", with_chats),
    "profile": Scene("ada", "/profile"),
    "settings": Scene("ada", "/settings"),
    "settings-security": Scene("ada", "/settings/security"),
    "settings-plugins": Scene("ada", "/settings/plugins"),
    "settings-data": Scene("ada", "/settings/data"),
    "settings-nowhere": Scene("ada", "/settings/nowhere"),
    "deleting-account": Scene("ada", "/settings/data", press("main .mz-danger", "dialog[open]")),
    "leaving-unsaved": Scene("ada", "/profile", leaving),
    "plans": Scene("ada", "/plans"),
    "chats": Scene("eve", "/chat", drawn=".mz-chats-link"),
    "chats-empty": Scene("fred", "/chat"),
    "admin": Scene("root", "/admin"),
    "admin-settings": Scene("root", "/admin/settings"),
    "app-tokens": Scene("root", "/admin/app-tokens"),
    "app-tokens-making": Scene("root", "/admin/app-tokens", press("main .mz-primary", "dialog[open] form")),
    "jobs": Scene("eve", "/jobs", with_job),
    "jobs-empty": Scene("ada", "/jobs"),
    "branding": Scene("root", "/admin/branding", drawn=".mz-preview.dark"),
    "tasks-empty": Scene("ada", "/plugins/tasks"),
    "tasks-empty-refused": Scene("ada", "/plugins/tasks", press("main form .mz-primary", "main [role=alert]")),
    "tasks": Scene("eve", "/plugins/tasks"),
    "tasks-editing": Scene("eve", "/plugins/tasks", press("main li .mz-button", "main li form")),
    "tasks-mistaken": Scene("eve", "/plugins/tasks", mistaken),
    "tasks-deleting": Scene("eve", "/plugins/tasks", press("main li .mz-button + .mz-button", "dialog[open]")),
    "notes-empty": Scene("ada", "/plugins/notes"),
    "notes": Scene("eve", "/plugins/notes", drawn="main li h2"),
    "note": Scene("eve", "/plugins/notes", press("main li a", "main .mz-prose"), drawn="main li h2"),
    "deals-empty": Scene("ada", "/plugins/crm"),
    "deals": Scene("eve", "/plugins/crm", drawn="main li select"),
    "deals-editing": Scene("eve", "/plugins/crm", press("main li button", "dialog[open] form"), drawn="main li select"),
    "contacts": Scene("eve", "/plugins/crm/contacts", drawn="main tbody th"),
    "company": Scene("eve", "/plugins/crm/companies", press("main li a", "main aside, main form [name=website]")),
    "my-plugin": Scene("ada", "/plugins/my-plugin", press("main .mz-primary", "main dd")),
    "not-found": Scene("ada", "/no-such-page"),
    "locked-by-role": Scene("ada", "/admin"),
    "locked-by-plan": Scene("ada", "/plugins/vault"),
    "too-many": Scene("ada", FAIL + "429"),
    "broken": Scene("ada", FAIL + "500"),
    "away": Scene("ada", FAIL + "503"),
    "crashed": Scene("ada", "/plugins/crash", press("#break", "main .mz-panel, .mz-panel")),
    "notices": Scene("ada", "/plugins/crash", press("#tell", ".mz-toast[role=alert]")),
    "palette": Scene("ada", "/plans", key("Control+k", ".mz-pal[open] [role=option]")),
    "palette-typed": Scene("ada", "/plans", found),
    "shortcuts": Scene("ada", "/plans", key("?", ".mz-shortcuts[open]")),
    "discover": Scene("ada", "/plans", press("[popovertarget=mz-discover]", "#mz-discover li")),
    "profile-menu": Scene("ada", "/plans", press("[popovertarget=mz-profile]", "#mz-profile")),
    "mini-sidebar": Scene("root", "/plans", mini),
    "drawer": Scene("root", "/plans", press("[popovertarget=mz-sidebar]", ".mz-sidebar:popover-open"), narrow=True),
    "chat": Scene("ada", "/settings", talked),
    "chat-overlay": Scene("ada", "/settings", expanded),
    "chat-list": Scene("ada", "/settings", chats),
    "chat-form": Scene("ada", "/", form),
    "chat-artifact": Scene("ada", "/", artifact),
}
