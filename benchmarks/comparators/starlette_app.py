"""Starlette with one route that signs an RS256 token and nothing else: what a broker cannot be faster than."""

import os
import time

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

KEY = RSAKey.generate_key(2048, {"kid": "bench"})


async def start(request: Request) -> JSONResponse:
    """Sign a token of the size of an execution token."""
    body = await request.json()
    now = int(time.time())
    claims = {
        "iss": "mozaikscore", "aud": "mozaiks-app", "iat": now, "exp": now + 600, "scp": "openid", "sub": "usr_bench",
        "app_id": "bench", "chat_id": "c" * 36, "workflow_id": body["workflow_name"], "roles": ["user"], "plan": "free",
    }  # fmt: skip
    return JSONResponse({"runtime_token": jwt.encode({"alg": "RS256", "kid": "bench"}, claims, KEY)})


async def home(_: Request) -> JSONResponse:
    """Alive."""
    return JSONResponse({})


app = Starlette(routes=[Route("/", home), Route("/api/workflows/start", start, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
