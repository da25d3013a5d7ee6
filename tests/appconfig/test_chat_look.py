"""F-196: what the operator's files say of the chat, as the pane draws it."""

from mozaiks_shell.appconfig.colors import TEXT, contrast
from mozaiks_shell.appconfig.service import NO_LOOK, chat_look

CHAT = {
    "modes": {
        "ask": {"tint": "#ffe600", "label": "Help desk", "greeting": "Ask us about tides."},
        "workflow": {"label": "Projects"},
    },
    "bubbleRadius": 12,
}


def test_f196_without_a_file_nothing_is_said(configs):
    assert {name: value for name, value in chat_look().items() if name != "logo"} == {
        name: value for name, value in NO_LOOK.items() if name != "logo"
    }


def test_f196_names_greeting_radius_and_a_tint_that_can_be_read_in_both_appearances(configs):
    configs.write("ui.json", {"chat": CHAT})
    look = chat_look()
    assert (look["ask"], look["workflow"], look["ask_greeting"]) == ("Help desk", "Projects", "Ask us about tides.")
    assert (look["tints"], look["radius"], look["workflow_light"]) == ("ask", "12px", "")
    assert contrast(look["ask_light"], "#ffffff") >= TEXT > contrast("#ffe600", "#ffffff")
    assert contrast(look["ask_dark"], "#16181c") >= TEXT
    for appearance in ("ask_light", "ask_dark"):
        assert contrast(look[appearance], look[f"{appearance}_on"]) >= TEXT  # type: ignore[literal-required]
