"""A UI tool: shows a card, waits for the person, remembers what it learned."""

from typing import Annotated, Any

from mozaiksai.core.workflow.outputs.ui_tools import use_ui_tool


async def greet(
    *,
    name: Annotated[str, "What the person wants to be called"],
    context_variables: Annotated[Any, "Context variables of the run"] = None,
) -> dict[str, Any]:
    """Greet a person by name."""
    called = " ".join(name.split())[:80] or "friend"
    greeting = f"Hello, {called}!"
    if context_variables is not None:
        context_variables.set("user_name", called)
    response = await use_ui_tool(
        "core.card",
        {"title": greeting, "body": "Welcome to Mozaiks.", "actions": [{"id": "ok", "label": "Thank you"}]},
        chat_id=context_variables.get("chat_id") if context_variables is not None else None,
        workflow_name="HelloWorld",
    )
    if context_variables is not None:
        context_variables.set("greeting_complete", True)
    return {"status": response.get("status", "success"), "greeting": greeting, "name": called}
