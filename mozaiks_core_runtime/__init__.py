"""The SDK under the name MozaiksCore's documents use: ``from mozaiks_core_runtime import auth, db, payments`` (F-291)."""

from mozaiks_shell.sdk import auth, current_user, db, errors, events, jobs, notifications, payments, plugins, workflow_client

__all__ = ["auth", "current_user", "db", "errors", "events", "jobs", "notifications", "payments", "plugins", "workflow_client"]
