"""Charts, files, pictures and progress of an agent (F-181)."""

from typing import Any

import reflex as rx

from mozaiks_shell.chat.components import tool_labels as labels
from mozaiks_shell.chat.components.charts import HEIGHT, WIDTH
from mozaiks_shell.ui.kit import icon, link


def charts(block: Any) -> rx.Component:
    """The picture, its legend, and the figures in a table behind it."""
    return rx.foreach(block["charts"], _chart)


def _chart(chart: Any) -> rx.Component:
    def line(tick: Any) -> rx.Component:
        return rx.el.svg.g(
            rx.el.svg.line(x1="44", x2=f"{WIDTH - 10:g}", y1=tick["at"], y2=tick["at"]),
            rx.el.svg.text(tick["text"], x="38", y=tick["at"], text_anchor="end", dy="0.35em"),
        )

    def mark(tick: Any) -> rx.Component:
        return rx.el.svg.text(tick["text"], x=tick["at"], y=f"{HEIGHT - 8:g}", text_anchor="middle")

    def shape(one: Any) -> rx.Component:
        attributes = {"data-kind": one["kind"], "data-tone": one["tone"]}
        return rx.el.svg.path(rx.el.svg.title(one["title"]), d=one["d"], custom_attrs=attributes)

    def entry(one: Any) -> rx.Component:
        swatch = rx.el.i(custom_attrs={"data-tone": one["tone"]}, aria_hidden="true")
        return rx.el.li(
            swatch, rx.el.span(one["label"]), rx.cond(one["note"] != "", rx.el.span(one["note"], class_name="mzc-note"))
        )

    picture = rx.el.svg(
        rx.foreach(chart["grid"], line),
        rx.foreach(chart["shapes"], shape),
        rx.foreach(chart["marks"], mark),
        view_box=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="img",
        aria_label=rx.cond(chart["label"] != "", chart["label"], labels.CHART),
        class_name="mzc-chart",
    )
    table = rx.el.table(
        rx.el.thead(rx.el.tr(rx.foreach(chart["head"], lambda name: rx.el.th(name, scope="col")))),
        rx.el.tbody(rx.foreach(chart["body"], lambda row: rx.el.tr(rx.foreach(row, lambda cell: rx.el.td(cell))))),
        class_name="mzc-table",
    )
    return rx.el.figure(
        picture,
        rx.cond(chart["legend"].length() > 0, rx.el.ul(rx.foreach(chart["legend"], entry), class_name="mzc-legend")),
        rx.el.details(
            rx.el.summary(labels.FIGURES),
            rx.el.div(table, class_name="mzc-scroll", tab_index=0, role="group", aria_label=labels.FIGURES),
            class_name="mzc-figures",
        ),
        class_name="mzc-figure",
    )


def files(block: Any) -> rx.Component:
    """Files to fetch: the person's own, and what an agent wrote, from here; others where they lie."""

    def one(file: Any) -> rx.Component:
        words = rx.el.span(
            rx.el.span(file["name"], dir="auto", class_name="mzc-file-name"),
            rx.cond(file["note"] != "", rx.el.span(file["note"], class_name="mzc-note")),
            rx.cond(file["host"] != "", rx.el.span(file["host"], class_name="mzc-note")),
            class_name="mzc-file-words",
        )
        away = link(
            icon("file-text", 18), words, icon("external-link", 16), href=file["href"], outside=True, target="_blank",
            rel="noopener noreferrer nofollow", class_name="mzc-file",
        )  # fmt: skip
        here = link(
            icon("file-text", 18), words, icon("download", 16), href=file["href"], outside=True, custom_attrs={"download": ""},
            class_name="mzc-file",
        )  # fmt: skip
        return rx.el.li(rx.cond(file["host"] != "", away, here))

    return rx.cond(block["files"].length() > 0, rx.el.ul(rx.foreach(block["files"], one), class_name="mzc-files"))


def images(block: Any) -> rx.Component:
    """Pictures; one that may not be loaded is a link to where it lies."""

    def one(image: Any) -> rx.Component:
        blocked = link(
            icon("image", 18),
            rx.el.span(
                rx.el.span(rx.cond(image["alt"] != "", image["alt"], labels.PICTURE), dir="auto", class_name="mzc-file-name"),
                rx.el.span(labels.picture_on(image["host"]), class_name="mzc-note"),
                class_name="mzc-file-words",
            ),
            icon("external-link", 16),
            href=image["href"],
            outside=True,
            target="_blank",
            rel="noopener noreferrer nofollow",
            class_name="mzc-file",
        )
        shown = rx.el.img(
            src=image["src"], alt=image["alt"], loading="lazy", class_name="mzc-picture",
            custom_attrs={"referrerPolicy": "no-referrer", "decoding": "async"},
        )  # fmt: skip
        return rx.el.figure(
            rx.cond(image["src"] != "", shown, blocked),
            rx.cond(image["caption"] != "", rx.el.figcaption(image["caption"], dir="auto", class_name="mzc-note")),
            class_name="mzc-figure",
        )

    return rx.foreach(block["images"], one)


def progress(block: Any) -> rx.Component:
    """How far something is: a bar, and its steps."""
    bar = rx.el.progress(
        value=block["percent"], max="100", aria_label=rx.cond(block["title"] != "", block["title"], labels.PROGRESS)
    )

    def step(one: Any) -> rx.Component:
        sign = rx.match(
            one["state"],
            ("done", icon("check", 14)),
            ("failed", icon("x", 14)),
            ("skipped", icon("minus", 14)),
            rx.fragment(),
        )
        return rx.el.li(
            rx.el.i(sign, aria_hidden="true"),
            rx.el.span(one["label"], dir="auto"),
            rx.el.span(one["said"], class_name="mzc-note"),
            custom_attrs={"data-state": one["state"]},
        )

    return rx.fragment(
        rx.cond(
            block["percent"] != "",
            rx.el.div(bar, rx.el.span(block["percent"], "%", class_name="mzc-note"), class_name="mzc-bar"),
        ),
        rx.cond(block["steps"].length() > 0, rx.el.ol(rx.foreach(block["steps"], step), class_name="mzc-steps")),
    )
