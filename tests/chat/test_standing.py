"""The card of a chat that does not go on (F-194): its words, and ways out that exist."""

import pytest

from mozaiks_shell.chat.standing import OVER, standing
from mozaiks_shell.foundation.access import Principal

ADA = Principal("usr_ada", "dev-app", "Ada", "ada@example.com", frozenset({"user"}), "ses_ada")


@pytest.mark.parametrize("code", [*sorted(OVER), "AI_DISABLED", "TOKEN_BUDGET_EXCEEDED", "PREREQUISITES_NOT_MET", "", "WHATEVER"])
async def test_f194_every_card_has_a_title_and_every_step_leads_somewhere(database, code):
    item = await standing(ADA, "cht_1" if code in OVER else "", "Assistant", code, "")
    assert item["kind"] and item["title"] and item["icon"]
    assert all(bool(one["workflow"]) != bool(one["href"]) and one["label"] for one in item["steps"])
    assert sum(one["main"] for one in item["steps"]) <= 1
    assert any(one["file"] for one in item["steps"]) == (code in OVER)
    assert bool(item["note"]) == (code in OVER)


async def test_f194_the_way_to_what_comes_first_is_the_workflow_the_reason_names(database):
    item = await standing(ADA, "", "Assistant", "PREREQUISITES_NOT_MET", "Finish the project brief before this.")
    assert [(one["label"], one["workflow"]) for one in item["steps"] if one["main"]] == [("Start Project brief", "ProjectBrief")]


async def test_f194_only_who_may_is_sent_to_the_administration(database):
    root = Principal("usr_root", "dev-app", "Root", "root@example.com", frozenset({"user", "admin"}), "ses_root")
    assert (await standing(ADA, "", "Assistant", "AI_DISABLED", ""))["steps"] == []
    assert [one["href"] for one in (await standing(root, "", "Assistant", "AI_DISABLED", ""))["steps"]] == ["/admin"]
