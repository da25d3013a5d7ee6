"""What an operator's files say of the chat pane, ready to be drawn: names, greetings, tints, radius, logo (F-196)."""

from typing import Final, TypedDict

from mozaiks_shell.appconfig.brand import brand
from mozaiks_shell.appconfig.brand_model import Mode
from mozaiks_shell.appconfig.colors import legible, over, parse, text_on, to_hex
from mozaiks_shell.appconfig.sheet import asset_address
from mozaiks_shell.appconfig.tokens import tokens
from mozaiks_shell.appconfig.ui_config import ChatMode, ui_config


class ChatLook(TypedDict):
    """Empty where the files say nothing. ``tints`` names the modes that have a colour of their own; the colours come in
    pairs, on light and on dark grounds, each with what can be read on it."""

    ask: str
    workflow: str
    ask_greeting: str
    workflow_greeting: str
    tints: str
    ask_light: str
    ask_light_on: str
    ask_dark: str
    ask_dark_on: str
    workflow_light: str
    workflow_light_on: str
    workflow_dark: str
    workflow_dark_on: str
    radius: str
    logo: str


NO_LOOK: Final = ChatLook(
    ask="", workflow="", ask_greeting="", workflow_greeting="", tints="", ask_light="", ask_light_on="", ask_dark="",
    ask_dark_on="", workflow_light="", workflow_light_on="", workflow_dark="", workflow_dark_on="", radius="", logo="",
)  # fmt: skip


def chat_look(app_id: str = "") -> ChatLook:
    """The look of this app's chat as of now. A tint is shifted as far as it has to be to be read on the brand's grounds."""
    chat, look = ui_config(app_id).chat, brand(app_id)
    modes: dict[str, ChatMode] = {"ask": chat.modes.ask, "workflow": chat.modes.workflow}
    said = {name: mode.label for name, mode in modes.items()}
    said |= {f"{name}_greeting": mode.greeting for name, mode in modes.items()}
    said["tints"] = " ".join(name for name, mode in modes.items() if mode.tint)
    for name, mode in modes.items():
        for appearance in ("light", "dark"):
            ink, on = _readable(mode.tint, app_id, appearance) if mode.tint else ("", "")
            said |= {f"{name}_{appearance}": ink, f"{name}_{appearance}_on": on}
    said["radius"] = chat.bubbleRadius or ""
    said["logo"] = asset_address(look.assets.logo, look.app_id) if look.assets.logo else ""
    return ChatLook(**{**NO_LOOK, **said})  # type: ignore[typeddict-item]


def _readable(tint: str, app_id: str, appearance: Mode) -> tuple[str, str]:
    values = tokens(brand(app_id).palette(appearance), appearance)
    grounds = [to_hex(parse(values[f"--color-{name}"])) for name in ("bg", "surface", "elevated")]
    ink = legible(to_hex(parse(over(tint, grounds[0]))), *grounds)
    return ink, text_on(ink)
