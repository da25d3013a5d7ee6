"""The ASGI application: services, routes, errors."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from . import frames, http_api, http_catalogue, http_files, http_health, retention, ws_api
from .actions import Actions
from .archive import Archive
from .assistant import Assistant
from .auth import AuthError, TokenVerifier
from .chat import IN_PROGRESS, Chat
from .children import Nursery
from .config import RuntimeConfig
from .database import Database
from .general import AskDesk
from .llm import LanguageModel
from .packs import Packs
from .run import Runner
from .store import ChatStore, ThreadStore
from .workflows.catalogue import Catalogue, catalogue

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """What routes and sockets work with."""

    config: RuntimeConfig
    verifier: TokenVerifier
    archive: Archive | None
    chats: ChatStore
    desk: AskDesk
    runner: Runner
    workflows: Catalogue
    packs: Packs
    actions: Actions
    started: float

    async def blocked(self, app_id: str, user_id: str, workflow: str) -> str | None:
        """Why this person may not start the workflow yet, or None."""
        pack = self.packs.current
        if not pack.required(workflow):
            return None
        return pack.blocked(workflow, await self.chats.completed(app_id, user_id))

    def open_chat(self, app_id: str, user_id: str, workflow: str, chat_id: str | None = None) -> Chat:
        """A new chat, not yet running."""
        chat = self.chats.create(app_id, user_id, workflow, chat_id)
        chat.has_children = self.packs.has_children(workflow)
        return chat

    def waits_for_text(self, chat: Chat) -> bool:
        """Whether the first text of its user starts this chat's run."""
        workflow = self.workflows.get(chat.workflow)
        fresh = not chat.running and chat.status == IN_PROGRESS and not chat.journal.replaying
        return fresh and workflow is not None and workflow.config().get("startup_mode") == "UserDriven"

    def begin(self, chat: Chat, first_input: str | None = None) -> None:
        """Start the run of a chat that has none, or take up the one its last process left."""
        workflow = self.workflows.get(chat.workflow)
        if workflow is None or chat.running:
            return
        if chat.journal.replaying and not chat.questions and not chat.tools:
            chat.emit(frames.run_interrupted())
        self.chats.runs += 1
        self.runner.start(chat, workflow, first_input)

    def go_on(self, chat: Chat) -> None:
        """Take up a run that a restart interrupted; nothing for any other chat."""
        if chat.status == IN_PROGRESS and chat.journal.replaying:
            self.begin(chat)

    def welcome(self, chat: Chat) -> None:
        """Somebody opened the chat: the run of a new one begins (protocol §2.1 "Auto start"), an interrupted one goes on.

        A chat that is completed stays so: it is shown, not run again.
        """
        workflow = self.workflows.get(chat.workflow)
        if chat.status != IN_PROGRESS or chat.running or workflow is None:
            return
        if chat.journal.replaying or workflow.config().get("startup_mode", "AgentDriven") == "AgentDriven":
            self.begin(chat)


def build_services(config: RuntimeConfig, http: httpx.AsyncClient) -> Services:
    """Wire everything for one process."""
    model = LanguageModel(config, http) if config.language_model else None
    assistant = Assistant(model, config.token_delay_ms)
    archive = Archive(Database(config.database_url), config) if config.database_url else None
    services = Services(
        config=config,
        verifier=TokenVerifier(config, http),
        archive=archive,
        chats=ChatStore(config, archive),
        desk=AskDesk(ThreadStore(config, archive), assistant),
        runner=Runner(assistant, config.token_delay_ms),
        workflows=catalogue(config),
        packs=Packs(config.workflows_path, config.pack_path),
        actions=Actions(),
        started=time.monotonic(),
    )
    services.runner.nursery = Nursery(services)
    return services


def create_app(config: RuntimeConfig) -> FastAPI:
    """The runtime as an ASGI application. Raises ValueError when the inline key set is unusable."""
    http = httpx.AsyncClient(trust_env=False)  # the parent decides everything; no proxies from outside
    services = build_services(config, http)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(services.workflows.watch(), name="workflow folders")]
        if services.archive is not None and config.retention_days > 0:
            tasks.append(asyncio.create_task(retention.keep_up(services), name="retention"))
        yield
        for task in tasks:
            task.cancel()
        services.chats.close()
        services.desk.close()
        if services.archive is not None:
            await services.archive.close()
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
    for part in (http_catalogue, http_files, http_health, http_api, ws_api):
        app.include_router(part.router)

    @app.exception_handler(AuthError)
    async def refuse(_: Request, error: AuthError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return JSONResponse({"detail": error.detail}, error.status, headers=headers)

    @app.exception_handler(SQLAlchemyError)
    async def database_away(_: Request, error: SQLAlchemyError) -> JSONResponse:
        log.error("the database does not answer: %s", type(error).__name__)
        return JSONResponse({"detail": "The database is not available"}, 503, headers={"Retry-After": "5"})

    return app
