"""State of the operator's page: what counts for everybody who has chosen nothing themself (F-227)."""

from typing import Any, ClassVar, Final

from mozaiks_shell.foundation.access import Access
from mozaiks_shell.foundation.errors import ShellError
from mozaiks_shell.foundation.i18n import msg, tr
from mozaiks_shell.identity.service import app_settings, set_app_settings
from mozaiks_shell.shell.settings_answers import field_errors
from mozaiks_shell.shell.settings_fields import NO_VALUE, OURS, FieldSpec
from mozaiks_shell.shell.settings_values import fields_in
from mozaiks_shell.shell.settings_views import FieldView, form_name, sent, view
from mozaiks_shell.shell.state import Frame
from mozaiks_shell.ui.state import ShellState, event

# Every app has these, whatever its settings_config.json asks people for.
_ALWAYS: Final = (
    FieldSpec("theme", msg("Theme"), "theme-selector", description=msg("What new people and visitors see first.")),
    FieldSpec("locale", msg("Language"), "select", description=msg("Not set: the language each browser asks for.")),
    FieldSpec("timezone", msg("Time zone"), "select", description=msg("Not set: the time zone of each device.")),
)


class AppDefaults(ShellState):
    """The form with the settings of the app."""

    access: ClassVar[Access | None] = Access.role("admin")

    ready: bool = False
    fields: list[FieldView] = []
    errors: dict[str, str] = {}
    saved: int = 0
    failed: int = 0

    @event
    async def load(self) -> None:
        """Read everything anew; runs on every visit."""
        values = await app_settings(self._me().app_id)
        own, others = _fields()
        self.fields = [
            view(
                one,
                values.get(one.place[1], one.default),
                f"app-{one.id}",
                tr("More settings") if others and one is others[0] else "",
                operator=True,
            )
            for one in [*own, *others]
        ]
        self.errors = {}
        self.ready = True

    @event
    async def save(self, form: dict[str, Any]):  # type: ignore[no-untyped-def]
        """Keep all of it, or say beneath each field why not."""
        own, others = _fields()
        every = [*own, *others]
        changes = {
            key: None if value == "" else value for key, value in sent(every, form if isinstance(form, dict) else {}).items()
        }
        try:
            await set_app_settings(self._me(), changes)
        except ShellError as problem:
            names = {one.id: form_name(one) for one in every}
            self.errors = {names.get(name, ""): text for name, text in field_errors(problem).items()}
            self.failed += 1
            return
        self.errors = {}
        self.saved += 1
        yield Frame.enter


def _fields() -> tuple[list[FieldSpec], list[FieldSpec]]:
    """What every app has, and what this one's file adds, under the keys their values have."""
    known = {one.id for one in _ALWAYS}
    told = {one.id: one for one in fields_in("")}
    others = [one for one in told.values() if one.id not in known | OURS | {"full_name"} and one.type not in NO_VALUE]
    return list(_ALWAYS), others
