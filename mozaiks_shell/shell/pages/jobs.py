"""One's long-running jobs: how each stands, what it made, what it asks (F-155)."""

from typing import Any

import reflex as rx

from mozaiks_shell.broker import jobs as work
from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell.jobs_state import STATES, File, Jobs
from mozaiks_shell.ui.i18n import t, t_date, tn
from mozaiks_shell.ui.kit import (
    button,
    card,
    dialog,
    empty_state,
    icon,
    link_button,
    notice,
    page_header,
    skeleton,
    stack,
)
from mozaiks_shell.ui.live import live
from mozaiks_shell.ui.page import page

_DESCRIPTION = msg("Work that takes longer goes on here while you do something else.")
_ASK = "cancel-job"


@page(
    "/jobs",
    title=msg("Jobs"),
    icon="hourglass",
    access=Access.signed_in(),
    description=_DESCRIPTION,
    order=15,
    on_load=Jobs.enter,
    shown=work.has_any,
    keywords="long work running background artifacts download workflow",
)
def jobs() -> rx.Component:
    """The list, or what it is for."""
    none = card(
        empty_state(
            "hourglass",
            t("No jobs yet"),
            t("When an agent works for longer, you see here how it is getting on and download what it made."),
            link_button(t("Open chat"), "/chat"),
        )
    )
    lines = rx.el.section(
        rx.el.ul(rx.foreach(Jobs.rows, _row), aria_label=t("Jobs"), class_name="mz-plug-list"), class_name="mz-card mz-plug-card"
    )
    problem = rx.cond(Jobs.problem != "", notice(Jobs.problem, "danger"), rx.fragment())
    return rx.fragment(
        page_header(t("Jobs"), t(_DESCRIPTION)),
        rx.cond(Jobs.loaded, stack(problem, rx.cond(Jobs.rows, lines, none)), card(skeleton(6))),
        _question(),
        live(work.FRAME, Jobs.refresh),
    )


def _row(one: Any) -> rx.Component:
    began = rx.el.time(t_date(one["began"]), date_time=one["began"])
    about = rx.el.p(rx.el.span(one["workflow"]), " · ", began, class_name="mz-muted mz-small")
    reason = rx.cond(one["text"] != "", rx.el.p(one["text"], dir="auto", class_name="mz-job-text"), rx.fragment())
    files = rx.el.ul(
        rx.foreach(one["files"].to(list[File]), _file), aria_label=t("What it made"), class_name="mz-job-files"
    )  # fmt: skip
    words = rx.el.div(
        rx.el.h2(one["title"], dir="auto", class_name="mz-job-title"),
        about,
        rx.cond(one["open"], _progress(one), rx.fragment()),
        reason,
        rx.cond(one["files"].length() > 0, files, rx.fragment()),
        class_name="mz-plug-words",
    )
    return rx.el.li(
        rx.el.span(_sign(one, 18), class_name="mz-plug-icon mz-tone-" + one["tone"].to(str)),
        words,
        rx.el.div(
            rx.el.span(_sign(one, 14), one["label"], class_name="mz-badge mz-plug-state mz-tone-" + one["tone"].to(str)),
            rx.cond(
                one["ended"] != "",
                rx.el.time(t_date(one["ended"]), date_time=one["ended"], class_name="mz-muted mz-small"),
                rx.fragment(),
            ),
            _acts(one),
            class_name="mz-plug-side",
        ),
        class_name="mz-plug-row",
        key=one["id"],
        custom_attrs={"data-state": one["state"]},
    )


def _sign(one: Any, size: int) -> rx.Component:
    return rx.match(one["sign"], *[(sign, icon(sign, size)) for _, _, sign in STATES.values()], rx.fragment())


def _progress(one: Any) -> rx.Component:
    """A bar while it works, how far its conversation is, and when waiting ends."""
    bar = rx.el.div(
        rx.el.span(class_name="mz-job-fill"), role="progressbar", aria_label=one["title"].to(str), class_name="mz-job-bar"
    )  # fmt: skip
    steps = rx.cond(one["steps"] > 0, rx.el.span(tn("{count} step so far", "{count} steps so far", one["steps"].to(int))), "")
    until = rx.el.span(t("until {time} at the latest", time=t_date(one["until"])))
    return rx.el.div(
        rx.cond(one["state"] == "running", bar, rx.fragment()),
        rx.el.p(steps, until, class_name="mz-job-facts mz-muted mz-small"),
        class_name="mz-job-progress",
    )


def _file(one: Any) -> rx.Component:
    name = rx.el.span(one["name"], dir="ltr", class_name="mz-truncate")
    label = t("Download: {name}", name=one["name"])
    return rx.el.li(link_button(name, one["href"].to(str), small=True, icon_name="download", outside=True, aria_label=label))


def _acts(one: Any) -> rx.Component:
    asks = one["state"] == "waiting_for_input"
    answer = link_button(t("Answer"), one["chat"].to(str), variant="primary", small=True)
    chat = link_button(t("Open chat"), one["chat"].to(str), small=True)
    stop = button(
        t("Cancel"), small=True, variant="ghost", aria_label=t("Cancel: {title}", title=one["title"]),
        on_click=Jobs.doom(one["id"]),
    )  # fmt: skip
    return rx.el.div(
        rx.cond(one["open"], stop, rx.fragment()),
        rx.cond(one["chat"] != "", rx.cond(asks, answer, chat), rx.fragment()),
        class_name="mz-job-acts",
    )


def _question() -> rx.Component:
    return dialog(
        rx.el.p(t("Nobody waits for it any more. What it said so far stays in its chat."), class_name="mz-dialog-text"),
        id=_ASK,
        title=t("Cancel this job?"),
        open=Jobs.doomed != "",
        on_close=Jobs.doom(""),
        actions=[
            button(t("Keep it"), on_click=Jobs.doom("")),
            button(t("Cancel the job"), variant="danger", on_click=Jobs.cancel),
        ],
    )
