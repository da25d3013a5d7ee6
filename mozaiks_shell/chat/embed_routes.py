"""``/embed.js``: what a page of another site loads to show the chat (decision 0013)."""

from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Response

router = APIRouter(include_in_schema=False)


@lru_cache(maxsize=1)
def _script() -> str:
    return Path(__file__).with_name("embed.js").read_text("utf-8")


@router.get("/embed.js")
async def embed_script() -> Response:
    """The same for everybody; whether the page may is asked when somebody opens the chat."""
    headers = {"cache-control": "public, max-age=300", "cross-origin-resource-policy": "cross-origin"}
    return Response(_script(), media_type="text/javascript", headers=headers)
