"""What settings may hold, one value at a time and together. :mod:`.settings` asks here; nothing else does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if TYPE_CHECKING:
    from mozaiks_shell.foundation.settings import Settings

BILLING: Final = ("manual", "stripe", "none")
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def origin(value: str) -> str:
    """``scheme://host[:port]`` in lower case; anything that could admit more than one origin is refused."""
    parts = urlsplit(value.strip().rstrip("/").lower())
    if parts.scheme not in {"http", "https"} or not parts.hostname or "*" in value:
        raise ValueError(f"{value!r} is not an origin such as https://app.example.com")
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{value!r} has more than scheme, host and port")
    return f"{parts.scheme}://{parts.netloc}"


def signing_key(text: str) -> str:
    """An RSA private key in PEM form, its line breaks perhaps written as ``\\n``; empty stays empty."""
    if pem := text.replace("\\n", "\n"):
        try:
            key = load_pem_private_key(pem.encode(), None)
        except (ValueError, TypeError):
            raise ValueError("is not an unencrypted private key in PEM form") from None
        if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
            raise ValueError("must be an RSA key of at least 2048 bits")
    return pem


def known_database(value: str) -> str:
    """A URL of a database we can use."""
    scheme = value.partition("://")[0].partition("+")[0]
    if scheme.startswith("mongodb"):
        raise ValueError(
            "is a MongoDB URL, but this shell stores in SQL: use sqlite:///data/mozaiks.db or postgresql://user:password@host/db"
        )
    if value and scheme not in {"sqlite", "postgresql", "postgres"}:
        raise ValueError("must start with sqlite:/// or postgresql://")
    return value


def contradictions(settings: Settings) -> list[str]:
    """What does not go together, each line beginning with the variable to change."""
    problems: list[str] = []
    if settings.env == "production" and settings.app_id == "dev-app":
        problems.append("MOZAIKS_APP_ID: required when ENV=production")
    if settings.env == "production" and not settings.secure and urlsplit(settings.origin).hostname not in LOOPBACK:
        problems.append("MOZAIKS_PUBLIC_URL: must be https:// when ENV=production, or cookies travel in the clear")
    if settings.env == "production" and settings.allow_no_db:
        problems.append("MOZAIKS_ALLOW_NO_DB: for development only")
    if settings.oidc_authority and not settings.oidc_client_id:
        problems.append("MOZAIKS_OIDC_CLIENT_ID: required when MOZAIKS_OIDC_AUTHORITY is set")
    if not settings.local_accounts and not settings.oidc_authority and not settings.auth_provider:
        problems.append("MOZAIKS_LOCAL_ACCOUNTS: false needs MOZAIKS_OIDC_AUTHORITY, or nobody can sign in")
    if settings.auth_provider and settings.oidc_authority:
        problems.append("MOZAIKS_AUTH_PROVIDER: takes the place of MOZAIKS_OIDC_AUTHORITY; set one of the two")
    if settings.auth_provider and provider_file(settings, "auth", settings.auth_provider) is None:
        problems.append(f"MOZAIKS_AUTH_PROVIDER: there is no auth/{settings.auth_provider}.py in a plugins folder")
    if settings.billing_provider not in BILLING and provider_file(settings, "payments", settings.billing_provider) is None:
        known = ", ".join(BILLING)
        problems.append(
            f"MOZAIKS_BILLING_PROVIDER: {settings.billing_provider!r} is none of {known}, and there is no "
            f"payments/{settings.billing_provider}.py in a plugins folder"
        )
    if settings.billing_provider == "stripe":
        if not settings.stripe_secret_key.get_secret_value():
            problems.append("STRIPE_SECRET_KEY: required when MOZAIKS_BILLING_PROVIDER=stripe")
        if not settings.stripe_webhook_secret.get_secret_value().strip(" ,"):
            problems.append("STRIPE_WEBHOOK_SECRET: required when MOZAIKS_BILLING_PROVIDER=stripe")
    problems += settings.token_problems(bool(settings.execution_token_private_key.get_secret_value()), settings.ai_url)
    if settings.session_idle_minutes > settings.session_max_minutes:
        problems.append("MOZAIKS_SESSION_IDLE_MINUTES: longer than MOZAIKS_SESSION_MAX_MINUTES")
    if settings.default_locale not in settings.locales:
        problems.append(f"MOZAIKS_DEFAULT_LOCALE: {settings.default_locale!r} is not one of MOZAIKS_LOCALES")
    if settings.configs_path and not settings.configs_path.is_dir():
        problems.append(f"MOZAIKS_CONFIGS_PATH: {settings.configs_path} is not a folder")
    if settings.port == settings.dev_backend_port:
        problems.append("MOZAIKS_DEV_BACKEND_PORT: must differ from PORT")
    return problems + _shared(settings)


def _shared(settings: Settings) -> list[str]:
    """What several server processes must share, and do not."""
    if settings.workers == 1:
        return []
    problems = []
    if not settings.sql_url.startswith("postgresql"):
        problems.append(f"WEB_CONCURRENCY: {settings.workers} workers need PostgreSQL; set DATABASE_URL=postgresql://…")
    if not settings.redis_url:
        problems.append(f"WEB_CONCURRENCY: {settings.workers} workers keep page state in Redis; set REDIS_URL")
    return problems


def provider_file(settings: Settings, kind: str, name: str) -> Path | None:
    """The file of a provider plugin in the first plugins folder that has it (F-053, F-098)."""
    files = (root / kind / f"{name}.py" for root in settings.plugin_roots)
    return next((file.resolve() for file in files if file.is_file()), None)
