"""Provider plugins at the start: one that cannot be used ends it, with file and line, before anything listens (F-053, F-098)."""

import importlib
import sys

from mozaiks_shell.billing import factory
from mozaiks_shell.foundation.provider_files import ProviderProblem
from mozaiks_shell.identity import service as identity


def providers_or_exit() -> None:
    """Make the configured providers once; exits 2 when one cannot be used."""
    importlib.import_module("mozaiks_shell.sdk")  # so that its own import is not charged to a file
    try:
        factory.check()
        identity.sign_in_provider()
    except ProviderProblem as problem:
        sys.stderr.write(f"\nMozaiks Shell cannot start. {problem}\n\n")
        raise SystemExit(2) from None
