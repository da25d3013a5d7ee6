"""What this process knows of itself."""

from dataclasses import dataclass


@dataclass
class Process:
    """``not_ready`` is the reason, empty once the start is done."""

    not_ready: str = "starting"
    plugins_loaded: int = 0
    app_name: str = "Mozaiks"


process = Process()
