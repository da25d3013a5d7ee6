"""A page of ours loads everything from our own origin: no CDN, no fonts of others, no telemetry."""

import re

import pytest

# Addresses that occur in library code as text (namespaces, links in error messages) and are never fetched.
LOADING = re.compile(
    r"""(?:<(?:script|link|img|iframe|source)[^>]+(?:src|href)=["']|@import\s+(?:url\()?["']?|url\(["']?|(?<![\w.])(?:fetch|import)\(["'`])"""
    r"""(https?:)?//(?!localhost|127\.0\.0\.1|www\.w3\.org)[^"'`)\s]+""",
)


@pytest.fixture
def built(live):
    client = live.site.folder / ".web" / "build" / "client"
    files = [path for path in client.rglob("*") if path.suffix in {".html", ".css", ".js"}]
    assert len(files) > 5
    return files


def test_the_built_pages_load_nothing_from_elsewhere(built):
    found = {}
    for path in built:
        hits = [hit.group(0) for hit in LOADING.finditer(path.read_text("utf-8"))]
        if hits:
            found[path.name] = hits[:3]
    assert found == {}


def test_scripts_come_as_files_or_are_hashed(built, live):
    """Every inline script of every built page is one the policy knows."""
    from mozaiks_shell.hosting.csp import policy, script_hashes

    folder = live.site.folder / ".web" / "build" / "client"
    assert len(script_hashes(folder)) > 0
    for name in script_hashes(folder):
        assert name in policy(folder)
