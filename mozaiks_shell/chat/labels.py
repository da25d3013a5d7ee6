"""What people know workflows by."""

from mozaiks_shell.broker import service as broker


def label_of(workflow: str) -> str:
    """The name people know a workflow by."""
    return next((one.display_name for one in broker.capabilities() if one.workflow_id == workflow), workflow)
