"""The ASGI application: services, routes, errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from . import http_api, ws_api
from .assistant import Assistant
from .auth import AuthError, TokenVerifier
from .config import RuntimeConfig
from .general import AskDesk
from .llm import LanguageModel
from .run import Runner
from .store import ChatStore, ThreadStore
from .workflows import REGISTRY, Workflow


@dataclass(frozen=True)
class Services:
    """What routes and sockets work with."""

    config: RuntimeConfig
    verifier: TokenVerifier
    chats: ChatStore
    desk: AskDesk
    runner: Runner
    workflows: dict[str, Workflow]


def build_services(config: RuntimeConfig, http: httpx.AsyncClient) -> Services:
    """Wire everything for one process."""
    model = LanguageModel(config, http) if config.language_model else None
    assistant = Assistant(model, config.token_delay_ms)
    return Services(
        config=config,
        verifier=TokenVerifier(config, http),
        chats=ChatStore(config),
        desk=AskDesk(ThreadStore(config), assistant),
        runner=Runner(assistant, config.token_delay_ms),
        workflows=dict(REGISTRY),
    )


def create_app(config: RuntimeConfig) -> FastAPI:
    """The runtime as an ASGI application. Raises ValueError when the inline key set is unusable."""
    http = httpx.AsyncClient(trust_env=False)  # the parent decides everything; no proxies from outside
    services = build_services(config, http)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        services.chats.close()
        services.desk.close()
        await http.aclose()

    app = FastAPI(
        title="Mozaiks embedded runtime",
        version="5.0.0",
        docs_url=None,
        redoc_url=None,
        openapi_url=None if config.auth_enabled else "/openapi.json",
        lifespan=lifespan,
    )
    app.state.services = services
    app.include_router(http_api.router)
    app.include_router(ws_api.router)

    @app.exception_handler(AuthError)
    async def refuse(_: Request, error: AuthError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return JSONResponse({"detail": error.detail}, error.status, headers=headers)

    return app
