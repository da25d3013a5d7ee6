"""Settings over HTTP (F-022, F-222 to F-227): the page's fields, one's own values, a plugin's, the app's, the theme."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from mozaiks_shell.appconfig.service import theme_config
from mozaiks_shell.billing.http_gate import needs
from mozaiks_shell.foundation.access import Access, Principal, current_principal
from mozaiks_shell.foundation.errors import Invalid
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.foundation.json_text import NotJson, read_json
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.identity import service as identity
from mozaiks_shell.shell.settings_values import plugin_scope, read_settings, sections, write_settings

router = APIRouter(prefix="/api", tags=["settings"])
Person = Annotated[Principal, Depends(needs(Access.signed_in()))]
Administrator = Annotated[Principal, Depends(needs(Access.role("admin")))]

THEME_COOKIE = "mozaiks_theme"
_YEAR = 31_536_000


@router.get("/settings-config")
async def settings_page(person: Person) -> dict[str, Any]:
    """The sections and fields this person sees."""
    shown = [one.as_file() for one in await sections(person)]
    notes = [note for section in shown for note in section["plugin_notification_fields"]]
    return {"profile_sections": shown, "plugin_notification_fields": notes}


@router.get("/settings")
async def own_settings(person: Person) -> dict[str, Any]:
    """What counts for this person."""
    return {"settings": await read_settings(person)}


@router.post("/settings")
async def change_own_settings(person: Person, request: Request) -> dict[str, Any]:
    """Change some of one's own; a null goes back to the default. 422 names every wrong field."""
    return {"message": tr("Saved."), "settings": await write_settings(person, await _object(request))}


@router.get("/plugin-settings/{plugin}")
async def plugin_settings(person: Person, plugin: str) -> dict[str, Any]:
    """What counts for this person in a plugin they may use."""
    return await read_settings(person, await plugin_scope(person, plugin))


@router.post("/plugin-settings/{plugin}")
async def change_plugin_settings(person: Person, plugin: str, request: Request) -> dict[str, Any]:
    """Change some of them; a null goes back to the default. 422 names every wrong field."""
    scope = await plugin_scope(person, plugin)
    return {"message": tr("Saved."), "settings": await write_settings(person, await _object(request), scope)}


@router.get("/admin/app-settings")
async def app_settings(_: Administrator) -> dict[str, Any]:
    """What is set for everybody who chose nothing themself (F-227)."""
    return {"settings": await identity.app_settings()}


@router.post("/admin/app-settings")
async def change_app_settings(person: Administrator, request: Request) -> dict[str, Any]:
    """Change some of it; a null removes it."""
    return {"message": tr("Saved."), "settings": await identity.set_app_settings(person, await _object(request))}


class ThemeChoice(BaseModel):
    """A theme by name: light, dark, system, or one of ``theme_config.json``."""

    theme_name: str = Field(max_length=64)


@router.get("/theme-config")
async def whole_theme_config() -> dict[str, Any]:
    """``theme_config.json`` as it counts; for anyone, because the sign-in page wears it too."""
    return theme_config().model_dump(mode="json", by_alias=True)


@router.post("/change-theme")
async def change_theme(choice: ThemeChoice, response: Response) -> dict[str, Any]:
    """Keep a theme: for the person, or for this browser while nobody is signed in."""
    person = current_principal()
    if choice.theme_name not in identity.themes():
        error = {"field": "theme_name", "code": "NOT_OFFERED", "message": tr("There is no such theme.")}
        raise Invalid(error["message"], errors=[error])
    if person is not None:
        await identity.set_preferences(person, {"theme": choice.theme_name})
    secure = get_settings().secure
    response.set_cookie(THEME_COOKIE, choice.theme_name, max_age=_YEAR, path="/", samesite="lax", secure=secure, httponly=True)
    return {"message": tr("Saved."), "theme": choice.theme_name}


@router.get("/current-theme")
async def current_theme(request: Request) -> dict[str, Any]:
    """The theme that counts here: one's own or this browser's choice, else the app's, else ``default_theme``, else light."""
    person = current_principal()
    here = request.cookies.get(THEME_COOKIE, "") if person is None else person.theme
    app = "" if here else (await identity.app_settings()).get("theme", "")
    chosen = here or app
    return {"theme": chosen if chosen in identity.themes() else theme_config().default_theme or "light"}


async def _object(request: Request) -> dict[str, Any]:
    """The body's JSON object.

    Raises:
        Invalid: it is something else, nested too deep, or holds text that cannot be stored.
    """
    try:
        body = read_json(await request.body())
    except NotJson:
        body = None
    if not isinstance(body, dict):
        raise Invalid(tr("Send a JSON object."))
    return body
