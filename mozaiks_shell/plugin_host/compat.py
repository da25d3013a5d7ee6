"""Which versions fit together: shell, SDK, plugins and the Python packages they ask for (F-102). Nothing is ever installed."""

from collections.abc import Iterable
from functools import lru_cache
from importlib import metadata
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from mozaiks_shell import __version__ as SHELL_VERSION

SDK_VERSION: Final = "1.0.0"
CONTRACT: Final = 1  # the major version of the plugin contract this host speaks

__all__ = ["CONTRACT", "SDK_VERSION", "SHELL_VERSION", "fits", "missing", "pip_line", "specifier", "version"]


def version(text: str) -> Version:
    """A PEP 440 version.

    Raises:
        ValueError: it is none.
    """
    try:
        return Version(text)
    except InvalidVersion:
        raise ValueError("must be a version such as 1.2.0 (PEP 440)") from None


def specifier(text: str) -> SpecifierSet:
    """A PEP 440 specifier such as ``>=1,<2``; empty fits everything.

    Raises:
        ValueError: it is none.
    """
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError("must be a range of versions such as >=1.2,<2 (PEP 440)") from None


def requirement(text: str) -> Requirement:
    """A PEP 508 requirement such as ``markdown>=3``.

    Raises:
        ValueError: it is none, or it names an address: what is installed is the operator's choice.
    """
    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        raise ValueError("must be a requirement such as markdown>=3 (PEP 508)") from None
    if wanted.url:
        raise ValueError("must be a name and versions, without an address")
    return wanted


@lru_cache(maxsize=512)
def fits(installed: str, wanted: str) -> bool:
    """Whether a version lies in a range; pre-releases count."""
    return specifier(wanted).contains(version(installed), prereleases=True)


def missing(requirements: Iterable[str]) -> list[str]:
    """Those requirements that this Python does not fulfil; markers that do not apply here are passed over."""
    return [text for text in requirements if not _fulfilled(text)]


@lru_cache(maxsize=512)
def _fulfilled(text: str) -> bool:
    wanted = requirement(text)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return True
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return False
    return wanted.specifier.contains(found, prereleases=True)


def pip_line(requirements: Iterable[str]) -> str:
    """What an operator types to fulfil them: ``pip install "x>=1" "y"``."""
    return "pip install " + " ".join(f'"{text}"' for text in requirements)
