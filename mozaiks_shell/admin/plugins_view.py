"""A plugin in the words of the operator's pages: what state it is in, whether it can recover, and what to do."""

from dataclasses import dataclass
from typing import Final, TypedDict

from mozaiks_shell.foundation.i18n import msg, number, tr, trn
from mozaiks_shell.plugin_host import journal, meter, own_settings, registry
from mozaiks_shell.plugin_host.permissions import MEANINGS, Permission
from mozaiks_shell.plugin_host.service import PluginReport
from mozaiks_shell.ui.kit.icons import known
from mozaiks_shell.ui.page import pages


@dataclass(frozen=True, slots=True)
class Word:
    """How a state is shown. ``rank`` orders the list: what needs a person comes first."""

    label: str
    tone: str
    icon: str
    meaning: str
    rank: int


STATES: Final[dict[str, Word]] = {
    "quarantined": Word(
        msg("Quarantined"), "danger", "octagon-x", msg("Out of service, because something in it does not work."), 0
    ),
    "degraded": Word(msg("Degraded"), "warning", "triangle-alert", msg("People can use it, but something needs a look."), 1),
    "incompatible": Word(
        msg("Incompatible"), "warning", "git-compare-arrows", msg("It was written for another version of the shell."), 2
    ),
    "blocked": Word(msg("Blocked"), "danger", "shield-ban", msg("A block-list keeps this version out."), 3),
    "discovered": Word(msg("Discovered"), "accent", "scan-search", msg("It was found and is not loaded yet."), 4),
    "loaded": Word(msg("Running"), "success", "circle-check", msg("People can use it."), 5),
    "disabled": Word(msg("Switched off"), "neutral", "power-off", msg("Nobody can use it. Its data and settings are kept."), 6),
}  # fmt: skip
_ATTENTION: Final = frozenset({"quarantined", "degraded", "incompatible", "blocked"})
_QUALITY: Final = {"bronze": msg("Bronze"), "silver": msg("Silver"), "gold": msg("Gold"), "platinum": msg("Platinum")}
_SWITCH: Final = {
    "operator": msg("an administrator"), "registry_file": msg("plugin_registry.json"), "manifest": msg("its manifest"),
    "safe_mode": msg("safe mode"),
}  # fmt: skip
_STEPS: Final = {"probe": msg("Probed"), "import": msg("Imported"), "migrate": msg("Migrated"), "init": msg("Initialised")}
_KINDS: Final = {
    "render": msg("Page"), "on_load": msg("Page load"), "handler": msg("Handler"), "job": msg("Job"), "route": msg("Route"),
    "execute": msg("Call"), "listener": msg("Listener"),
}  # fmt: skip
_LEVELS: Final = {"warning": "warning", "error": "danger", "critical": "danger"}


class Row(TypedDict):
    """A line of the list. ``cause`` and ``where`` are empty while nothing is wrong; ``act`` is what can be done from here."""

    name: str
    title: str
    version: str
    text: str
    icon: str
    state: str
    label: str
    tone: str
    sign: str
    quality: str
    source: str
    cause: str
    where: str
    next: str
    pip: str
    act: str


class Chip(TypedDict):
    """A filter with its count."""

    key: str
    label: str
    tone: str
    count: int


class Pair(TypedDict):
    """A name and its value; ``href`` where it leads, ``mono`` for code."""

    name: str
    value: str
    href: str
    mono: bool


class Remark(TypedDict):
    """A note of a plugin that runs."""

    tone: str
    text: str
    where: str
    remedy: str


class FaultLine(TypedDict):
    """Equal faults in one line; ``at`` is the latest."""

    kind: str
    text: str
    where: str
    at: str
    count: int


class LogLine(TypedDict):
    """A line of the log."""

    at: str
    level: str
    tone: str
    text: str
    facts: str
    trace: str


class Step(TypedDict):
    """A part of the start and how long it took; ``share`` of the longest, in percent."""

    name: str
    value: str
    share: str


class Detail(TypedDict):
    """Everything of one plugin's page."""

    name: str
    title: str
    version: str
    text: str
    icon: str
    path: str
    settings: str
    state: str
    label: str
    tone: str
    sign: str
    meaning: str
    cause: str
    where: str
    remedy: str
    pip: str
    recover: str
    can_enable: bool
    can_disable: bool
    can_retry: bool
    notes: list[Remark]
    facts: list[Pair]
    may: list[str]
    pages: list[Pair]
    routes: list[Pair]
    tables: list[str]
    steps: list[Step]
    total: str
    calls: int
    figures: list[Pair]
    faults: list[FaultLine]


def row_of(report: PluginReport) -> Row:
    """A report as a line of the list."""
    word = STATES[report.state]
    warnings = [one for one in report.notes if one.level == "warning"]
    cause = report.message or (warnings[0].message if warnings else "")
    where = report.where if report.message else (warnings[0].where if warnings else "")
    return Row(
        name=report.name,
        title=report.title,
        version=report.version,
        text=report.description,
        icon=known(report.icon) if "." not in report.icon else "puzzle",
        state=report.state,
        label=tr(word.label),
        tone=word.tone,
        sign=word.icon,
        quality=tr(_QUALITY[report.quality]) if report.quality else "",
        source=report.package or report.root,
        cause=cause,
        where=where,
        next="" if report.pip else _next(report, warnings[0].remedy if warnings else ""),
        pip=report.pip,
        act="retry" if report.can_retry else "enable" if report.can_enable else "",
    )


def chips_of(rows: list[Row]) -> list[Chip]:
    """All, what needs attention, and each state there is, with counts."""
    counts = {state: sum(one["state"] == state for one in rows) for state in STATES}
    need = sum(counts[state] for state in _ATTENTION)
    chips = [Chip(key="", label=tr("All"), tone="", count=len(rows))]
    if need:
        chips.append(Chip(key="attention", label=tr("Needs attention"), tone="warning", count=need))
    states = sorted((state for state, count in counts.items() if count), key=lambda state: STATES[state].rank)
    return chips + [Chip(key=one, label=tr(STATES[one].label), tone=STATES[one].tone, count=counts[one]) for one in states]


def matches(row: Row, chosen: str, words: str) -> bool:
    """Whether a line belongs to the filter and has every word that was typed."""
    if chosen == "attention" and row["state"] not in _ATTENTION or chosen not in {"", "attention", row["state"]}:
        return False
    text = " ".join((row["name"], row["title"], row["text"], row["cause"], row["source"], row["label"])).lower()
    return all(word in text for word in words.lower().split())


def in_order(rows: list[Row]) -> list[Row]:
    """What needs a person first, then by name. Where they come from is only told where that differs."""
    if len({one["source"] for one in rows}) == 1:
        rows = [{**one, "source": ""} for one in rows]
    else:
        rows = [{**one, "source": _short(one["source"])} for one in rows]
    return sorted(rows, key=lambda one: (STATES[one["state"]].rank, one["title"].lower(), one["name"]))


def detail_of(report: PluginReport) -> Detail:
    """Everything there is to know of one plugin."""
    word = STATES[report.state]
    calls = meter.figures(report.name)
    steps = {name: milliseconds for name, milliseconds in report.timings.items() if name in _STEPS}
    longest = max(steps.values(), default=0.0) or 1.0
    return Detail(
        name=report.name,
        title=report.title,
        version=report.version,
        text=report.description,
        icon=known(report.icon) if "." not in report.icon else "puzzle",
        path=report.path if report.live else "",
        settings="/settings/plugins" if report.live and own_settings.has_form(report.name) else "",
        state=report.state,
        label=tr(word.label),
        tone=word.tone,
        sign=word.icon,
        meaning=tr(word.meaning),
        cause=report.message,
        where=report.where,
        remedy=report.remedy,
        pip=report.pip,
        recover=_recover(report),
        can_enable=report.can_enable,
        can_disable=report.can_disable,
        can_retry=report.can_retry,
        notes=[
            Remark(tone="warning" if one.level == "warning" else "neutral", text=one.message, where=one.where, remedy=one.remedy)
            for one in sorted(report.notes, key=lambda one: one.level != "warning")
        ],
        facts=_facts(report),
        may=[tr(MEANINGS[Permission(one)]) for one in report.permissions],
        pages=_pages(report.name),
        routes=_routes(report.name),
        tables=list(report.tables),
        steps=[
            Step(name=tr(_STEPS[name]), value=_ms(value), share=f"{max(2, round(100 * value / longest))}%")
            for name in _STEPS
            if (value := steps.get(name)) is not None
        ],
        total=_ms(sum(steps.values())) if steps else "",
        calls=calls.calls,
        figures=_figures(calls),
        faults=_faults(report),
    )


def log_of(name: str, most: int = 100) -> list[LogLine]:
    """The latest lines about a plugin, newest first."""
    return [
        LogLine(
            at=line.at.isoformat(),
            level=line.level,
            tone=_LEVELS.get(line.level, "neutral"),
            text=line.text,
            facts="  ".join(f"{key}={value}" for key, value in line.facts.items() if value),
            trace=line.trace,
        )
        for line in reversed(journal.lines(name, most))
    ]


def _next(report: PluginReport, remedy: str) -> str:
    if report.state == "disabled":
        return tr("Switched off by {who}.", who=tr(_SWITCH.get(report.switch, _SWITCH["operator"])))
    return report.remedy or remedy or (tr("The next start loads it.") if report.state == "discovered" else "")


def _recover(report: PluginReport) -> str:
    """Whether it can come back, and how."""
    match report.state:
        case "loaded":
            return ""
        case "degraded":
            return tr("It keeps running. Each note says what helps.")
        case "quarantined" if report.can_retry:
            return tr("It can recover without a restart: try again when the cause is gone.")
        case "quarantined":
            return tr("It comes back with the next start, once the cause is gone.")
        case "incompatible":
            return tr("It comes back with the next start, once its version and this shell fit.")
        case "blocked":
            return tr("It stays out until another version is installed or the block-list lets it in.")
        case "discovered":
            return tr("Restart the app to load it.")
        case _ if report.switch == "safe_mode":
            return tr("Safe mode keeps every plugin off. Start without MOZAIKS_SAFE_MODE, and it is as it was.")
        case _ if report.needs_restart:
            return tr("It can be switched on. Its code is not in memory, so it starts with the next start of the app.")
        case _:
            return tr("It can be switched on, at once.")


def _facts(report: PluginReport) -> list[Pair]:
    by = _SWITCH.get(report.switch) if report.state == "disabled" else None
    own = report.isolation == "process"
    said = [
        (tr("Name"), report.name, "", True),
        (tr("Quality"), tr(_QUALITY[report.quality]) if report.quality else tr("None claimed"), "", False),
        (tr("Author"), report.author, "", False),
        (tr("Website"), report.homepage.removeprefix("https://").rstrip("/"), report.homepage, False),
        (tr("Package"), report.package, "", True),
        (tr("Folder"), report.folder, "", True),
        (tr("Calls run"), tr("in a process of its own") if own else tr("in the server's process"), "", False),
        (tr("Switched off by"), tr(by) if by else "", "", False),
    ]
    return [Pair(name=name, value=value, href=href, mono=mono) for name, value, href, mono in said if value]


def _pages(name: str) -> list[Pair]:
    return [
        Pair(name=tr(one.title, domain=name), value=one.route, href="" if "[" in one.route else one.route, mono=True)
        for one in pages()
        if one.owner == name
    ]


def _routes(name: str) -> list[Pair]:
    plugin = registry.find(name)
    found = [Pair(name="POST", value=f"/api/execute/{name}", href="", mono=True)] if plugin and plugin.entry is not None else []
    for route in getattr(plugin.router, "routes", []) if plugin else []:
        methods = sorted(set(getattr(route, "methods", None) or {"WS"}) - {"HEAD"})
        path = f"/api/plugins/{name}{getattr(route, 'path', '')}"
        found.append(Pair(name=", ".join(methods), value=path, href="", mono=True))
    return found


def _figures(calls: meter.Figures) -> list[Pair]:
    if not calls.calls:
        return []
    return [
        Pair(name=trn("call", "calls", calls.calls), value=number(calls.calls), href="", mono=False),
        Pair(name=tr("failed"), value=number(calls.errors), href="", mono=False),
        Pair(name=tr("half of them within"), value=_ms(calls.p50), href="", mono=False),
        Pair(name=tr("95 of 100 within"), value=_ms(calls.p95), href="", mono=False),
    ]


def _faults(report: PluginReport) -> list[FaultLine]:
    seen: dict[tuple[str, str, str], FaultLine] = {}
    for one in report.faults:
        key = (one.kind, one.message, one.where)
        at = one.at.isoformat()
        if key in seen:
            seen[key]["count"] += 1
            seen[key]["at"] = max(seen[key]["at"], at)
        else:
            kind = tr(_KINDS.get(one.kind, one.kind))
            seen[key] = FaultLine(kind=kind, text=one.message, where=one.where, at=at, count=1)
    return sorted(seen.values(), key=lambda one: one["at"], reverse=True)[:20]


def _ms(milliseconds: float) -> str:
    if milliseconds >= 1000:
        return tr("{seconds} s", seconds=number(round(milliseconds / 1000, 1)))
    return tr("{milliseconds} ms", milliseconds=number(round(milliseconds, 0 if milliseconds >= 10 else 1)))


def _short(folder: str) -> str:
    """The end of a folder's path, so that two roots can be told apart."""
    parts = folder.rstrip("/").split("/")
    return "…/" + "/".join(parts[-2:]) if len(parts) > 3 else folder
