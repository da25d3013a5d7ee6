"""Names of classes in relationships mean the plugin's own classes (F-093).

``Relationship`` names its target by the class's bare name, and all mapped classes share one registry: the second plugin with a
class ``Note`` would stop both. So a bare name is settled within the plugin before mappers are configured.
"""

from typing import Any

from sqlalchemy.orm import RelationshipProperty
from sqlalchemy.orm.clsregistry import _class_resolver, _GetColumns
from sqlalchemy.orm.instrumentation import manager_of_class

from mozaiks_shell.plugin_host.registry import Plugin
from mozaiks_shell.plugin_host.withdraw import plugin_tables


def settle_names(plugin: Plugin) -> None:
    """Bind every relationship of the plugin's models that names one of its own classes to that class."""
    own: dict[str, Any] = {table.__name__: table for table in plugin_tables(plugin)}
    for table in own.values():
        manager: Any = manager_of_class(table)
        for relation in list(manager.mapper._props.values() if manager is not None else ()):
            if isinstance(relation, RelationshipProperty):
                _settle(relation, own)


def _settle(relation: Any, own: dict[str, Any]) -> None:
    said = relation.argument
    if isinstance(said, str) and said in own:
        relation.argument = own[said]
    for name, place in relation._init_args._asdict().items():
        if name != "back_populates" and isinstance(place.argument, str):  # 'Note.created_at' in order_by, and the like
            place.argument = relation._clsregistry_resolve_arg(place.argument, name == "secondary")
        if isinstance(place.argument, _class_resolver) and not place.argument.tables_only:
            place.argument._dict.update({name: _GetColumns(table) for name, table in own.items()})
