"""Writing a document by the author's own key: one statement, so that two at once leave one document."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from mozaiks_shell.foundation.clock import now
from mozaiks_shell.foundation.ids import new_id
from mozaiks_shell.sdk.models import Document


def by_key(session: Any, plugin: str, collection: str, key: str, data: dict[str, Any]) -> Any:
    """The upsert of a document of the session's person."""
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    moment, scope = now(), session.info["scope"]
    row = {
        "app_id": scope.app_id, "user_id": scope.user_id, "plugin": plugin, "collection": collection, "key": key,
        "id": new_id("doc"), "data": data, "created_at": moment, "updated_at": moment,
    }  # fmt: skip
    statement = dialect.insert(Document).values(**row)
    unique = ["app_id", "user_id", "plugin", "collection", "key"]
    return statement.on_conflict_do_update(index_elements=unique, set_={"data": data, "updated_at": moment})


__all__: list[str] = []
