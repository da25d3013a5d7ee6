"""Sentences of what agents show: forms, actions, charts, files."""

from typing import Any, Final

from mozaiks_shell.foundation.i18n import msg
from mozaiks_shell.ui.i18n import Text, t

CHART: Final = t("Chart")
FIGURES: Final = t("Show the figures")
PICTURE: Final = t("Picture")
PROGRESS: Final = t("Progress")
ROW_ACTIONS: Final = t("Actions")
STALE: Final = t("A change of this was lost; it may be out of date.")
OVER: Final = msg("The run has ended, so nothing here can be carried out any more.")
CONFIRM_TITLE: Final = t("Please confirm")
CONFIRM_CANCEL: Final = t("Cancel")
ANSWERED: Final = msg("This was answered.")
EXPIRED: Final = msg("Nobody waits for this answer any more.")


def picture_on(host: Any) -> Text:
    """Why a picture is not shown."""
    return t("On {host}; not loaded by itself", host=host)
