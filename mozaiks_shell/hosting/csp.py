"""The content security policy (D6): our own origin only, no eval, inline scripts by hash.

The pages are static files, so the hashes of their inline scripts are known once the build is there.
"""

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.documents import EARLY_SCRIPT, START_SCRIPT

_HOST = re.compile(r"[a-z0-9.-]+(:\d{1,5})?")
_INLINE = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)


def script_hashes(static: Path) -> list[str]:
    """CSP hash sources of every inline script in the built pages, and of those put in when they are served; sorted."""
    bodies = {body for page in static.rglob("*.html") for body in _INLINE.findall(page.read_bytes()) if body.strip()}
    digests = [hashlib.sha256(body).digest() for body in {*bodies, EARLY_SCRIPT.encode(), START_SCRIPT.encode()}]
    return sorted("'sha256-" + base64.b64encode(digest).decode() + "'" for digest in digests)


@lru_cache(maxsize=4)
def policy(static: Path) -> str:
    """The header's value for the pages built into this folder; pictures also from hosts the operator allows in the chat."""
    pictures = [f"https://{host}" for host in get_settings().chat_image_hosts if _HOST.fullmatch(host)]
    scripts = " ".join(["'self'", *script_hashes(static)])
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            " ".join(["img-src 'self' data: blob:", *pictures]),
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )
