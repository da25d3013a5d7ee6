"""Clients that want to talk to the runtime themselves (F-149, C-05), and for whom they may not (F-253).

The published runtime tells what a run used in frames of the chat's own socket and nowhere else (protocol §5): its HTTP routes
give no figures, its usage webhook knows no workflow runs. What a client spends on a socket of its own is never counted. So for
people whose use has to be counted the shell hands out the address of its own socket, which speaks the same protocol and counts,
and no token of the runtime.
"""

from urllib.parse import quote

from mozaiks_shell.broker.service import Session, must_count
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.settings import get_settings


async def address(principal: Principal, session: Session) -> tuple[str, str]:
    """Where this person's client connects, and the token it shows there: the runtime's, or the shell's own and none."""
    if not await must_count(principal):
        return session.ws_url, session.token
    base = get_settings().origin.replace("http", "ws", 1)
    parts = (session.workflow, principal.app_id, session.chat_id, principal.user_id)
    return "/".join([base, "ws", *(quote(part, safe="") for part in parts)]), ""
