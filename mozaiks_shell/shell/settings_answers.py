"""What the settings forms say when a service refuses."""

from mozaiks_shell.foundation.errors import ShellError


def field_errors(problem: ShellError, **renamed: str) -> dict[str, str]:
    """Message per field, as the service names them; ``""`` holds what belongs to no field.

    Args:
        problem: The refusal; its ``errors`` detail is a list of ``{field, message}``.
        **renamed: The service's name of a field -> the form's.
    """
    found: dict[str, str] = {}
    for one in problem.details.get("errors") or []:
        name, message = str(one.get("field", "")), str(one.get("message", ""))
        found.setdefault(renamed.get(name, name), message)
    return found or {"": problem.message}


def text_of(form: object, name: str, longest: int = 4000) -> str:
    """A text of a submitted form, whatever else was sent; at most ``longest`` characters of it."""
    value = form.get(name) if isinstance(form, dict) else None
    return value[:longest] if isinstance(value, str) else ""
