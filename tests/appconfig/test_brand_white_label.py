"""Several brands of one installation: by app id and by host (F-018)."""

import pytest

from mozaiks_shell.appconfig.brand import app_for_host, app_ids, brand, brand_file, known_app, style_sheet
from mozaiks_shell.appconfig.brand_files import asset_file
from mozaiks_shell.appconfig.hosts import plain_host
from tests.appconfig.brands import PNG, SVG, Folder


@pytest.fixture
def two(folder: Folder) -> Folder:
    """Acme and Globex beside the installation's own brand."""
    folder.brand(name="House")
    folder.write(
        "apps/acme/brand.json", {"name": "Acme", "assets": {"logo": "acme.svg"}, "colors": {"primary": {"main": "#aa0000"}}}
    )
    folder.write("apps/acme/assets/acme.svg", SVG)
    folder.write("apps/globex/branding.json", {"app": {"name": "Globex", "logo": "/assets/g.png"}})
    folder.write("assets/g.png", PNG)
    folder.write(
        "apps.json",
        {
            "apps": {
                "acme": {"hosts": ["acme.example.com", "ACME.test:8080"]},
                "globex": {"hosts": ["bücher.example"]},
                "bare": {"name": "Bare"},
            }
        },
    )
    return folder


def test_f018_each_app_has_its_brand(two: Folder) -> None:
    assert [brand(one).name for one in ("", "acme", "globex", "bare", "nobody")] == ["House", "Acme", "Globex", "Bare", "House"]
    assert "--color-accent:#aa0000" in style_sheet(brand("acme"))
    assert "--color-accent:#aa0000" not in style_sheet(brand())
    assert brand_file("acme") == two.root / "apps" / "acme" / "brand.json"
    assert brand_file("globex").name == "branding.json", "an app's own older file wins over the installation's newer one"
    assert app_ids() == ["acme", "bare", "globex"]


def test_f018_files_of_an_app_are_its_own(two: Folder) -> None:
    assert asset_file("acme.svg", "acme") == two.root / "apps" / "acme" / "assets" / "acme.svg"
    assert asset_file("acme.svg") is None
    assert asset_file("g.png", "globex") == two.root / "assets" / "g.png", "the installation's files are for all"


@pytest.mark.parametrize(
    ("host", "app_id"),
    [
        ("acme.example.com", "acme"), ("ACME.Example.com:443", "acme"), ("acme.example.com.", "acme"), ("acme.test", "acme"),
        ("bücher.example", "globex"), ("xn--bcher-kva.example:3000", "globex"),
        ("example.com", ""), ("evil.acme.example.com", ""), ("acme.example.com.evil.net", ""), ("", ""), ("../acme", ""),
        ("acme", ""), ("acme.example.com/../x", ""), ("\u202e", ""), ("a" * 400, ""),
        ("acme.example.com\r\nx: y", ""), ("[::1]:80", ""),
    ],
)  # fmt: skip
def test_f018_a_host_leads_to_its_app_and_an_unknown_one_to_the_installation(two: Folder, host: str, app_id: str) -> None:
    assert app_for_host(host) == app_id


def test_hosts_are_compared_in_one_form() -> None:
    assert [plain_host(one) for one in ("A.b:1", "[::1]:80", "[::1]", "a..b", "-a", "a b")] == [
        "a.b",
        "[::1]",
        "[::1]",
        "",
        "",
        "",
    ]


def test_an_app_id_is_no_way_out_of_the_folder(two: Folder) -> None:
    two.write("brand-secret/brand.json", {"name": "Secret"})
    for bad in ("..", "../brand-secret", "acme/../../brand-secret", ".", "", "acme\x00", "a" * 99):
        assert known_app(bad) == ""
        assert brand(bad).name == "House"


def test_f018_two_apps_that_claim_one_host_are_named(folder: Folder) -> None:
    folder.write("apps.json", {"apps": {"acme": {"hosts": ["x.example"]}, "globex": {"hosts": ["y.example", "X.example"]}}})
    (found,) = folder.problems("error")
    assert (found.file, found.path) == ("apps.json", "$.apps.globex.hosts[1]")
    assert "acme" in found.message
    assert app_for_host("x.example") == "acme"


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"apps": {"acme": {"hosts": ["https://acme.example"]}}}, "$.apps.acme.hosts[0]"),
        ({"apps": {"acme": {"hosts": ["*.acme.example"]}}}, "$.apps.acme.hosts[0]"),
        ({"apps": {"../up": {"hosts": ["acme.example"]}}}, "$.apps"),
        ({"apps": {"acme": {"hosts": ["acme.example"], "name": "<b>"}}}, "$.apps.acme.name"),
    ],
)
def test_what_is_no_host_is_refused_with_its_place(folder: Folder, content: dict, path: str) -> None:
    folder.write("apps.json", content)
    assert any(one.path.startswith(path) for one in folder.problems("error")), folder.said()


def test_an_edit_of_one_app_leaves_the_other_alone(two: Folder) -> None:
    before = brand("globex")
    two.write("apps/acme/brand.json", {"name": "Acme 2"})
    assert brand("acme").name == "Acme 2"
    assert brand("globex") is before
