"""ui.json, branding.json, theme_config.json, settings_config.json, capabilities (F-012 to F-016, F-222 to F-225)."""

import pytest

from mozaiks_shell.appconfig.capabilities import capabilities_now
from mozaiks_shell.appconfig.service import layout, settings_config, theme_config, ui_config


def test_f013_f014_f015_the_upstream_ui_file(configs):
    configs.sample("ui.json")
    assert configs.problems() == []
    ui = ui_config()
    assert (ui.chat.modes.ask.tint, ui.chat.modes.workflow.label, ui.chat.bubbleRadius) == ("#06b6d4", "Workflow", "18px")
    assert (ui.header.logo.wordmark, ui.header.logo.href) == ("name.png", "https://acme.example.com")
    assert [(one.id, one.visible, one.variant) for one in ui.header.actions] == [("discover", True, "gradient")]
    assert [(one.type, one.action, one.requiresRole) for one in ui.profile.menu] == [
        ("item", "navigate", "admin"), ("divider", "navigate", ""), ("item", "signout", ""),
    ]  # fmt: skip
    assert (ui.footer.poweredBy, ui.notifications.emptyText) == ("", "All quiet")
    assert [(one.id, one.title) for one in ui.dashboard.sections] == [
        ("profile", ""),
        ("quick-actions", ""),
        ("usage", "This month"),
    ]


def test_without_a_file_nothing_is_said(configs):
    ui = ui_config()
    assert ui.footer.visible and ui.profile.show and ui.header.actions == [] and ui.dashboard.sections is None


@pytest.mark.parametrize(
    ("content", "path", "level"),
    [
        ({"footer": {"links": [{"label": "x", "href": "javascript:1"}]}}, "$.footer.links[0].href", "error"),
        ({"footer": {"links": [{"label": "", "href": "/x"}]}}, "$.footer.links[0].label", "error"),
        ({"header": {"logo": {"href": "data:text/html,x"}}}, "$.header.logo.href", "error"),
        ({"header": {"logo": {"src": "https://elsewhere.example/x.svg"}}}, "$.header.logo.src", "error"),
        ({"chat": {"modes": {"ask": {"tint": "red;}"}}}}, "$.chat.modes.ask.tint", "error"),
        ({"chat": {"bubbleRadius": "expression(1)"}}, "$.chat.bubbleRadius", "error"),
        ({"profile": {"menu": [{"id": "a", "action": "run"}]}}, "$.profile.menu[0].action", "error"),
        ({"profile": {"menu": [{"id": "a", "type": "divider"}] * 2}}, "$.profile.menu[1].id", "error"),
        ({"profile": {"menu": [{"id": "a", "label": "A"}]}}, "$.profile.menu[0]", "warning"),
        ({"dashboard": {"sections": ["a", "a"]}}, "$.dashboard.sections[1].id", "error"),
        ({"foter": {}}, "$.foter", "warning"),
        ({"header": {"actions": [{"id": "x", "lable": "X"}]}}, "$.header.actions[0].lable", "warning"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_ui_is_located(configs, content, path, level):
    configs.write("ui.json", content)
    assert [(one.file, one.path, one.level) for one in configs.problems()] == [("ui.json", path, level)]
    assert ui_config().footer.visible


def test_dashboard_sections_may_be_a_map(configs):
    configs.write("ui.json", {"dashboard": {"sections": {"usage": False, "profile": {"title": "Me"}}}})
    assert [(one.id, one.visible, one.title) for one in ui_config().dashboard.sections] == [
        ("usage", False, ""),
        ("profile", True, "Me"),
    ]


def test_f016_the_layout_of_branding(configs):
    configs.sample("branding.json")
    assert (layout().sidebar.position, layout().sidebar.defaultCollapsed, layout().header.sticky) == ("right", True, False)
    configs.write("branding.json", {"app": {"name": "Acme"}, "layout": {"sidebar": {"position": "top"}}})
    assert layout().sidebar.position == "right", "the last good one stays"
    assert [one.path for one in configs.problems()] == ["$.layout.sidebar.position"]


def test_the_upstream_theme_file(configs):
    configs.sample("theme_config.json")
    assert [one for one in configs.problems() if one.level == "error"] == []
    assert theme_config().branding.app_name == "Acme" and theme_config().default_theme == "light"
    assert [one.id for one in theme_config().available_themes] == ["light", "plum"]
    assert theme_config().typography.base_font_size == "16px"


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ({"available_themes": [{"id": "x", "colors": {"primary": "url(x)"}}]}, "$.available_themes[0].colors.primary"),
        ({"typography": {"font_family": "Inter; } body {"}}, "$.typography.font_family"),
        ({"layout": {"border_radius": "8px; color: red"}}, "$.layout.border_radius"),
        ({"default_theme": "nowhere"}, "$.default_theme"),
    ],
)
def test_what_is_wrong_in_themes_is_located(configs, content, path):
    configs.write("theme_config.json", content)
    assert [one.path for one in configs.problems("error")] == [path]


def test_f222_the_upstream_settings_file(configs):
    configs.sample("settings_config.json")
    assert configs.problems() == []
    sections = settings_config().sections
    assert [one.id for one in sections] == ["personal", "security", "notifications", "appearance"]
    assert [(one.id, one.type) for one in sections[0].fields][:3] == [
        ("full_name", "text"),
        ("email", "email"),
        ("bio", "textarea"),
    ]
    assert [one.value for one in sections[0].fields[4].options] == ["a", "b"]
    news = settings_config().field("news")
    assert (news.channels, news.default_enabled, news.category) == (["in_app", "email"], True, "account")
    assert sections[2].plugin_notification_fields[0].plugin == "notes"


def test_the_bare_settings_file_keeps_the_packaged_sections(configs):
    configs.sample("settings_config.json", "settings_config.bare.json")
    assert configs.problems() == []
    assert [one.id for one in settings_config().sections] == ["personal", "preferences", "security"]
    configs.write("settings_config.json", {"profile_sections": []})
    assert settings_config().sections == ()


def test_invisible_sections_are_not_there_and_order_counts(configs):
    fields = [{"id": "f", "label": "F"}]
    configs.write("settings_config.json", {"profile_sections": [
        {"id": "b", "order": 2}, {"id": "a", "order": 1}, {"id": "c", "visible": False, "fields": fields},
    ]})  # fmt: skip
    assert [one.id for one in settings_config().sections] == ["a", "b"] and settings_config().field("f") is None


@pytest.mark.parametrize(
    ("field", "path", "level"),
    [
        ({"id": "x", "label": "X", "type": "colour"}, ".type", "error"),
        ({"id": "x", "label": "X", "type": "select"}, "", "error"),
        ({"id": "x", "label": "X", "type": "plugin-settings"}, "", "error"),
        ({"id": "one", "label": "X"}, ".id", "error"),
        ({"label": "X"}, ".id", "error"),
        ({"id": "a b", "label": "X"}, ".id", "error"),
        ({"id": "x"}, "", "warning"),
        ({"id": "x", "label": "X", "require": True}, ".require", "warning"),
    ],
)
def test_what_is_wrong_in_settings_is_located_and_the_rest_stays(configs, field, path, level):
    configs.write("settings_config.json", {"profile_sections": [{"id": "s", "fields": [{"id": "one", "label": "One"}, field]}]})
    assert [(one.path, one.level) for one in configs.problems()] == [(f"$.profile_sections[0].fields[1]{path}", level)]
    assert settings_config().sections[0].fields[0].id == "one"


def test_capabilities_are_read_live_and_specs_join_them(configs):
    configs.sample("ai_capabilities.json")
    configs.write("capability_specs/_template.json", {})
    configs.write(
        "capability_specs/brief.json",
        {"capability": {"id": "brief", "display_name": "Brief", "workflow_id": "Brief", "spec": {}}},
    )
    assert [one.id for one in capabilities_now(fresh=True)] == ["chat", "insights", "brief"] and configs.problems() == []
    file = configs.write(
        "capability_specs/more.json", {"capability": {"id": "chat", "display_name": "Twice", "workflow_id": "x"}}
    )
    assert [one.display_name for one in capabilities_now(fresh=True)] == ["Chat", "Insights", "Brief"]
    assert "capability_specs/more.json $.id: the id 'chat' is used twice" in configs.said()[0]
    configs.write("capability_specs/more.json", {"capability": {"id": "y", "workflow_id": "x"}})
    assert "$.capability.display_name" in [one.path for one in configs.problems()]
    file.unlink()
    assert len(capabilities_now(fresh=True)) == 3 and configs.problems() == []
