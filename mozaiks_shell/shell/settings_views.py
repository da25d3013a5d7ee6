"""Fields of a form as the browser gets them: small, with their values as text, in the person's language."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypedDict

from mozaiks_shell.foundation.i18n import joined, msg, tr
from mozaiks_shell.shell.settings_fields import NO_VALUE, FieldSpec

_CHANNELS: Final = {
    "in_app": msg("in the app"), "email": msg("by e-mail"), "push": msg("as a push message"), "sms": msg("by text message"),
}  # fmt: skip


class Choice(TypedDict):
    """An option of a select."""

    value: str
    label: str


class FieldView(TypedDict):
    """A field as it is drawn. ``kind`` chooses the control, ``name`` is unique in its form, ``key`` on the page.

    ``heading`` stands above the field when it begins a group; ``unset`` names the empty choice of a time zone.
    """

    key: str
    name: str
    kind: str
    label: str
    help: str
    heading: str
    required: bool
    editable: bool
    value: str
    on: bool
    options: list[Choice]
    minimum: str
    maximum: str
    step: str
    longest: int
    placeholder: str
    unset: str


def form_name(spec: FieldSpec) -> str:
    """Name of the control in its form: scope and key, so that fields of two plugins do not meet."""
    return "/".join(spec.place)


def view(spec: FieldSpec, value: Any, key: str, heading: str = "", *, operator: bool = False) -> FieldView:
    """One field with its present value.

    Args:
        spec: What the file or the model says.
        value: What counts now; None for nothing.
        key: Unique on the page.
        heading: Stands above it.
        operator: For the settings of the app: nothing acts at once, nothing is read-only or required.
    """
    kind = _kind(spec, operator)
    text = value if isinstance(value, str) else "" if value is None or isinstance(value, bool) else str(value)
    options = [Choice(value=one, label=tr(label)) for one, label in spec.choices()] if kind == "select" else []
    if kind == "select" and (operator or not text or not spec.required):
        options.insert(0, Choice(value="", label=tr("Not set") if operator else tr("Choose…")))
    return FieldView(
        key=key,
        name=form_name(spec),
        kind=kind,
        label=tr(spec.label),
        help=_help(spec),
        heading=heading,
        required=spec.required and not operator and kind not in {"toggle", *NO_VALUE},
        editable=operator or spec.writable,
        value=text,
        on=value is True,
        options=options,
        minimum="" if spec.minimum is None else f"{spec.minimum:g}",
        maximum="" if spec.maximum is None else f"{spec.maximum:g}",
        step="1" if spec.whole_number else "any",
        longest=spec.max_length or (4000 if kind == "textarea" else 500),
        placeholder=tr(spec.placeholder),
        unset=tr("Not set") if operator else "",
    )


def _kind(spec: FieldSpec, operator: bool) -> str:
    if spec.type == "timezone-selector" or (spec.place == ("", "timezone") and not spec.options):
        return "timezone"
    if spec.type == "locale-selector":
        return "select"
    if spec.type == "theme-selector" and (operator or spec.plugin or not spec.writable):
        return "select"
    return spec.type


def _help(spec: FieldSpec) -> str:
    words = [tr(spec.description)] if spec.description else []
    if spec.channels:
        words.append(tr("Sent {channels}.", channels=joined(tr(_CHANNELS.get(one, one)) for one in spec.channels)))
    return " ".join(words)


def sent(specs: Iterable[FieldSpec], form: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a submitted form by field id; what was not sent is left out, an unticked toggle is off."""
    found: dict[str, Any] = {}
    for spec in specs:
        value = form.get(form_name(spec))
        if spec.type == "toggle":
            found[spec.id] = value in ("on", "true", True)
        elif isinstance(value, str):
            found[spec.id] = value
    return found
