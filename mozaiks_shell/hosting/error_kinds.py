"""How the error page tells failures apart; the browser's half is ``kindOf`` in ``shell/errors.js``."""

from collections.abc import Mapping
from typing import Any, Final

_OWN: Final = frozenset({401, 404, 429, 500, 503})


def kind_of(error: Mapping[str, Any]) -> str:
    """The panel for these facts (``status``, ``code``): the ``data-kind`` of ``shell/pages/errors.py``."""
    status, code = error.get("status"), error.get("code")
    if status == 403:
        return {"FEATURE_GATED": "plan", "ROLE_NEEDED": "role"}.get(str(code), "403")
    if status in {502, 504}:
        return "upstream"
    return str(status) if status in _OWN else "other"
