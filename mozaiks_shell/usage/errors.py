"""The usage room's errors.

TokensNeeded
└── BudgetUsedUp       402  TOKEN_BUDGET_EXCEEDED, our own budget (F-253)
"""

from mozaiks_shell.broker.errors import TokensNeeded


class BudgetUsedUp(TokensNeeded):
    """Details: ``scope`` (person, app), ``unit``, ``limit``, ``used``, ``period``, ``resets_at`` (ISO 8601 or null), ``link``."""

    code = "TOKEN_BUDGET_EXCEEDED"
