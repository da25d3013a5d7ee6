"""The embedded MozaiksAI-compatible runtime.

A product of its own: a separate process with its own HTTP and WebSocket server, started by the shell as
``python -m mozaiks_shell.runtime``, or by hand as ``mozaiks-shell runtime``, and spoken to over the published MozaiksAI
wire contract only. Of the shell it imports the database's rules alone (its tables are in the shell's migrations), so it
can be replaced by a real runtime at any time.

Entry points: :class:`mozaiks_shell.runtime.config.RuntimeConfig` (what the parent sends on stdin) and
:func:`mozaiks_shell.runtime.app.create_app` (the ASGI application, for in-process use).
"""
