"""The figures behind CompareOptions, and the arithmetic over them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FOCUS_WEIGHT = 0.6
_MONEY = "price cost costs cheap cheapest budget money"
_SPEED = "restore recovery speed fast time"


@dataclass(frozen=True)
class Criterion:
    """A column that counts. ``less`` means smaller is better."""

    key: str
    label: str
    column: str
    words: frozenset[str]
    less: bool = False


@dataclass(frozen=True)
class Option:
    """A row."""

    name: str
    values: dict[str, float]


@dataclass(frozen=True)
class Topic:
    """A table."""

    title: str
    noun: str
    words: frozenset[str]
    criteria: tuple[Criterion, ...]
    options: tuple[Option, ...]

    def scoring(self, focus: Criterion | None) -> str:
        """How the score is made, in words."""
        if focus is None:
            return "each column scaled from worst to best, then the average"
        share = f"{focus.label} weighs {_FOCUS_WEIGHT:.0%}, the others share the rest"
        return f"each column scaled from worst to best; {share}"


def _criterion(key: str, label: str, column: str, words: str, *, less: bool = False) -> Criterion:
    return Criterion(key, label, column, frozenset(words.split()), less)


TOPICS: tuple[Topic, ...] = (
    Topic(
        "Hosting plans",
        "Plan",
        frozenset({"hosting", "host", "server", "servers"}),
        (
            _criterion("price", "price", "Price (EUR/month)", _MONEY, less=True),
            _criterion("memory", "memory", "Memory (GB)", "memory ram"),
            _criterion("storage", "storage", "Storage (GB)", "storage disk space"),
            _criterion("uptime", "uptime", "Uptime (%)", "uptime availability reliability reliable"),
        ),
        (
            Option("Shared Start", {"price": 5, "memory": 1, "storage": 20, "uptime": 99.5}),
            Option("Cloud Small", {"price": 14, "memory": 4, "storage": 60, "uptime": 99.9}),
            Option("Managed Pro", {"price": 39, "memory": 8, "storage": 120, "uptime": 99.95}),
            Option("Dedicated One", {"price": 89, "memory": 32, "storage": 1000, "uptime": 99.9}),
        ),
    ),
    Topic(
        "Backup services",
        "Service",
        frozenset({"backup", "backups"}),
        (
            _criterion("price", "price", "Price (EUR/TB/month)", _MONEY, less=True),
            _criterion("restore", "restore time", "Restore 100 GB (hours)", _SPEED, less=True),
            _criterion("retention", "retention", "Retention (days)", "retention history keep versions"),
        ),
        (
            Option("Cold Vault", {"price": 4, "restore": 12, "retention": 365}),
            Option("Daily Mirror", {"price": 9, "restore": 3, "retention": 30}),
            Option("Instant Copy", {"price": 21, "restore": 0.5, "retention": 90}),
        ),
    ),
)  # fmt: skip


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def find_topic(text: str) -> Topic | None:
    """The topic a sentence names."""
    said = _words(text)
    return next((topic for topic in TOPICS if said & topic.words), None)


def find_criterion(topic: Topic, text: str) -> Criterion | None:
    """The criterion a sentence names."""
    said = _words(text)
    return next((c for c in topic.criteria if said & c.words), None)


def ranked(topic: Topic, focus: Criterion | None) -> list[tuple[Option, int]]:
    """Options with their score from 0 to 100, best first."""
    count = len(topic.criteria)
    scored = []
    for option in topic.options:
        total = sum(_weight(c, focus, count) * _scaled(topic, c, option) for c in topic.criteria)
        scored.append((option, round(100 * total)))
    return sorted(scored, key=lambda pair: -pair[1])


def _weight(criterion: Criterion, focus: Criterion | None, count: int) -> float:
    if focus is None:
        return 1 / count
    return _FOCUS_WEIGHT if criterion is focus else (1 - _FOCUS_WEIGHT) / (count - 1)


def _scaled(topic: Topic, criterion: Criterion, option: Option) -> float:
    column = [o.values[criterion.key] for o in topic.options]
    low, high = min(column), max(column)
    share = (option.values[criterion.key] - low) / (high - low)
    return 1 - share if criterion.less else share
