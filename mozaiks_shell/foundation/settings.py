"""Process settings: one typed object, read once, every problem named at once (F-228).

This is the only module that reads the environment. The README's configuration
table is generated from :class:`Settings`, so a field's description is its documentation.
"""

import sys
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Names = Annotated[list[str], NoDecode]


def _env(*names: str) -> AliasChoices:
    return AliasChoices(*names)


def _origin(value: str) -> str:
    """``scheme://host[:port]`` in lower case; anything that could admit more than one origin is refused."""
    parts = urlsplit(value.strip().rstrip("/").lower())
    if parts.scheme not in {"http", "https"} or not parts.hostname or "*" in value:
        raise ValueError(f"{value!r} is not an origin such as https://app.example.com")
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{value!r} has more than scheme, host and port")
    return f"{parts.scheme}://{parts.netloc}"


class Settings(BaseSettings):
    """Everything an operator can set. Environment beats ``.env`` beats the default."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

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
        ROOT / "data", validation_alias=_env("MOZAIKS_DATA_DIR"), description="Private files: SQLite database and signing keys."
    )
    database_url: str = Field(
        "",
        validation_alias=_env("DATABASE_URL", "DATABASE_URI"),
        description="SQLAlchemy URL (`sqlite:///…` or `postgresql://…`). Default: SQLite in the data directory.",
    )
    redis_url: str = Field(
        "",
        validation_alias=_env("REDIS_URL", "REFLEX_REDIS_URL"),
        description="Redis for page state and rate limits. Default: in process.",
    )
    configs_path: Path | None = Field(
        None,
        validation_alias=_env("MOZAIKS_CONFIGS_PATH"),
        description="Folder with brand.json, subscription_config.json, ai_capabilities.json. Missing ones use packaged defaults.",
    )
    plugins_path: Path = Field(
        ROOT / "plugins",
        validation_alias=_env("MOZAIKS_PLUGINS_PATH", "MOZAIKS_FRONTEND_PLUGINS_PATH"),
        description="Folder whose sub-folders are plugins.",
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
    oidc_roles_claim: str = Field(
        "roles",
        validation_alias=_env("AUTH_ROLES_CLAIM"),
        description="Claim with the roles; dots go deeper (`realm_access.roles`).",
    )

    billing_provider: Literal["manual", "stripe", "none"] = Field(
        "manual",
        validation_alias=_env("MOZAIKS_BILLING_PROVIDER"),
        description="`manual`: an admin sets plans; `stripe`: checkout; `none`: nothing is gated by plan.",
    )
    default_plan: str = Field(
        "",
        validation_alias=_env("MOZAIKS_DEFAULT_TIER"),
        description="Plan of a new account; overrides the catalogue's `default_plan`.",
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
    ai_ws_url: str = Field(
        "",
        validation_alias=_env("MOZAIKSAI_WS_URL"),
        description="WebSocket base of that runtime, if it differs from the HTTP one.",
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
        description="PEM RSA key that signs runtime tokens. Empty: one is made in the data directory.",
    )
    sockets_per_user: int = Field(
        5, validation_alias=_env("WEBSOCKET_MAX_CONNECTIONS_PER_USER"), ge=1, description="Open chat sockets one person may hold."
    )

    @field_validator("additional_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip().rstrip("/") for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("additional_origins", mode="after")
    @classmethod
    def _origins(cls, value: list[str]) -> list[str]:
        return [_origin(one) for one in value]

    @field_validator("public_url")
    @classmethod
    def _public_origin(cls, value: str) -> str:
        return _origin(value) if value else value

    @field_validator("execution_token_private_key")
    @classmethod
    def _signing_key(cls, value: SecretStr) -> SecretStr:
        if pem := value.get_secret_value().replace("\\n", "\n"):
            try:
                key = load_pem_private_key(pem.encode(), None)
            except (ValueError, TypeError):
                raise ValueError("is not an unencrypted private key in PEM form") from None
            if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
                raise ValueError("must be an RSA key of at least 2048 bits")
        return SecretStr(pem)

    @field_validator("oidc_authority", "ai_url", "ai_ws_url", "openai_base_url", "stripe_api_base")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"http", "https", "ws", "wss"}:
            raise ValueError("must be an absolute URL such as https://example.com")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        scheme = value.partition("://")[0].partition("+")[0]
        if scheme.startswith("mongodb"):
            raise ValueError(
                "is a MongoDB URL, but this shell stores in SQL: use sqlite:///data/mozaiks.db or postgresql://user:password@host/db"
            )
        if value and scheme not in {"sqlite", "postgresql", "postgres"}:
            raise ValueError("must start with sqlite:/// or postgresql://")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        problems: list[str] = []
        if self.env == "production" and self.app_id == "dev-app":
            problems.append("MOZAIKS_APP_ID: required when ENV=production")
        if self.env == "production" and not self.secure and urlsplit(self.origin).hostname not in LOOPBACK:
            problems.append("MOZAIKS_PUBLIC_URL: must be https:// when ENV=production, or cookies travel in the clear")
        if self.oidc_authority and not self.oidc_client_id:
            problems.append("MOZAIKS_OIDC_CLIENT_ID: required when MOZAIKS_OIDC_AUTHORITY is set")
        if not self.local_accounts and not self.oidc_authority:
            problems.append("MOZAIKS_LOCAL_ACCOUNTS: false needs MOZAIKS_OIDC_AUTHORITY, or nobody can sign in")
        if self.billing_provider == "stripe":
            if not self.stripe_secret_key.get_secret_value():
                problems.append("STRIPE_SECRET_KEY: required when MOZAIKS_BILLING_PROVIDER=stripe")
            if not self.stripe_webhook_secret.get_secret_value().strip(" ,"):
                problems.append("STRIPE_WEBHOOK_SECRET: required when MOZAIKS_BILLING_PROVIDER=stripe")
        if self.session_idle_minutes > self.session_max_minutes:
            problems.append("MOZAIKS_SESSION_IDLE_MINUTES: longer than MOZAIKS_SESSION_MAX_MINUTES")
        if self.configs_path and not self.configs_path.is_dir():
            problems.append(f"MOZAIKS_CONFIGS_PATH: {self.configs_path} is not a folder")
        if self.port == self.dev_backend_port:
            problems.append("MOZAIKS_DEV_BACKEND_PORT: must differ from PORT")
        if problems:
            raise ValueError("\n".join(problems))
        return self

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
