"""What the head of a page says to browsers, search engines and those who preview a shared link."""

import html

from mozaiks_shell.appconfig.brand import AppBrand, tokens
from mozaiks_shell.foundation.i18n import tr
from mozaiks_shell.hosting.error_pages import ERROR_ROUTE
from mozaiks_shell.hosting.icons import CANVASES, icon_tag
from mozaiks_shell.ui.page import Page

Tag = tuple[str, dict[str, str]]

# Region of a language, for og:locale (Open Graph wants language_TERRITORY).
_TERRITORY = {"en": "US", "pt": "BR", "ja": "JP", "zh": "CN", "hi": "IN", "ar": "AR", "he": "IL"}


def head_tags(page: Page | None, look: AppBrand, origin: str, locale: str, path: str = "") -> list[Tag]:
    """Tags for the head of a served page, as (element, attributes).

    Args:
        page: Which page; None for an error. What only some people may open gives nothing away but the app's name.
        look: The brand of the host.
        origin: Scheme and host without a slash at the end.
        locale: Language of this answer.
        path: Address of the page, for one with a parameter in its route.
    """
    if page is not None and page.route == ERROR_ROUTE:
        page = None
    public = page is not None and page.access.kind == "public"
    title = f"{tr(page.title)} · {look.name}" if page is not None and public else look.name
    description = (tr(page.description) if page is not None and public else "") or look.tagline or look.name
    picture = f"{origin}/brand/icons/social.png?v={icon_tag(look, 'social.png')}"
    touch = f"/brand/icons/apple-touch-icon.png?v={icon_tag(look, 'apple-touch-icon.png')}"
    canvas = CANVASES["social.png"]
    light, dark = (tokens(look.palette(mode), mode)["--color-bg"] for mode in ("light", "dark"))
    tags: list[Tag] = [
        ("link", {"rel": "manifest", "href": "/manifest.webmanifest"}),
        ("link", {"rel": "icon", "href": "/brand/favicon"}),
        ("link", {"rel": "apple-touch-icon", "href": touch}),
        ("meta", {"name": "theme-color", "content": light, "media": "(prefers-color-scheme: light)"}),
        ("meta", {"name": "theme-color", "content": dark, "media": "(prefers-color-scheme: dark)"}),
        ("meta", {"name": "application-name", "content": look.name}),
        ("meta", {"name": "apple-mobile-web-app-title", "content": look.name}),
        ("meta", {"name": "mobile-web-app-capable", "content": "yes"}),
        ("meta", {"name": "description", "content": description}),
        ("meta", {"property": "og:type", "content": "website"}),
        ("meta", {"property": "og:site_name", "content": look.name}),
        ("meta", {"property": "og:title", "content": title}),
        ("meta", {"property": "og:description", "content": description}),
        ("meta", {"property": "og:image", "content": picture}),
        ("meta", {"property": "og:image:width", "content": str(canvas.width)}),
        ("meta", {"property": "og:image:height", "content": str(canvas.height)}),
        ("meta", {"property": "og:image:alt", "content": look.name}),
        ("meta", {"property": "og:locale", "content": f"{locale}_{_TERRITORY.get(locale, locale.upper())}"}),
        ("meta", {"name": "twitter:card", "content": "summary_large_image"}),
    ]
    if page is None:
        tags.append(("meta", {"name": "robots", "content": "noindex"}))
    else:
        address = f"{origin}{path if '[' in page.route else page.route}"  # a page has many spellings and one address
        tags += [("link", {"rel": "canonical", "href": address}), ("meta", {"property": "og:url", "content": address})]
        if not public:
            tags.append(("meta", {"name": "robots", "content": "noindex"}))
    return [*tags, ("script", {"src": "/register-worker.js", "defer": ""})]


def markup(tags: list[Tag]) -> str:
    """The tags as HTML."""
    return "".join(_one(element, attributes) for element, attributes in tags)


def _one(element: str, attributes: dict[str, str]) -> str:
    written = "".join(f' {name}="{html.escape(value)}"' if value else f" {name}" for name, value in attributes.items())
    return f"<{element}{written}>" + ("</script>" if element == "script" else "")
