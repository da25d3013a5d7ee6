"""The page at ``/plugins/my-plugin``: ask the class, show what it says. ``logic.py`` stays as it was printed."""

from mozaiks_shell import sdk
from mozaiks_shell.sdk import msg, rx, t, ui

from .logic import MyPlugin


class Asked(sdk.State):
    """What the class answered last."""

    answer: dict[str, str] = {}

    @sdk.event
    def ask(self) -> None:
        """Call ``on_request`` as ``POST /api/execute/my-plugin`` does."""
        self.answer = MyPlugin().on_request({})


_LEAD = msg("One class with on_init and on_request; this page was added beside it.")


@sdk.page(order=60, description=_LEAD)
def my_plugin() -> rx.Component:
    """One button, one answer."""
    facts = rx.el.dl(
        rx.foreach(
            Asked.answer.entries(),
            lambda fact: ui.row(rx.el.dt(fact[0], class_name="mz-muted w-24"), rx.el.dd(rx.el.code(fact[1])), class_name="py-1"),
        )
    )
    ask = ui.button(t("Ask the class"), variant="primary", on_click=Asked.ask)
    nothing = ui.empty_state("plug", t("Nothing asked yet"), t("The answer of on_request is shown here."), ask)
    return rx.el.div(
        ui.page_header(t("My plugin"), t(_LEAD)),
        rx.cond(
            Asked.answer.length() > 0,
            ui.card(facts, title=t("Its answer"), actions=[ui.button(t("Ask again"), small=True, on_click=Asked.ask)]),
            ui.card(nothing),
        ),
    )
