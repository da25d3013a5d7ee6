"""The shell's own sections of the start page (F-028). Each returns its content; heading, waiting and failing are the frame's."""

from typing import Any

import reflex as rx

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.shell import conversations
from mozaiks_shell.shell.dashboard import section
from mozaiks_shell.shell.home_state import Home
from mozaiks_shell.shell.state import Frame
from mozaiks_shell.ui.i18n import t, t_date, t_number, tn
from mozaiks_shell.ui.kit import card, empty_state, icon, link, link_button, notice, stack
from mozaiks_shell.ui.page import page_at


@section(msg("Recent chats"), name="recent_chats", order=10, rows=5)
def recent_chats() -> rx.Component:
    """Where one left off."""
    return conversations.recent(Home.recent)


@section(msg("Agents"), name="agents", order=20, rows=3)
def agents() -> rx.Component:
    """Workflows one can start."""
    tiles = rx.el.ul(rx.foreach(Home.agents, conversations.agent_tile), class_name="mz-grid mz-tiles")
    return rx.fragment(tiles, conversations.plan_dialog())


@section(msg("Quick actions"), name="quick_actions", order=30, rows=3)
def quick_actions() -> rx.Component:
    """The way to every page."""
    actions: Any = Home.actions
    tiles = rx.el.ul(rx.foreach(actions, _tile), class_name="mz-grid mz-tiles")
    nothing = empty_state(
        "puzzle", t("No pages to open yet"), t("Pages of installed plugins appear here and in the sidebar.")
    )  # fmt: skip
    return rx.cond(actions.length() > 0, tiles, card(nothing))


def _tile(action: Any) -> rx.Component:
    words = rx.el.span(
        rx.el.span(action["title"], class_name="mz-tile-title mz-truncate"),
        rx.cond(action["text"] != "", rx.el.span(action["text"], class_name="mz-tile-text"), rx.fragment()),
        class_name="mz-tile-words",
    )
    sign = rx.el.span(icon(action["icon"], 18), class_name="mz-tile-icon")
    return rx.el.li(link(sign, words, href=action["path"], class_name="mz-tile"))


@section(msg("Your profile"), name="profile", order=10, place="side", rows=2)
def profile() -> rx.Component:
    """Who is here."""
    face = rx.el.span(Frame.initials, class_name="mz-face mz-face-large", aria_hidden="true")
    if "avatar" in Frame.get_fields():
        picture = rx.el.img(src=Frame.avatar, alt="", width=44, height=44, class_name="mz-face mz-face-large")  # type: ignore[attr-defined]
        face = rx.cond(Frame.avatar != "", picture, face)  # type: ignore[attr-defined]
    words = rx.el.div(
        rx.el.p(Frame.name, class_name="mz-strong mz-truncate", dir="auto"),
        rx.cond(Frame.line != "", rx.el.p(Frame.line, class_name="mz-muted mz-small mz-truncate"), rx.fragment()),
        class_name="mz-home-who",
    )
    where = "/profile" if page_at("/profile") else "/settings"
    edit = link_button(t("Edit profile"), where, small=True, class_name="mz-card-action")
    return rx.el.div(rx.el.div(face, words, class_name="mz-home-person"), edit)


@section(msg("Usage"), name="usage", order=20, place="side", rows=4)
def usage() -> rx.Component:
    """Tokens of this person: of the month, and day by day."""
    spent: Any = Home.spent
    days: Any = spent["days"]
    label = t("Tokens of the last {count} days", count=days.length())
    chart = rx.el.div(rx.foreach(days, _bar), class_name="mz-bars", role="img", aria_label=label)
    first, last = rx.el.span(t_date(days[0]["date"], "date")), rx.el.span(t("Today"))
    ends = rx.el.div(first, last, class_name="mz-bars-ends mz-muted", aria_hidden="true")
    numbers = rx.el.div(
        rx.el.p(t_number(spent["month"]), class_name="mz-figure"),
        rx.el.p(t("tokens this month"), class_name="mz-muted mz-small"),
    )
    ever = rx.el.p(
        t("{tokens} in all, in {calls} model calls", tokens=spent["total"], calls=spent["calls"]),
        class_name="mz-muted mz-small mz-card-note",
    )
    nothing = rx.el.p(t("Nothing used yet. What your chats use is counted here."), class_name="mz-muted mz-small")
    action = [link_button(t("Details"), "/usage", small=True, class_name="mz-card-action")] if page_at("/usage") else []
    return rx.cond(spent["total"].to(int) > 0, rx.fragment(numbers, chart, ends, ever, *action), nothing)


def _bar(day: Any) -> rx.Component:
    told = tn("{date}: {count} token", "{date}: {count} tokens", day["tokens"], date=t_date(day["date"], "date"))
    fill = rx.el.span(class_name="mz-bar", style={"blockSize": day["share"].to(str) + "%"})
    return rx.el.span(fill, class_name="mz-bar-place", title=told)


@section(msg("Your plan"), name="budget", order=30, place="side", rows=3)
def budget() -> rx.Component:
    """The plan, what becomes of it and what it includes."""
    plan: Any = Home.plan
    date = t_date(plan["until"], "date")
    becomes = rx.match(
        plan["state"],
        ("trial", t("Trial until {date}", date=date)),
        ("renews", t("Renews on {date}", date=date)),
        ("ends", t("Ends on {date}", date=date)),
        ("overdue", t("The last payment failed. Access ends on {date}.", date=date)),
        "",
    )
    tone = rx.cond(plan["state"] == "overdue", "mz-small mz-error", "mz-small mz-muted")
    features: Any = plan["features"]
    listed = rx.el.ul(rx.foreach(features, _feature), class_name="mz-ticks")
    more = rx.el.p(tn("and {count} more", "and {count} more", plan["more"]), class_name="mz-muted mz-small")
    action = [link_button(t("See plans"), "/plans", small=True, class_name="mz-card-action")] if page_at("/plans") else []
    return rx.el.div(
        rx.el.p(t(plan["title"]), class_name="mz-figure"),
        rx.cond(plan["state"] != "", rx.el.p(becomes, class_name=tone), rx.fragment()),
        rx.cond(features.length() > 0, listed, rx.fragment()),
        rx.cond(plan["more"].to(int) > 0, more, rx.fragment()),
        *action,
    )


def _feature(text: Any) -> rx.Component:
    return rx.el.li(icon("check", 14), rx.el.span(t(text)))


@section(msg("This installation"), name="admin_overview", order=40, access=Access.role("admin"), place="side", rows=3)
def admin_overview() -> rx.Component:
    """How the app does, and what is broken."""
    overview: Any = Home.overview
    broken: Any = overview["broken"]
    warning = notice(
        tn("{count} plugin is out of service", "{count} plugins are out of service", broken.length()), "warning"
    )  # fmt: skip
    action = [link_button(t("Open admin"), "/admin", small=True, class_name="mz-card-action")] if page_at("/admin") else []
    return rx.el.div(
        rx.el.dl(rx.foreach(overview["figures"], _figure), class_name="mz-home-figures"),
        rx.cond(broken.length() > 0, warning, rx.fragment()),
        *action,
    )


def _figure(figure: Any) -> rx.Component:
    return rx.el.div(
        rx.el.dt(t(figure["name"]), rx.el.span(t(figure["help"], count=figure["count"]), class_name="mz-muted mz-tiny")),
        rx.el.dd(t_number(figure["value"]), class_name="mz-home-figure"),
        class_name="mz-home-figure-row",
    )


@section(msg("Getting started"), name="getting_started", order=50, access=Access.role("admin"), place="side", rows=5)
def getting_started() -> rx.Component:
    """What a fresh installation still runs on."""
    steps: Any = Home.steps
    return stack(rx.el.ol(rx.foreach(steps, _step), class_name="mz-steps"), gap=3)


def _step(step: Any) -> rx.Component:
    mark = rx.cond(step["done"], icon("circle-check", 17, "", "mz-done"), icon("circle-dashed", 17, "", "mz-todo"))
    said = rx.el.span(rx.cond(step["done"], t("Done"), t("To do")), class_name="mz-hidden")
    words = rx.el.div(
        rx.el.p(said, t(step["title"]), class_name="mz-strong"),
        rx.cond(step["done"], rx.fragment(), rx.el.p(t(step["text"]), class_name="mz-muted mz-small")),
    )
    return rx.el.li(mark, words, class_name="mz-step")
