"""Pages that stand alone, in the brand's colours and without a script of the app: the offline page, and the last resort
when not even the error page can be made. Everything they need is in them."""

import base64
import html
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from mozaiks_shell.appconfig.brand import AppBrand, brand, tokens
from mozaiks_shell.appconfig.brand_files import MEDIA_TYPES, asset_file
from mozaiks_shell.foundation import i18n
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.ui.icon_names import drawings

_NEEDED: Final = ("bg", "surface", "line", "line-strong", "text", "muted", "accent", "on-accent")
_LOGO_AT_MOST: Final = 100_000  # bytes put into the page
_FALLBACK: Final = {
    "light": "--color-bg:#fafafb;--color-surface:#fff;--color-line:#e5e6ea;--color-line-strong:#878d99;--color-text:#17191e;"
    "--color-muted:#5d6370;--color-accent:#2f54c9;--color-on-accent:#fff;color-scheme:light",
    "dark": "--color-bg:#0f1013;--color-surface:#16181c;--color-line:#282b32;--color-line-strong:#6b717e;--color-text:#ecedf0;"
    "--color-muted:#9ca2ae;--color-accent:#93aaff;--color-on-accent:#0d1330;color-scheme:dark",
}
_FONT: Final = 'ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif'
_STYLE: Final = (
    "*{box-sizing:border-box;margin:0}"
    "body{display:flex;flex-direction:column;min-height:100dvh;background:var(--color-bg);color:var(--color-text);"
    "font:400 .9375rem/1.55 " + _FONT + "}"
    "header{display:flex;align-items:center;gap:10px;height:52px;padding:0 18px;border-bottom:1px solid var(--color-line);"
    "font-weight:600;letter-spacing:-.01em}"
    "header img{width:22px;height:22px;object-fit:contain}"
    "main{display:flex;flex-direction:column;align-items:center;gap:6px;max-width:480px;margin:clamp(48px,16vh,160px) auto 48px;"
    "padding:0 24px;text-align:center;text-wrap:pretty}"
    "main svg{width:52px;height:52px;padding:14px;margin-bottom:14px;border:1px solid var(--color-line);border-radius:15px;"
    "background:var(--color-surface);fill:none;stroke:var(--color-muted);stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round}"
    "h1{font-size:1.5rem;line-height:1.25;letter-spacing:-.019em;font-weight:600;text-wrap:balance}"
    "p{color:var(--color-muted)}"
    ".small{margin-top:24px;font-size:.8125rem;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}"
    "nav{display:flex;flex-wrap:wrap;justify-content:center;gap:8px;margin-top:22px}"
    "a{display:inline-flex;align-items:center;min-height:36px;padding:0 14px;border:1px solid var(--color-line-strong);"
    "border-radius:7px;background:var(--color-surface);color:var(--color-text);font-weight:500;font-size:.875rem;text-decoration:none}"
    "a.first{background:var(--color-accent);border-color:var(--color-accent);color:var(--color-on-accent)}"
    "a:focus-visible{outline:2px solid var(--color-accent);outline-offset:2px}"
    "[data-busy]{opacity:.6}"
)


def offline_page(app_id: str = "") -> str:
    """What the service worker shows when nothing answers, in the language of whoever installs it. Names nobody."""
    text = tr("This page opens by itself as soon as there is a connection.")
    away = {
        "title": tr("The app cannot be reached"),
        "text": tr("It may be starting again. This page opens by itself when it is there."),
    }
    actions = [f'<a class="first" id="again" href="">{_text(tr("Try again"))}</a>']
    return _page(app_id, "wifi-off", tr("You are offline"), text, actions, script="/offline.js", away=away)


def failure_page(status: int, reference: str, app_id: str = "", retry_after: int = 0) -> str:
    """The last resort, for 500 and 503. Loads nothing; a 503 asks for the page again by itself. Never raises."""
    try:
        return _failure(status, reference, app_id, retry_after)
    except Exception:  # noqa: BLE001 - whatever is broken (brand, catalogue, disk), a person must read something
        return f"<!doctype html><title>{status}</title><h1>{status}</h1><p>{_text(reference)}</p>"


def _failure(status: int, reference: str, app_id: str, retry_after: int) -> str:
    if status == 503:
        title = tr("We will be right back")
        text = tr("The app is starting or being updated. This page opens by itself when it is there.")
    else:
        title = tr("Something went wrong on our side")
        text = tr("It has been reported. Whoever helps you finds it by the reference below.")
    again = f'<a class="first" href="">{_text(tr("Try again"))}</a>'
    home = f'<a href="/">{_text(tr("Go home"))}</a>'
    refresh = f'<meta http-equiv="refresh" content="{max(3, min(retry_after or 10, 300))}">' if status == 503 else ""
    return _page(app_id, "unplug", title, text, [again, home], small=f"{status} · {reference}", head=refresh)


def _page(
    app_id: str,
    drawing: str,
    title: str,
    text: str,
    actions: Sequence[str],
    *,
    small: str = "",
    head: str = "",
    script: str = "",
    away: Mapping[str, str] | None = None,
) -> str:
    locale, look = i18n.current_locale(), brand(app_id)
    code = f'<script src="{script}" defer></script>' if script else ""
    foot = f'<p class="small" dir="ltr">{_text(small)}</p>' if small else ""
    said = f"<h1{_other(away, 'title')}>{_text(title)}</h1><p{_other(away, 'text')}>{_text(text)}</p>"
    return (
        f'<!doctype html><html lang="{locale}" dir="{i18n.direction(locale)}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">{head}'
        f"<title>{_text(title)} · {_text(look.name)}</title><style>{_colours(look)}{_STYLE}</style>{code}</head>"
        f'<body><header>{_logo(look)}<span dir="auto">{_text(look.name)}</span></header><main>'
        f'<svg viewBox="0 0 24 24" aria-hidden="true">{drawings()[drawing]}</svg>'
        f"{said}<nav>{''.join(actions)}</nav>{foot}</main></body></html>"
    )


def _other(texts: Mapping[str, str] | None, part: str) -> str:
    """What the script puts there when it is not the connection that is missing."""
    return f' data-away="{_text(texts[part])}"' if texts else ""


def _text(text: str) -> str:
    return html.escape(text)


@lru_cache(maxsize=32)
def _colours(look: AppBrand) -> str:
    try:
        values = {mode: _values(tokens(look.palette(mode), mode)) + f";color-scheme:{mode}" for mode in ("light", "dark")}
    except (ValueError, KeyError):
        values = _FALLBACK
    if look.mode == "dark":
        return f":root{{{values['dark']}}}"
    dark = "" if look.mode == "light" else f"@media(prefers-color-scheme:dark){{:root:not(.light){{{values['dark']}}}}}"
    return f":root{{{values['light']}}}{dark}:root.dark{{{values['dark']}}}"


def _values(all_tokens: dict[str, str]) -> str:
    return ";".join(f"--color-{name}:{all_tokens[f'--color-{name}']}" for name in _NEEDED).replace("<", "\\3c ")


def _logo(look: AppBrand) -> str:
    file = asset_file(look.assets.logo, look.app_id)
    if file is None or file.stat().st_size > _LOGO_AT_MOST:
        return ""
    return _embedded(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _embedded(file: Path, _: int) -> str:
    data = base64.b64encode(file.read_bytes()).decode()
    return f'<img src="data:{MEDIA_TYPES[file.suffix[1:].lower()]};base64,{data}" alt="">'
