"""F-289: the committed OpenAPI document is the one the code describes."""

import json

from mozaiks_shell.cli.openapi import FILE, document


def test_f289_the_committed_document_equals_the_generated_one():
    made = document()
    assert FILE.read_text("utf-8") == made, "run `python -m mozaiks_shell.cli openapi`"
    told = json.loads(made)
    assert told["openapi"].startswith("3.") and told["info"]["title"] == "Mozaiks Shell"
    assert {"/health", "/api/plugins", "/api/execute/{name}"} <= set(told["paths"])
    assert not [path for path in told["paths"] if path.startswith("/api/plugins/tasks")]
