"""The published workflow folder format (protocol §6): reading it, naming its mistakes, keeping up with its files.

A folder of folders is a *shelf*: ``<shelf>/<Name>/orchestrator.yaml`` and its companions. Reading one folder gives either a
:class:`Definition` or a list of :class:`Problem`; it never raises, and a broken folder leaves its neighbours alone.
"""

from .loader import Definition, Loaded, load_folder
from .problems import Problem
from .shelf import Shelf, guests_in

__all__ = ["Definition", "Loaded", "Problem", "Shelf", "guests_in", "load_folder"]
