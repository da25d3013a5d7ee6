"""Messages and failures: what a person is told, and what they cannot do with it."""

from mozaiks_shell.foundation.errors import Conflict
from mozaiks_shell.shell.failures import handler_failed
from mozaiks_shell.shell.state import Crash, Notices, notify


def made() -> Notices:
    return Notices(_reflex_internal_init=True)


def test_a_notice_is_kept_short_and_ids_grow() -> None:
    state = made()
    for number in range(9):
        state.push(f"message {number} " + "x" * 400, "success")
    assert len(state.items) == 4
    assert all(len(one["text"]) == 300 for one in state.items)
    ids = [one["id"] for one in state.items]
    assert ids == sorted(set(ids))


def test_a_notice_of_the_wrong_kind_is_dropped() -> None:
    state = made()
    state.push({"html": "x"})  # type: ignore[arg-type]
    state.push("text", "blink")
    assert state.items == []


def test_our_errors_speak_for_themselves_and_others_get_a_reference() -> None:
    assert "Taken." in str(handler_failed(Conflict("Taken.")))
    spoken = str(handler_failed(ValueError("secret detail")))
    assert "secret detail" not in spoken
    assert "Reference" in spoken
    assert "notices" in str(notify("Saved.", "success")).lower()


def test_a_broken_page_is_reported_five_times_at_most() -> None:
    state = Crash(_reflex_internal_init=True)
    state.report("Error: x", "stack")
    first = state.reference
    for _ in range(4):
        state.report("Error: x", "stack")
    last = state.reference
    state.report("Error: x", "stack")
    assert first
    assert state.reference == last
