"""The client-side parts of the error page (``errors.js``), as components."""

import reflex as rx


class _Part(rx.Component):
    library = "$/public" + rx.asset("errors.js", shared=True)


class Errors(_Part):
    """Shows the child of the kind that happened; ``kinds`` names the children, ``titles`` the window for each."""

    tag = "MzErrors"

    kinds: rx.Var[list[str]]
    titles: rx.Var[dict[str, str]]


class Said(_Part):
    """What the server said under ``name``; its children where it said nothing of its own."""

    tag = "MzFact"

    name: rx.Var[str]


class Needed(_Part):
    """``text`` with the plan or role that is needed for ``{needed}``; its children where none is named."""

    tag = "MzNeeded"

    text: rx.Var[str]


class ErrorFacts(_Part):
    """Status, code and reference, to be copied."""

    tag = "MzErrorFacts"


class SignInHere(_Part):
    """The link to sign-in that leads back here."""

    tag = "MzSignInHere"


class PlanHere(_Part):
    """The link to the plan that is needed."""

    tag = "MzPlanHere"


class Retry(_Part):
    """Loads the page again; unless ``now``, only after the wait the server asked for."""

    tag = "MzRetry"

    now: rx.Var[bool]


class ComingBack(_Part):
    """Loads the page again by itself as soon as it is there."""

    tag = "MzComingBack"
