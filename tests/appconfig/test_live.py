"""Files that are edited while the server runs: effective, or refused with the old one kept; per app; missing (F-025, F-026)."""

import json
import os

import pytest
import structlog

from mozaiks_shell.appconfig import live
from mozaiks_shell.appconfig.loader import DEFAULTS
from mozaiks_shell.appconfig.service import (
    catalogue,
    configuration_problems,
    layout,
    navigation,
    on_change,
    settings_config,
    ui_config,
)
from mozaiks_shell.appconfig.ui_config import UI


def footer(*labels):
    return {"footer": {"links": [{"label": label, "href": "/x"} for label in labels]}}


def links():
    return [one.label for one in ui_config().footer.links]


def test_f025_an_edit_counts_without_a_restart(configs):
    configs.write("ui.json", footer("One"))
    assert links() == ["One"]
    configs.write("ui.json", footer("One", "Two"))
    assert links() == ["One", "Two"]


def test_an_edit_is_seen_within_the_interval_by_itself(configs, monkeypatch):
    configs.write("ui.json", footer("One"))
    assert links() == ["One"]
    now = [live.time.monotonic()]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    (configs.path / "ui.json").write_text(json.dumps(footer("Two")))
    now[0] += live.INTERVAL + 0.01
    assert links() == ["Two"]


def test_f025_a_bad_edit_is_refused_the_old_kept_and_the_next_good_one_heals(configs):
    configs.write("ui.json", footer("One"))
    assert configs.problems() == [] and links() == ["One"]
    configs.write("ui.json", '{"footer": {"links": [{"label": "Two", "href": "javascript:alert(1)"}]}}')
    assert links() == ["One"] and UI.refused()
    assert [(one.file, one.path, one.level) for one in configs.problems()] == [("ui.json", "$.footer.links[0].href", "error")]
    configs.write("ui.json", '{"footer": ')
    assert links() == ["One"] and "is not JSON" in configs.said()[0]
    configs.write("ui.json", footer("Three"))
    assert links() == ["Three"] and configs.problems() == [] and not UI.refused()


def test_a_file_added_later_with_an_error_does_not_replace_the_packaged_one(configs):
    assert [one.name for one in catalogue().subscription_plans] == ["free", "pro", "team"]
    configs.write("subscription_config.json", {"subscription_plans": [{"name": "free"}, {"name": "gold", "price": "much"}]})
    assert [one.name for one in catalogue().subscription_plans] == ["free", "pro", "team"]
    configs.write("subscription_config.json", {"subscription_plans": [{"name": "free"}, {"name": "gold", "price": 9}]})
    assert [one.name for one in catalogue().subscription_plans] == ["free", "gold"]


def test_a_file_that_is_removed_gives_way_to_the_packaged_one(configs):
    file = configs.write("subscription_config.json", {"subscription_plans": [{"name": "gold"}]})
    assert catalogue().default.name == "gold"
    file.unlink()
    configs.look()
    assert catalogue().default.name == "free"


def test_two_edits_within_one_tick_of_the_clock_are_both_seen(configs):
    file = configs.write("ui.json", footer("One"))
    seen = file.stat()
    file.write_text(json.dumps(footer("Two")))
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    configs.look()
    assert links() == ["Two"]


def test_an_unchanged_file_is_not_read_again(configs, monkeypatch):
    file = configs.write("ui.json", footer("One"))
    os.utime(file, (1, 1))
    configs.look()
    kept = ui_config()
    monkeypatch.setattr(live.document, "read", pytest.fail)
    configs.look()
    assert ui_config() is kept


def test_at_the_first_read_only_the_offending_entries_are_left_out(configs):
    configs.write(
        "ui.json",
        {
            "footer": {
                "links": [{"label": "A", "href": "/a"}, {"label": "B", "href": 7}, {"label": "C", "href": "/c"}],
                "visible": "perhaps",
            }
        },
    )
    assert links() == ["A", "C"] and ui_config().footer.visible
    assert [one.path for one in configs.problems()] == ["$.footer.links[1].href", "$.footer.visible"]


def test_per_app_files_win_for_their_app_only(configs):
    configs.write("ui.json", footer("Ours"))
    configs.write("apps/acme/ui.json", footer("Acme"))
    assert [one.label for one in ui_config("acme").footer.links] == ["Acme"]
    assert links() == ["Ours"] and [one.label for one in ui_config("other").footer.links] == ["Ours"]
    configs.write("apps/acme/ui.json", "[]")
    assert [one.label for one in ui_config("acme").footer.links] == ["Acme"]
    assert [one.file for one in configs.problems()] == ["apps/acme/ui.json"]


@pytest.mark.parametrize("app_id", ["..", "../..", "a/../../etc", "", "x" * 500, "ü"])
def test_an_app_id_leads_nowhere_else(configs, tmp_path, app_id):
    (tmp_path / "ui.json").write_text(json.dumps(footer("Outside")))
    assert ui_config(app_id).footer.links == []


def test_on_change_is_told_of_other_content_only(configs):
    told = []
    on_change(lambda: told.append(1))
    try:
        configs.write("ui.json", footer("One"))
        ui_config()
        told.clear()
        configs.write("ui.json", json.dumps(footer("One"), indent=3))
        assert ui_config() and len(told) == 1
        configs.look()
        configs.write("ui.json", "{")
        assert len(told) == 1, "a refused edit changes nothing"
    finally:
        live._listeners.pop()


def test_problems_are_logged_once(configs, monkeypatch):
    with structlog.testing.capture_logs() as lines:
        monkeypatch.setattr(live.structlog, "is_configured", lambda: True)
        configs.write("ui.json", {"futer": {}, "profile": {"show": 3.5}})
        configs.look()
        configuration_problems()
    said = [(one["log_level"], one["path"], one["line"]) for one in lines if one.get("event") == "configuration problem"]
    assert said == [("error", "$.profile.show", 1), ("warning", "$.futer", 1)]


def test_f026_an_empty_folder_boots_with_defaults_and_a_warning(configs):
    assert navigation().items == () and navigation().landing_spot == "/"
    assert layout().sidebar.position == "left" and catalogue().default.name == "free"
    assert [one.id for one in settings_config().sections] == ["personal", "preferences", "security"]
    assert [(one.level, one.message) for one in configuration_problems()] == [
        ("warning", "holds no configuration file; packaged defaults are used.")
    ]


def test_f026_a_folder_that_vanishes_is_a_warning(configs):
    configs.write("ui.json", footer("One"))
    (configs.path / "ui.json").unlink()
    configs.path.rmdir()
    configs.look()
    assert "is no folder" in str(configuration_problems()[0]) and links() == [] and catalogue().default.name == "free"


def test_without_a_folder_there_is_nothing_to_say(settings):
    assert configuration_problems() == []


@pytest.mark.parametrize(
    ("name", "level", "said"),
    [
        ("navgation.json", "warning", "Did you mean navigation.json?"),
        ("setings_config.json", "warning", "Did you mean settings_config.json?"),
        ("auth.json", "hint", "MOZAIKS_OIDC_"),
    ],
)
def test_files_nobody_reads_are_named(configs, name, level, said):
    configs.write("ui.json", {})
    configs.write(name, {})
    found = [one for one in configuration_problems() if one.file == name]
    assert [one.level for one in found] == [level] and said in str(found[0])


def test_the_packaged_files_are_without_fault(settings):
    for file in live.files():
        if (DEFAULTS / file.name).is_file():
            assert file.problems() == []
