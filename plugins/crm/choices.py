"""What a person may set: a form on the settings page is made of it."""

from typing import Literal

from pydantic import BaseModel, Field

from mozaiks_shell import sdk
from mozaiks_shell.sdk import msg

CURRENCIES = ("EUR", "USD", "GBP", "CHF", "JPY")


@sdk.settings.form
class DealSettings(BaseModel):
    """Read it with ``await sdk.settings.read(DealSettings)``."""

    currency: Literal["EUR", "USD", "GBP", "CHF", "JPY"] = Field(
        "EUR", title=msg("Currency"), json_schema_extra={"options": [{"value": one, "label": one} for one in CURRENCIES]}
    )
    quiet_days: int = Field(
        21,
        ge=1,
        le=365,
        title=msg("Days until a deal counts as quiet"),
        description=msg("Open deals that did not move for so long are marked."),
    )
    show_lost: bool = Field(True, title=msg("Show lost deals on the board"))
