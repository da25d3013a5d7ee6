"""The pages as they are served: the prerendered file with this person's words, brand and theme put in.

The build runs once, for everybody. Where a page says something that depends on who reads it, it leaves a mark
(``ui/i18n.js``); here the marks become text. So nothing flashes: language, direction, brand and theme are right in the
first byte, and the script finds in ``#mz-boot`` what it needs to say the same.
"""

import gzip
import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response

from mozaiks_shell.appconfig.brand import AppBrand, app_for_host, appearance_of, brand, default_theme, font_preloads, style_sheet
from mozaiks_shell.foundation import i18n
from mozaiks_shell.foundation.access import Principal
from mozaiks_shell.foundation.locales import PLURALS
from mozaiks_shell.foundation.settings import get_settings
from mozaiks_shell.hosting.error_kinds import kind_of
from mozaiks_shell.hosting.social import head_tags, markup
from mozaiks_shell.identity.service import cookie_in, themes
from mozaiks_shell.shell.menus import brand_view, layout_view
from mozaiks_shell.ui.page import Page

# Runs before anything is drawn: the theme this person chose, on whatever device, is this browser's theme too.
EARLY_SCRIPT: Final = (
    "try{var r=document.documentElement,c=r.dataset.choice;if(c){localStorage.setItem('theme',c);"
    "var m=c==='system'?matchMedia('(prefers-color-scheme: dark)').matches?'dark':'light':c;"
    "r.classList.remove('light','dark');r.classList.add(m);r.style.colorScheme=m}}catch(e){}"
)
# The page is drawn before the program is even fetched; in a tab nobody sees nothing is ever drawn. A button pressed
# meanwhile that does nothing without the program is pressed again once it runs (``mzEarly``, called by the frame).
START_SCRIPT: Final = (
    "(function(d){var early;function note(e){var b=e.target.closest&&e.target.closest('button');"
    "early=b&&!b.form&&!b.hasAttribute('popovertarget')?b:null}"
    "d.addEventListener('click',note,true);"
    "window.mzEarly=function(){d.removeEventListener('click',note,true);if(early&&early.isConnected)early.click();early=null};"
    "function run(from,kind){var n=d.querySelector('script[type=\"'+from+'\"]');if(!n)return;n.type=from+'ed';"
    "var s=d.createElement('script');s.type=kind;s.text=n.text;d.head.appendChild(s).remove()}"
    "function start(){"
    "d.querySelectorAll('link[rel=mz-later]').forEach(function(l){l.rel='modulepreload'});"
    "setTimeout(function(){run('mz/scroll','text/javascript');setTimeout(function(){run('mz/start','module')})})}"
    "function begin(){var q=new URLSearchParams(location.search).get('next');"
    "if(q)d.querySelectorAll('a[data-next]').forEach(function(a){a.search='?next='+encodeURIComponent(q)});"
    "if(history.state)run('mz/scroll','text/javascript');"
    "if(d.hidden)return start();setTimeout(start,1500);"
    "try{if(PerformanceObserver.supportedEntryTypes.indexOf('paint')<0)throw 0;"
    "new PerformanceObserver(function(l){if(l.getEntriesByName('first-contentful-paint').length)setTimeout(start)})"
    ".observe({type:'paint',buffered:true})}catch(e){requestAnimationFrame(function(){setTimeout(start)})}}"
    "d.addEventListener('DOMContentLoaded',begin)})(document)"
)

_MARK = re.compile("\ue000([^\ue000\ue001]*)\ue001")
_FRAMEWORK_PICTURE = re.compile(r'<meta content="[^"]*" property="og:image"/>')
_ROOT = re.compile(r"<html[^>]*>")
_SHEET = re.compile(r'<link href="(/assets/[^"/]+\.css)" rel="stylesheet"')
_PROGRAM = '<script type="module" async="">import "/assets/'
# Scrolls to where the page was left, and writes to the history, which takes 11 ms before the first paint; a fresh visit has
# nothing to go back to, so there it runs with the program.
_SCROLL = "<script>((storageKey, restoreKey)"
_SHEETS_LINK = re.compile(r'<link (?=[^>]*rel="(?:stylesheet|preload)")(?=[^>]*href="/assets/[^"/]+\.css")')


@dataclass(frozen=True)
class Reader:
    """Whom a page is served to, as far as the page shows it."""

    locale: str
    app_id: str = ""
    timezone: str = ""
    theme: str = ""
    signed_in: bool = False


@dataclass(frozen=True)
class Document:
    """One page for one reader. ``tags`` go into the head, ``frame`` onto the root element (the layout of the app's
    frame); ``error`` is for the error page's script."""

    reader: Reader
    tags: str = ""
    error: tuple[tuple[str, Any], ...] = field(default=())
    frame: tuple[tuple[str, str], ...] = field(default=())


def file_of(static: Path, page: Page | None) -> Path:
    """The built file that answers for a page; None is an unknown address."""
    name = page.route.strip("/") or "index" if page else "404"
    built = static / f"{name}.html"
    return built if built.is_file() else static / "404.html"  # one with a parameter in its address, or only in a file


def document_for(
    page: Page | None, principal: Principal | None, headers: Headers, path: str, error: tuple[tuple[str, Any], ...] = ()
) -> Document:  # fmt: skip
    """What this request's reader gets: their language and theme, the brand of the host they came by."""
    settings, host = get_settings(), headers.get("host", "")
    app_id = app_for_host(host)
    look = brand(app_id)
    origin = f"{urlsplit(settings.origin).scheme}://{host}" if app_id else settings.origin
    tags = head_tags(page, look, origin, i18n.current_locale(), path)
    for address, kind in font_preloads(look):
        tags.append(("link", {"rel": "preload", "as": "font", "type": kind, "href": address, "crossorigin": ""}))
    reader = Reader(
        locale=i18n.current_locale(),
        app_id=app_id,
        timezone=principal.timezone if principal else "",
        theme=principal.theme if principal else _visitors_theme(headers),
        signed_in=principal is not None,
    )
    wordmark = brand_view(app_id=app_id)["wordmark"]
    frame = (("data-layout", json.dumps(layout_view(app_id))), ("data-wordmark", "1" if wordmark else ""))
    return Document(reader, markup(tags), error, frame)


def _visitors_theme(headers: Headers) -> str:
    theme = cookie_in(headers.get("cookie", ""), "mozaiks_theme")
    return theme if theme in themes() else ""


def respond(
    static: Path, page: Page | None, document: Document, *, status: int = 200, accept: str = "", head: bool = False
) -> Response:
    """The page as a response.

    Args:
        static: Folder of the built pages.
        page: Which page; None for the one of unknown addresses.
        document: For whom.
        status: HTTP status.
        accept: The request's ``Accept-Encoding``.
        head: True leaves the body out.
    """
    file = file_of(static, page)
    zipped = "gzip" in accept
    look = brand(document.reader.app_id)
    render = _rendered.__wrapped__ if document.error else _rendered  # every failure has a number of its own
    body = render(file, file.stat().st_mtime_ns, document, look, zipped, _catalogues(document.reader.locale))
    headers = {"content-language": document.reader.locale, "vary": "Accept-Encoding, Accept-Language, Cookie, Host"}
    if zipped:
        headers["content-encoding"] = "gzip"
    response = Response(body, status, headers, media_type="text/html")
    if head:
        response.body = b""
    return response


class _Catalogues(dict[str, i18n.Catalogue]):
    """Catalogues by domain. Hashed by identity of what they hold: a reread file is another object."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple((domain, id(found)) for domain, found in self.items()))


def _catalogues(locale: str) -> _Catalogues:
    return _Catalogues({domain: found for domain in i18n.domains() if (found := i18n.browser_catalogue(domain, locale))})


@lru_cache(maxsize=256)
def _rendered(file: Path, mtime: int, document: Document, look: AppBrand, zipped: bool, catalogues: _Catalogues) -> bytes:
    reader = document.reader
    parts = _template(file, mtime)
    words = brand_words(look)
    texts = [part if at % 2 == 0 else html.escape(say(json.loads(part), reader.locale, words)) for at, part in enumerate(parts)]
    page = _ROOT.sub(lambda _: _root_tag(document), "".join(texts), count=1)
    # At the end of the head: React takes the first script it meets there for its own.
    sheet = f'<style id="mz-sheet">{found}</style>' if (found := _sheet(file, mtime)) else ""
    body = page.replace("</head>", f"{sheet}{_head(document, look, words, catalogues)}</head>", 1).encode()
    return gzip.compress(body, 6) if zipped else body


@lru_cache(maxsize=256)
def _template(file: Path, _: int) -> list[str]:
    """Markup and calls by turns: even places are markup, odd ones the JSON of a mark."""
    text = _FRAMEWORK_PICTURE.sub("", file.read_text("utf-8"))
    if _sheet(file, _):
        text = _SHEETS_LINK.sub('<link media="not all" disabled ', text)
    text = text.replace('<link rel="modulepreload"', '<link rel="mz-later"')
    text = text.replace(_PROGRAM, _PROGRAM.replace('type="module"', 'type="mz/start"'), 1)
    text = text.replace(_SCROLL, _SCROLL.replace("<script>", '<script type="mz/scroll">'), 1)
    parts = _MARK.split(text)
    return [part if at % 2 == 0 else unquote(html.unescape(part)) for at, part in enumerate(parts)]


@lru_cache(maxsize=256)
def _sheet(file: Path, _: int) -> str:
    """The page's style sheet, to be served inside it: the first paint then waits for one answer, not for two.

    The link stays, switched off: React looks for it, and would fetch it again behind the brand's colours.
    Empty where there is none, or where it would not survive in a ``style`` element.
    """
    linked = _SHEET.search(file.read_text("utf-8"))
    static = next((folder for folder in file.parents if linked and (folder / linked[1][1:]).is_file()), None)
    css = (static / linked[1][1:]).read_text("utf-8") if linked and static else ""
    return "" if "</style" in css.lower() or re.search(r"""url\((?!["']?(?:data:|/))""", css) else css


def _root_tag(document: Document) -> str:
    reader, error = document.reader, dict(document.error)
    facts = {
        **dict(document.frame),
        "lang": reader.locale,
        "dir": i18n.direction(reader.locale),
        "data-served": "1",
        "data-timezone": reader.timezone,
        "data-person": "" if reader.signed_in else "none",
        "data-error": kind_of(error) if error else "",
    }
    if reader.theme:
        facts["data-choice"] = appearance_of(reader.theme, reader.app_id)
    theme = reader.theme or default_theme(reader.app_id)
    if theme not in {"light", "dark", "system"}:
        facts["data-theme"] = theme
    return "<html " + " ".join(f'{name}="{html.escape(value)}"' for name, value in facts.items() if value) + ">"


def brand_words(look: AppBrand) -> dict[str, str]:
    """What pages say of the brand: for ``brand_text`` of components."""
    return {"name": look.name, "tagline": look.tagline}


def boot(reader: Reader, words: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """What the page's script is told (``ui/i18n.js`` reads it)."""
    locale = reader.locale
    catalogues = _catalogues(locale)
    return {
        "locale": locale,
        "dir": i18n.direction(locale),
        "plurals": PLURALS[locale],
        "catalogues": catalogues,
        "brand": dict(words),
        **more,
    }


def _head(document: Document, look: AppBrand, words: Mapping[str, str], _: _Catalogues) -> str:
    told = boot(document.reader, words, **({"error": dict(document.error)} if document.error else {}))
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&":
        data = data.replace(sign, f"\\u{ord(sign):04x}")
    css = style_sheet(look).replace("<", "\\3c ")
    return (
        f"<script>{EARLY_SCRIPT}</script><script>{START_SCRIPT}</script>"
        f'<script type="application/json" id="mz-boot">{data}</script>'
        f'<style id="mz-brand">{css}</style>{document.tags}'
    )


Call = list[Any]


def say(call: Call, locale: str, words: Mapping[str, str]) -> str:
    """The text behind a mark; the counterpart of the functions in ``ui/i18n.js``."""
    kinds: dict[str, Callable[..., str]] = {
        "t": lambda text, values, domain: i18n.translate(text, said(values), domain=domain, locale=locale),
        "n": lambda one, many, count, values, domain: i18n.translate_counted(
            one, many, count, said(values), domain=domain, locale=locale
        ),
        "#": lambda value: i18n.number(value, locale),
        "$": lambda amount, currency: i18n.money(amount, currency, locale),
        "d": lambda iso, style: i18n.moment(datetime.fromisoformat(iso), style, locale),
        "b": lambda part: words.get(part, ""),
    }

    def said(values: dict[str, Any]) -> dict[str, Any]:
        return {name: unmarked(value) if isinstance(value, str) else value for name, value in values.items()}

    def unmarked(text: str) -> str:
        return _MARK.sub(lambda found: say(json.loads(unquote(found[1])), locale, words), text)

    kind, *arguments = call
    return kinds[kind](*[unmarked(one) if isinstance(one, str) else one for one in arguments])
