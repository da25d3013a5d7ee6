"""Where an operator makes the product their own: every change is seen at once, in light and in dark, and by nobody else."""

from typing import Any, Final

import reflex as rx

from mozaiks_shell.admin.branding_looks import LOOKS, spots_of
from mozaiks_shell.admin.branding_parts import ColorInput, TextFile
from mozaiks_shell.admin.branding_preview import previews
from mozaiks_shell.admin.branding_state import Branding
from mozaiks_shell.admin.branding_view import Cell, Row
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.ui.i18n import Text, t
from mozaiks_shell.ui.kit import button, card, field, icon, notice, page_header, row, skeleton, stack, text_input
from mozaiks_shell.ui.page import page

draft: Final[Any] = Branding  # in components its attributes are Vars

_RADII = (
    ("none", msg("Square")), ("small", msg("Small")), ("medium", msg("Medium")), ("large", msg("Large")), ("full", msg("Round"))
)  # fmt: skip
_DENSITIES = (("compact", msg("Compact")), ("comfortable", msg("Comfortable")), ("spacious", msg("Spacious")))
_SIZES = (("small", msg("Small")), ("medium", msg("Medium")), ("large", msg("Large")))
_MODES = (("system", msg("As on the device")), ("light", msg("Light")), ("dark", msg("Dark")))


@page(
    "/admin/branding",
    title=msg("Branding"),
    icon="palette",
    access=Access.role("admin"),
    description=msg("Name, logo, colours and type of this app, with a live preview."),
    order=955,
    parent="/admin",
    chat=False,
    keywords="theme colours logo fonts look design white label",
    on_load=draft.load,
)
def branding() -> rx.Component:
    """The form on one side, the product in both appearances on the other."""
    return rx.el.div(
        page_header(
            t("Branding"),
            t("Make it yours. Nobody sees a change before you save or export it."),
            actions=[rx.cond(draft.loaded, _actions(), rx.fragment())],
        ),
        rx.cond(
            draft.loaded,
            rx.fragment(
                _standing(),
                rx.el.div(_form(), rx.el.div(previews(), class_name="mz-branding-side"), class_name="mz-branding-columns"),
            ),
            skeleton(8),
        ),
        class_name="mz-branding",
    )


def _actions() -> rx.Component:
    blocked = draft.errors > 0
    return row(
        button(
            icon("undo-2"),
            variant="ghost",
            aria_label=t("Undo"),
            title=t("Undo"),
            on_click=draft.undo,
            disabled=~draft.can_undo,
        ),
        button(t("Start over"), variant="ghost", on_click=draft.start_over, disabled=~draft.changed),
        TextFile.create(
            icon("upload"),
            t("Import"),
            accept=".json,application/json",
            most=300_000,
            on_text=draft.bring,
            class_name="mz-button mz-secondary",
        ),  # fmt: skip
        rx.cond(
            draft.can_save,
            rx.fragment(
                button(icon("download"), t("Export"), on_click=draft.export, disabled=blocked),
                button(t("Save"), variant="primary", on_click=draft.save, disabled=blocked | ~draft.changed),
            ),
            button(icon("download"), t("Export"), variant="primary", on_click=draft.export, disabled=blocked),
        ),
        gap=2,
    )


def _standing() -> rx.Component:
    """What the last act did, and what keeps the draft from being used."""
    said = rx.match(
        draft.said_tone,
        ("success", notice(draft.said, tone="success")),
        ("danger", notice(draft.said, tone="danger")),
        notice(draft.said),
    )
    problems = notice(
        stack(
            rx.el.p(t("The file has parts that cannot be used:")),
            rx.el.ul(
                rx.foreach(
                    draft.problems,
                    lambda one: rx.el.li(rx.el.code(one["path"]), " ", one["text"]),
                ),
                class_name="mz-branding-problems",
            ),
            gap=1,
        ),
        tone="danger",
    )
    return rx.el.div(
        rx.cond(draft.said != "", said, rx.fragment()),
        rx.cond(draft.problems, problems, rx.fragment()),
        class_name="mz-stack mz-gap-3 mz-branding-standing",
        aria_live="polite",
    )


def _form() -> rx.Component:
    return rx.el.div(_identity(), _looks(), _colors(), _type(), _shape(), class_name="mz-stack mz-gap-4 mz-branding-form")


def _identity() -> rx.Component:
    words = [
        field(
            t("Name"),
            text_input(
                key=f"name-{draft.version}",
                default_value=draft.name,
                max_length=60,
                on_change=draft.write("name").debounce(250),
            ),
            error=draft.words_problem["name"],
        ),
        field(
            t("Tagline"),
            text_input(
                key=f"line-{draft.version}", default_value=draft.tagline, max_length=200,
                on_change=draft.write("tagline").debounce(250),
            ),
            error=draft.words_problem["tagline"],
        ),
    ]  # fmt: skip
    images = [
        _image(t("Logo"), "logo", t("Initial letter")),
        _image(t("Wordmark"), "wordmark", t("None")),
        _image(t("Favicon"), "favicon", t("Same as the logo")),
        _image(t("Picture behind sign-in"), "background", t("None")),
    ]
    app = field(
        t("App"),
        rx.el.select(
            rx.foreach(draft.apps, lambda one: rx.el.option(one["label"], value=one["value"])),
            value=draft.app,
            on_change=draft.open_app,
            class_name="mz-input mz-select",
        ),
        help=t("Each app shows its own brand; accounts and data are shared."),
    )
    return card(
        stack(
            rx.cond(draft.apps.length() > 1, app, rx.fragment()),
            *words,
            rx.el.div(*images, class_name="mz-branding-pair"),
            rx.el.p(t("Images are the files in the assets folder beside {file}.", file=draft.file), class_name="mz-help"),
            gap=4,
        ),
        title=t("Identity"),
    )


def _image(label: Text, part: str, without: Text) -> rx.Component:
    return field(
        label,
        rx.el.select(
            rx.el.option(without, value=""),
            rx.foreach(draft.images, lambda one: rx.el.option(one["label"], value=one["value"])),
            value=draft.parts[part],
            on_change=draft.choose(part),
            class_name="mz-input mz-select",
        ),
    )


def _looks() -> rx.Component:
    def one(key: str) -> rx.Component:
        label, _ = LOOKS[key]
        return rx.el.button(
            rx.el.span(
                *[rx.el.span(custom_attrs={"style": {"backgroundColor": spot}}) for spot in spots_of(key)],
                class_name="mz-branding-spots", aria_hidden="true",
            ),
            t(label), type="button", class_name="mz-branding-look", on_click=draft.wear(key),
        )  # fmt: skip

    return card(rx.el.div(*[one(key) for key in LOOKS], class_name="mz-branding-looks"), title=t("Start from a preset"))


def _colors() -> rx.Component:
    settle = rx.cond(
        draft.fixable > 0,
        button(icon("wand-sparkles", 14), t("Fix contrast"), small=True, on_click=draft.help_all),
        rx.fragment(),
    )
    head = rx.el.div(rx.el.span(), rx.el.span(t("Light")), rx.el.span(t("Dark")), class_name="mz-colors-head", aria_hidden="true")
    return card(
        rx.el.p(t("Empty fields are derived from your brand colour, so that everything can be read."), class_name="mz-help"),
        head,
        rx.foreach(
            draft.groups,
            lambda group: rx.el.fieldset(
                rx.el.legend(group["title"], class_name="mz-colors-title"),
                rx.foreach(group["rows"].to(list[Row]), _color_row),
                class_name="mz-colors-group",
            ),
        ),
        title=t("Colours"),
        actions=[settle],
    )


def _color_row(line: Any) -> rx.Component:
    light, dark = line["light"].to(Cell), line["dark"].to(Cell)
    return rx.el.div(
        rx.el.span(line["title"], class_name="mz-colors-name"),
        _color(light),
        _color(dark),
        _note(light),
        _note(dark),
        class_name="mz-colors-row",
    )


def _color(cell: Any) -> rx.Component:
    words = {
        "picker": t("Pick {color}"),
        "clear": t("Derive {color}"),
        "auto": t("Derive it"),
        "ratio": t("Lowest contrast on any surface"),
    }
    return ColorInput.create(
        id=f"color-{cell['name']}",
        value=cell["value"],
        shown=cell["shown"],
        ratio=cell["ratio"],
        level=cell["level"],
        label=cell["label"],
        words=words,
        on_pick=lambda value: draft.pick(cell["name"], value),
    )


def _note(cell: Any) -> rx.Component:
    settle = rx.cond(
        cell["use"] != "",
        rx.el.button(
            rx.el.span(custom_attrs={"style": {"backgroundColor": cell["use"]}}, class_name="mz-colors-dot", aria_hidden="true"),
            t("Use {color}", color=cell["use"]),
            type="button",
            class_name="mz-colors-use",
            on_click=draft.help(cell["name"]),
        ),
        rx.fragment(),
    )
    return rx.cond(
        cell["note"] != "",
        rx.el.p(
            rx.el.span(cell["note"]),
            " ",
            settle,
            id=f"color-{cell['name']}-note",
            class_name="mz-colors-note",
            data_level=cell["level"],
        ),
        rx.fragment(),
    )


def _type() -> rx.Component:
    def faces(label: Text, part: str, value: rx.Var[str]) -> rx.Component:
        return field(
            label,
            rx.el.select(
                rx.foreach(draft.fonts, lambda one: rx.el.option(one["label"], value=one["value"])),
                rx.cond(value == "own", rx.el.option(t("Same as in the file"), value="own"), rx.fragment()),
                value=value, on_change=draft.choose(part), class_name="mz-input mz-select",
            ),
        )  # fmt: skip

    return card(
        stack(
            rx.el.div(
                faces(t("Headings"), "heading", draft.heading_font),
                faces(t("Text"), "body", draft.body_font),
                class_name="mz-branding-pair",
            ),
            rx.el.p(
                t("Your own fonts: put woff2 files into assets/fonts. No page asks another server for a font."),
                class_name="mz-help",
            ),
            _choices(t("Size"), "size", _SIZES, draft.parts["size"]),
            gap=4,
        ),
        title=t("Typography"),
    )


def _shape() -> rx.Component:
    return card(
        stack(
            _choices(t("Corners"), "radius", _RADII, draft.parts["radius"]),
            _choices(t("Density"), "density", _DENSITIES, draft.parts["density"]),
            _choices(t("Default appearance"), "mode", _MODES, draft.mode),
            gap=4,
        ),
        title=t("Shape"),
    )


def _choices(label: Text, part: str, options: tuple[tuple[str, str], ...], value: rx.Var[str]) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(label, class_name="mz-label"),
        rx.el.div(
            *[
                rx.el.label(
                    rx.el.input(
                        type="radio",
                        name=f"branding-{part}",
                        value=key,
                        checked=value == key,
                        on_change=lambda _, key=key: draft.choose(part, key),
                    ),
                    t(name),
                    class_name="mz-choice",
                )
                for key, name in options
            ],
            class_name="mz-choices",
        ),
        class_name="mz-branding-choices",
    )
