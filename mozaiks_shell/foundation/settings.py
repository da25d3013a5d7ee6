"""Process settings: one typed object, read once, every problem named at once (F-228).

This is the only module that reads the environment. The README's configuration
table is generated from :class:`Settings`, so a field's description is its documentation.
"""

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from mozaiks_shell.foundation.locales import LOCALES
from mozaiks_shell.foundation.places import ALEMBIC as ALEMBIC
from mozaiks_shell.foundation.places import ASSETS as ASSETS
from mozaiks_shell.foundation.places import HOME, ROOT
from mozaiks_shell.foundation.settings_chat import ChatSettings
from mozaiks_shell.foundation.settings_checks import BILLING as BILLING
from mozaiks_shell.foundation.settings_checks import LOOPBACK as LOOPBACK
from mozaiks_shell.foundation.settings_checks import contradictions, known_database, origin, signing_key
from mozaiks_shell.foundation.settings_checks import provider_file as provider_file

Names = Annotated[list[str], NoDecode]
Folders = Annotated[list[Path], NoDecode]


def _env(*names: str) -> AliasChoices:
    return AliasChoices(*names)


class Settings(ChatSettings):
    """Everything an operator can set. Environment beats ``.env`` beats the default."""

    model_config = SettingsConfigDict(env_file=HOME / ".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    env: Literal["development", "production"] = Field(
        "development",
        validation_alias=_env("ENV", "ENVIRONMENT"),
        description="`production` demands an app id and https.",
    )
    app_id: str = Field(
        "dev-app",
        validation_alias=_env("MOZAIKS_APP_ID"),
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="Identity of this app; stamped on every row, token and runtime call. Required when `ENV=production`.",
    )
    app_tier: str = Field("free", validation_alias=_env("APP_TIER"), description="Tier reported by `/health` and `/info`.")
    host: str = Field("127.0.0.1", validation_alias=_env("HOST", "MOZAIKS_HOST"), description="Address to listen on.")
    port: int = Field(3000, validation_alias=_env("PORT", "MOZAIKS_PORT"), ge=1, le=65535, description="Public port.")
    dev_backend_port: int = Field(
        8000,
        validation_alias=_env("MOZAIKS_DEV_BACKEND_PORT"),
        ge=1,
        le=65535,
        description="Second port of plain `reflex run`; production uses one port.",
    )
    public_url: str = Field(
        "",
        validation_alias=_env("MOZAIKS_PUBLIC_URL", "FRONTEND_URL"),
        description="Where browsers reach the app, e.g. `https://app.example.com`. Default: `http://localhost:PORT`.",
    )
    additional_origins: Names = Field(
        default_factory=list,
        validation_alias=_env("ADDITIONAL_CORS_ORIGINS"),
        description="Comma-separated further origins that may open our sockets and call the API.",
    )
    max_body_bytes: int = Field(
        1_000_000,
        validation_alias=_env("MAX_REQUEST_BODY_BYTES"),
        ge=1024,
        description="Largest request body in bytes; more is answered with 413.",
    )
    trusted_proxy_hops: int = Field(
        0,
        validation_alias=_env("MOZAIKS_TRUSTED_PROXY_HOPS"),
        ge=0,
        le=10,
        description="Reverse proxies in front whose X-Forwarded-For may be believed.",
    )
    data_dir: Path = Field(
        HOME / "data", validation_alias=_env("MOZAIKS_DATA_DIR"), description="Private files: SQLite database, uploads."
    )
    database_url: str = Field(
        "",
        validation_alias=_env("DATABASE_URL", "DATABASE_URI", "MONGODB_URI", "MONGO_URI"),
        description="SQLAlchemy URL (`sqlite:///…` or `postgresql://…`). Default: SQLite in the data directory.",
    )
    allow_no_db: bool = Field(
        False,
        validation_alias=_env("MOZAIKS_ALLOW_NO_DB"),
        description="Development: start although the database is down and go on once it answers; `/ready` says 503 till then.",
    )
    max_file_bytes: int = Field(
        10_000_000,
        validation_alias=_env("MAX_FILE_BYTES"),
        ge=1,
        description="Largest file a plugin may keep for a person, in bytes.",
    )
    file_quota_bytes: int = Field(
        200_000_000,
        validation_alias=_env("FILE_QUOTA_BYTES"),
        ge=0,
        description="All files of one person together, in bytes.",
    )
    redis_url: str = Field(
        "",
        validation_alias=_env("REDIS_URL", "REFLEX_REDIS_URL"),
        description="Redis for page state and rate limits. Default: in process.",
    )
    configs_path: Path | None = Field(
        HOME / "configs" if HOME != ROOT and (HOME / "configs").is_dir() else None,
        validation_alias=_env("MOZAIKS_CONFIGS_PATH"),
        description="Folder with the configuration files (docs/configuration-files.md). Missing ones use packaged defaults.",
    )
    locales: Names = Field(
        list(LOCALES),
        validation_alias=_env("MOZAIKS_LOCALES"),
        description=f"Languages people may choose, comma-separated; of {', '.join(LOCALES)}. Default: all.",
    )
    default_locale: str = Field(
        "en",
        validation_alias=_env("MOZAIKS_DEFAULT_LOCALE"),
        description="Language of people who chose none and whose browser asks for none that is offered.",
    )
    default_timezone: str = Field(
        "UTC",
        validation_alias=_env("MOZAIKS_DEFAULT_TIMEZONE"),
        description="IANA time zone of texts the server writes for people who chose none (e-mails, exports).",
    )
    support_contact: str = Field(
        "",
        validation_alias=_env("MOZAIKS_SUPPORT_CONTACT"),
        pattern=r"^(|[^@\s<>\"?&]+@[^@\s<>\"?&]+\.[^@\s<>\"?&]+|https://[^\s<>\"]+)$",
        description="E-mail address or `https://` address where people of this app ask for help; error pages lead there.",
    )
    service_worker: bool = Field(
        True,
        validation_alias=_env("MOZAIKS_SERVICE_WORKER"),
        description="Offline page by a service worker. `false` takes the worker out of every browser that has it.",
    )
    plugins_paths: Folders = Field(
        [HOME / "plugins"],
        validation_alias=_env("MOZAIKS_PLUGINS_PATH", "MOZAIKS_FRONTEND_PLUGINS_PATH", "MOZAIKS_PLUGIN_DIR"),
        min_length=1,
        description="Folders whose sub-folders are plugins, separated as in `PATH`. `backend/plugins` is read besides.",
    )
    workflows_path: Path = Field(
        HOME / "workflows",
        validation_alias=_env("MOZAIKS_WORKFLOWS_PATH", "WORKFLOWS_PATH"),
        description="Folder of MozaiksAI workflows, for `mozaiks-shell new workflow` and `doctor`; the runtime reads it.",
    )
    safe_mode: bool = Field(
        False,
        validation_alias=_env("MOZAIKS_SAFE_MODE"),
        description="Start without any plugin. What is configured and stored for them is kept.",
    )
    plugin_probe: bool = Field(
        True,
        validation_alias=_env("MOZAIKS_PLUGIN_PROBE"),
        description="Import a new or changed plugin in a process of its own before the server does.",
    )
    plugin_probe_seconds: float = Field(
        20.0,
        validation_alias=_env("MOZAIKS_PLUGIN_PROBE_SECONDS"),
        gt=0,
        le=600,
        description="Seconds a plugin's modules may take to be imported.",
    )
    plugin_probe_memory_mb: int = Field(
        1024,
        validation_alias=_env("MOZAIKS_PLUGIN_PROBE_MEMORY_MB"),
        ge=64,
        description="Memory, in MB, that importing a plugin may ask for.",
    )
    plugin_watch: bool | None = Field(
        None,
        validation_alias=_env("PLUGIN_WATCH", "MOZAIKS_AUTO_REFRESH_PLUGINS"),
        description="Follow changes of plugin files without a restart. Default: in development (`reflex run`) only.",
    )
    plugin_scan_seconds: float = Field(
        5.0,
        validation_alias=_env("PLUGIN_SCAN_INTERVAL_SECONDS"),
        gt=0,
        description="Seconds between two looks at the plugin files where `PLUGIN_WATCH` is on in production.",
    )
    plugin_scan: Literal["off", "warn", "strict"] = Field(
        "warn",
        validation_alias=_env("MOZAIKS_PLUGIN_SCAN"),
        description="Forbidden calls in a plugin's code (`eval`, `os.system`, sockets …): `strict` refuses the plugin, `warn` "
        "loads it and tells the operator.",
    )
    plugin_timeout: float = Field(
        30.0,
        validation_alias=_env("MOZAIKS_PLUGIN_TIMEOUT_SECONDS", "PLUGIN_EXEC_TIMEOUT_S"),
        gt=0,
        description="Seconds a plugin's `execute` may take before the caller gets 504.",
    )
    plugin_concurrency: int = Field(
        8, validation_alias=_env("PLUGIN_EXEC_MAX_CONCURRENCY"), ge=1, description="Calls of one plugin that may run at once."
    )
    jobs_enabled: bool = Field(
        True,
        validation_alias=_env("MOZAIKS_JOBS"),
        description="Run background jobs in this process. `false`: this replica serves people only.",
    )
    jobs_concurrency: int = Field(
        4, validation_alias=_env("MOZAIKS_JOBS_CONCURRENCY"), ge=1, le=64, description="Background jobs that may run at once."
    )
    jobs_lease_seconds: float = Field(
        30.0,
        validation_alias=_env("MOZAIKS_JOBS_LEASE_SECONDS"),
        ge=0.2,
        description="Seconds after which another process takes over the jobs of one that died.",
    )
    jobs_keep_days: float = Field(
        7.0, validation_alias=_env("MOZAIKS_JOBS_KEEP_DAYS"), ge=0, description="Days an ended job stays visible."
    )
    http_allow: Names = Field(
        default_factory=list,
        validation_alias=_env("MOZAIKS_HTTP_ALLOW"),
        description="Comma-separated hosts and networks (`db.internal`, `10.0.0.0/8`) inside your network that plugins may call.",
    )
    plugin_fault_limit: int = Field(
        5,
        validation_alias=_env("MOZAIKS_PLUGIN_FAULT_LIMIT"),
        ge=0,
        description="Faults of one plugin within MOZAIKS_PLUGIN_FAULT_MINUTES that take it out of service; 0 never does.",
    )
    plugin_fault_minutes: float = Field(
        10.0, validation_alias=_env("MOZAIKS_PLUGIN_FAULT_MINUTES"), gt=0, description="How long a fault counts, in minutes."
    )
    plugin_stall_seconds: float = Field(
        5.0,
        validation_alias=_env("MOZAIKS_PLUGIN_STALL_SECONDS"),
        ge=0,
        description="Plugin code that keeps the whole server waiting longer than this is interrupted; 0 lets it.",
    )
    plugin_worker_idle: float = Field(
        60.0,
        validation_alias=_env("MOZAIKS_PLUGIN_WORKER_IDLE_SECONDS"),
        gt=0,
        description='A worker process of a plugin with `"isolation": "process"` ends after so many seconds without a call.',
    )
    plugin_limits_open: bool = Field(
        False,
        validation_alias=_env("MOZAIKS_PLUGIN_LIMITS_OPEN"),
        description="Let gated actions pass while a plugin's `entitlements.yaml` is broken; otherwise they are refused.",
    )
    debug_endpoints: bool = Field(
        False, validation_alias=_env("MOZAIKS_DEBUG_ENDPOINTS"), description="Answer `/api/debug/…` to administrators."
    )
    log_json: bool = Field(False, validation_alias=_env("LOGS_AS_JSON"), description="One JSON object per log line.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias=_env("LOG_LEVEL"), description="Lowest level that is written."
    )

    local_accounts: bool = Field(
        True, validation_alias=_env("MOZAIKS_LOCAL_ACCOUNTS"), description="Sign-in with an account of this installation."
    )
    registration: bool = Field(
        True, validation_alias=_env("MOZAIKS_REGISTRATION"), description="Anyone may create a local account."
    )
    session_idle_minutes: int = Field(
        60 * 24 * 7, validation_alias=_env("MOZAIKS_SESSION_IDLE_MINUTES"), ge=1, description="A session unused this long ends."
    )
    session_max_minutes: int = Field(
        60 * 24 * 30,
        validation_alias=_env("MOZAIKS_SESSION_MAX_MINUTES"),
        ge=1,
        description="A session ends after this long in any case.",
    )
    access_token_minutes: int = Field(
        60,
        validation_alias=_env("ACCESS_TOKEN_EXPIRE_MINUTES"),
        ge=1,
        le=1440,
        description="Life of a bearer token from `POST /api/auth/token`.",
    )
    auth_provider: str = Field(
        "",
        validation_alias=_env("MOZAIKS_AUTH_PROVIDER"),
        pattern=r"^([a-z][a-z0-9_]{0,39})?$",
        description="Sign-in by the provider plugin `plugins/auth/<name>.py`, instead of an OpenID Connect issuer.",
    )
    oidc_authority: str = Field(
        "",
        validation_alias=_env("MOZAIKS_OIDC_AUTHORITY", "MOZAIKS_AUTH_URL"),
        description="OpenID Connect issuer. Set: the sign-in page offers it.",
    )
    oidc_client_id: str = Field("", validation_alias=_env("MOZAIKS_OIDC_CLIENT_ID"), description="Client id at the issuer.")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""),
        validation_alias=_env("MOZAIKS_OIDC_CLIENT_SECRET"),
        description="Client secret; empty for a public client.",
    )
    oidc_scopes: str = Field(
        "openid profile email", validation_alias=_env("MOZAIKS_OIDC_SCOPES"), description="Scopes asked for."
    )
    oidc_name: str = Field(
        "single sign-on", validation_alias=_env("MOZAIKS_OIDC_NAME"), description="Name on the button: `Continue with …`."
    )
    oidc_account_url: str = Field(
        "",
        validation_alias=_env("MOZAIKS_OIDC_ACCOUNT_URL"),
        description="Page of the issuer where people change their password. Default: known for Keycloak realms only.",
    )
    oidc_roles_claim: str = Field(
        "roles",
        validation_alias=_env("AUTH_ROLES_CLAIM"),
        description="Claim with the roles; dots go deeper (`realm_access.roles`).",
    )

    billing_provider: str = Field(
        "manual",
        validation_alias=_env("MOZAIKS_BILLING_PROVIDER"),
        pattern=r"^[a-z][a-z0-9_]{0,15}$",
        description="`manual`: an admin sets plans; `stripe`: checkout; `none`: nothing is gated by plan; any other name: "
        "the provider plugin `plugins/payments/<name>.py`.",
    )
    hosting_mode: Literal["managed", "self-hosted", "byoc"] = Field(
        "self-hosted",
        validation_alias=_env("HOSTING_MODE", "MOZAIKS_HOSTING_MODE", "MOZAIKS_MODE"),
        description="Who runs this app: Mozaiks (`managed`), you (`self-hosted`), or you with Mozaiks services (`byoc`).",
    )
    payment_enabled: bool | None = Field(
        None,
        validation_alias=_env("MOZAIKS_PAYMENT_ENABLED"),
        description="Plugins may sell through MozaiksPay. Default: in managed mode only.",
    )
    payment_url: str = Field(
        "",
        validation_alias=_env("MOZAIKS_PAYMENT_API_URL", "MOZAIKS_PAYMENT_URL", "MOZAIKS_GATEWAY_BASE_URL"),
        description="Where MozaiksPay is.",
    )
    marketing_enabled: bool | None = Field(
        None,
        validation_alias=_env("MOZAIKS_MARKETING_ENABLED"),
        description="Plugins may start campaigns through MozaiksMarketing. Default: in managed mode only.",
    )
    marketing_url: str = Field("", validation_alias=_env("MOZAIKS_MARKETING_API_URL"), description="Where MozaiksMarketing is.")
    gateway_api_key: SecretStr = Field(
        SecretStr(""), validation_alias=_env("MOZAIKS_GATEWAY_API_KEY"), description="This app's key for both services."
    )
    default_plan: str = Field(
        "",
        validation_alias=_env("MOZAIKS_DEFAULT_TIER"),
        description="Plan of a new account; overrides the catalogue's `default_plan`.",
    )
    token_usage_mode: Literal["local", "hybrid", "platform", "remote"] = Field(
        "local",
        validation_alias=_env("MOZAIKS_TOKEN_USAGE_MODE"),
        description="Who holds people to token budgets: this shell (`local`, `hybrid`), or the platform (it is only counted).",
    )
    stripe_secret_key: SecretStr = Field(
        SecretStr(""), validation_alias=_env("STRIPE_SECRET_KEY", "STRIPE_API_KEY"), description="Stripe secret key."
    )
    stripe_webhook_secret: SecretStr = Field(
        SecretStr(""),
        validation_alias=_env("STRIPE_WEBHOOK_SECRET"),
        description="Signing secret of the webhook endpoint; two, comma-separated, while one is rotated.",
    )
    stripe_api_base: str = Field(
        "", validation_alias=_env("STRIPE_API_BASE"), description="Other Stripe-compatible server, for tests."
    )

    ai_enabled: bool = Field(True, validation_alias=_env("MOZAIKS_AI_ENABLED"), description="Turns the chat off everywhere.")
    ai_url: str = Field(
        "",
        validation_alias=_env("MOZAIKS_AI_URL", "MOZAIKSAI_URL", "MOZAIKSAI_RUNTIME_URL", "RUNTIME_BASE_URL"),
        description="A MozaiksAI runtime. Empty: the embedded one is started.",
    )
    ai_token: SecretStr = Field(
        SecretStr(""),
        validation_alias=_env("MOZAIKS_AI_TOKEN"),
        description="Bearer for `POST /api/workflows/execute` of that runtime; what `sdk.workflow_client.execute` sends.",
    )
    ai_ws_url: str = Field(
        "",
        validation_alias=_env("MOZAIKSAI_WS_URL"),
        description="WebSocket base of that runtime, if it differs from the HTTP one.",
    )
    ai_dialect: Literal["auto", "published", "founding"] = Field(
        "auto",
        validation_alias=_env("MOZAIKS_AI_DIALECT"),
        description="Routes of that runtime: `/api/chats/…` or the founding documents' `/api/sessions`. `auto` finds out.",
    )
    assistant_workflow: str = Field(
        "Assistant", validation_alias=_env("MOZAIKS_ASSISTANT_WORKFLOW"), description="Workflow behind the Ask widget."
    )
    openai_base_url: str = Field(
        "", validation_alias=_env("OPENAI_BASE_URL"), description="OpenAI-compatible server for the embedded assistant."
    )
    openai_api_key: SecretStr = Field(SecretStr(""), validation_alias=_env("OPENAI_API_KEY"), description="Its key.")
    openai_model: str = Field("gpt-4o-mini", validation_alias=_env("OPENAI_MODEL"), description="Its model.")
    direct_runtime: bool = Field(
        False,
        validation_alias=_env("MOZAIKS_DIRECT_RUNTIME"),
        description="Hand runtime tokens to signed-in browsers too, for pages that connect to the runtime themselves.",
    )
    execution_token_minutes: int = Field(
        10, validation_alias=_env("MOZAIKS_EXECUTION_TOKEN_EXPIRE_MINUTES"), ge=1, le=15, description="Life of a runtime token."
    )
    execution_token_issuer: str = Field(
        "mozaikscore", validation_alias=_env("MOZAIKS_EXECUTION_TOKEN_ISSUER"), description="`iss` of runtime tokens."
    )
    execution_token_audience: str = Field(
        "mozaiks-app", validation_alias=_env("MOZAIKS_EXECUTION_TOKEN_AUDIENCE"), description="`aud` of runtime tokens."
    )
    execution_token_scope: str = Field(
        "openid",
        validation_alias=_env("MOZAIKS_EXECUTION_TOKEN_SCOPE", "AUTH_REQUIRED_SCOPE"),
        description="`scp` of runtime tokens.",
    )
    execution_token_private_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=_env("MOZAIKS_EXECUTION_TOKEN_PRIVATE_KEY"),
        description="PEM RSA key that signs runtime tokens. Empty: they are made, rotated and kept in the database.",
    )
    sockets_per_user: int = Field(
        5, validation_alias=_env("WEBSOCKET_MAX_CONNECTIONS_PER_USER"), ge=1, description="Open chat sockets one person may hold."
    )

    @field_validator("locales")
    @classmethod
    def _shipped(cls, value: list[str]) -> list[str]:
        if unknown := [code for code in value if code not in LOCALES]:
            raise ValueError(f"no translation for {', '.join(unknown)}; there are {', '.join(LOCALES)}")
        return list(dict.fromkeys(value)) or list(LOCALES)

    @field_validator("default_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is not an IANA time zone such as Europe/Berlin")
        return value

    @field_validator("locales", "additional_origins", "http_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip().rstrip("/") for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("plugins_paths", mode="before")
    @classmethod
    def _split_folders(cls, value: object) -> object:
        return [part.strip() for part in value.split(os.pathsep) if part.strip()] if isinstance(value, str) else value

    @field_validator("additional_origins", mode="after")
    @classmethod
    def _origins(cls, value: list[str]) -> list[str]:
        return [origin(one) for one in value]

    @field_validator("public_url")
    @classmethod
    def _public_origin(cls, value: str) -> str:
        return origin(value) if value else value

    @field_validator("execution_token_private_key")
    @classmethod
    def _signing_key(cls, value: SecretStr) -> SecretStr:
        return SecretStr(signing_key(value.get_secret_value()))

    @field_validator("hosting_mode", mode="before")
    @classmethod
    def _one_mode(cls, value: object) -> object:
        word = str(value).strip().lower().replace("_", "-")
        return {"hosted": "managed", "self-host": "self-hosted", "selfhosted": "self-hosted"}.get(word, word)

    @field_validator(
        "oidc_authority", "oidc_account_url", "ai_url", "ai_ws_url", "openai_base_url", "stripe_api_base", "payment_url",
        "marketing_url",
    )  # fmt: skip
    @classmethod
    def _absolute(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"http", "https", "ws", "wss"}:
            raise ValueError("must be an absolute URL such as https://example.com")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        return known_database(value)

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if problems := contradictions(self):
            raise ValueError("\n".join(problems))
        return self

    @property
    def plugins_path(self) -> Path:
        """Where new plugins are put: the first plugins folder."""
        return self.plugins_paths[0]

    @property
    def plugin_roots(self) -> list[Path]:
        """Every plugins folder, in the order in which they are read; the founders' ``backend/plugins`` when it is there."""
        beside = HOME / "backend" / "plugins"
        roots = [Path(one).expanduser() for one in self.plugins_paths]
        return list(dict.fromkeys([*roots, beside] if beside.is_dir() else roots))

    @property
    def origin(self) -> str:
        """The one public origin, without a trailing slash."""
        return self.public_url or f"http://localhost:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over HTTPS: decides the cookie's name and flags."""
        return self.origin.startswith("https://")

    @property
    def allowed_origins(self) -> list[str]:
        """Origins that may open a socket or send a write. Never ``*``."""
        own = [self.origin]
        if not self.public_url:
            own += [f"http://127.0.0.1:{self.port}"]
        return own + [origin for origin in self.additional_origins if origin not in own]

    @property
    def sql_url(self) -> str:
        """The URL with an async driver SQLAlchemy can use: aiosqlite or psycopg."""
        url = self.database_url or f"sqlite:///{self.data_dir / 'mozaiks.db'}"
        scheme, _, rest = url.partition("://")
        driver = "sqlite+aiosqlite" if scheme.startswith("sqlite") else "postgresql+psycopg"
        return f"{driver}://{rest}"

    @property
    def sql_url_sync(self) -> str:
        """The same database for Alembic and the transcript's writer thread."""
        return self.sql_url.replace("+aiosqlite", "")


def environment() -> dict[str, str]:
    """All variables, to hand on to a child process."""
    return dict(os.environ)


def become(variables: dict[str, str]) -> None:
    """Take over a parent's variables in a child process, and read the settings anew."""
    os.environ.clear()
    os.environ.update(variables)
    get_settings.cache_clear()


def adopt(variables: dict[str, str]) -> None:
    """Settings handed over by the server, for a plugin's worker process: these beside what it was started with, and no file."""
    Settings.model_config["env_file"] = None
    os.environ.update(variables)
    get_settings.cache_clear()


def variables_of(name: str) -> dict[str, str]:
    """The variables that begin with a provider's name and ``_``, of the environment and ``.env``; empty ones are left out."""
    file = HOME / ".env"
    written = dotenv_values(file) if file.is_file() else {}
    every = {**written, **os.environ}
    return {key: value for key, value in sorted(every.items()) if value and key.startswith(f"{name.upper()}_")}


def explain(error: ValidationError) -> list[str]:
    """One line per problem, each starting with the variable an operator would set."""
    lines: list[str] = []
    for problem in error.errors():
        if not problem["loc"]:
            lines += str(problem["ctx"]["error"]).splitlines()
            continue
        name = str(problem["loc"][0])
        field = Settings.model_fields.get(name)
        alias = field.validation_alias if field else None
        variable = str(alias.choices[0]) if isinstance(alias, AliasChoices) else name
        lines.append(f"{variable}: {problem['msg'].removeprefix('Value error, ')}")
    return lines


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        pydantic.ValidationError: with every bad or contradictory variable.
    """
    return Settings()  # type: ignore[call-arg]


def load_or_exit() -> Settings:
    """Settings for a start; prints one readable list and exits 2 when they are wrong."""
    try:
        return get_settings()
    except ValidationError as error:
        problems = "\n".join(f"  - {line}" for line in explain(error))
        sys.stderr.write(f"\nMozaiks Shell cannot start. Please correct these settings:\n{problems}\n\n")
        raise SystemExit(2) from None
