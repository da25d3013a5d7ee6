"""Text that somebody wrote in Markdown, shown safely."""

from typing import Any

import reflex as rx

from mozaiks_shell.ui.kit._props import classed


class _Markdown(rx.Component):
    library = "$/public" + rx.asset("markdown.js", shared=True)
    tag = "MzMarkdown"
    lib_dependencies: list[str] = ["react-markdown@10.1.0", "remark-gfm@4.0.1"]

    text: rx.Var[str]


def markdown(text: str | rx.Var[str], **props: Any) -> rx.Component:
    """Markdown (CommonMark with tables, task lists and strikethrough) as a person wrote it.

    Raw HTML stays text, an image becomes a link (so that nobody is told who reads it), a link into this app is followed
    without a page load, and one to our API is no link. Headings begin at level 2: the page has the first.

    Args:
        text: The source; a Var may change at any time.
        **props: ``class_name``, ``id``, ...
    """
    return _Markdown.create(text=text, **classed("mz-prose", props))
