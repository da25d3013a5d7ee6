"""The CRM through its API, its pages' States and its files. The fixtures come with the package."""

import pytest

from mozaiks_shell import sdk


async def fill(app, count: int) -> None:
    for number in range(count):
        await app.execute(action="create_contact", name=f"Contact {number}", email=f"c{number}@example.com")


async def test_contacts_companies_and_deals_belong_together(app, user):
    await user("ada")
    made = (await app.execute(action="create_contact", name=" Grace  Hopper ", email="grace@navy.mil", company="Navy"))["contact"]
    assert (made["name"], made["company"]) == ("Grace Hopper", "Navy")
    await app.execute(action="create_contact", name="Alan", company="navy")
    (navy,) = (await app.execute(action="list_companies"))["companies"]
    assert (navy["name"], navy["contacts"]) == ("Navy", 2)
    deal = (await app.execute(action="create_deal", title="Ship", company="Navy", amount="1.234,50", contact_id=made["id"]))[
        "deal"
    ]
    assert (deal["amount"], deal["stage"], deal["company"]) == (1234.5, "lead", "Navy")
    await app.execute(action="delete_contact", id=made["id"])
    contacts = app.module("contacts")
    await contacts.delete_company(navy["id"])
    assert [one["company"] for one in (await app.execute(action="list_contacts"))["contacts"]] == [""]
    assert [one["company"] for one in (await app.execute(action="list_deals"))["deals"]] == [""]


async def test_everybody_has_their_own(app, user):
    await user("ada")
    contact = (await app.execute(action="create_contact", name="Grace", company="Navy"))["contact"]
    deal = (await app.execute(action="create_deal", title="Ship", company="Navy"))["deal"]
    await user("eve")
    assert (await app.execute(action="list_contacts")) == {"contacts": [], "total": 0}
    assert (await app.execute(action="list_deals"))["deals"] == (await app.execute(action="list_companies"))["companies"] == []
    for call in (
        {"action": "update_contact", "id": contact["id"], "name": "Mine"},
        {"action": "delete_contact", "id": contact["id"]},
        {"action": "update_deal", "id": deal["id"], "title": "Mine"},
        {"action": "move_deal", "id": deal["id"], "stage": "won"},
        {"action": "delete_deal", "id": deal["id"]},
        {"action": "create_deal", "title": "Mine", "contact_id": contact["id"]},
    ):
        with pytest.raises(sdk.errors.NotFound):
            await app.execute(**call)


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "create_contact", "name": " "}, {"action": "create_contact", "name": "x" * 121},
        {"action": "create_contact", "name": "x", "email": "no"}, {"action": "create_contact", "name": "a\ud800"},
        {"action": "create_deal", "title": ""}, {"action": "create_deal", "title": "x", "amount": "much"},
        {"action": "create_deal", "title": "x", "amount": -1}, {"action": "create_deal", "title": "x", "amount": 10**15},
        {"action": "create_deal", "title": "x", "closes": "soon"}, {"action": "create_deal", "title": "x", "stage": "dream"},
    ],
)  # fmt: skip
async def test_bad_input(app, user, wrong):
    await user("ada")
    with pytest.raises(sdk.errors.Invalid):
        await app.execute(**wrong)


@pytest.mark.parametrize(
    ("written", "hundredths"),
    [("", 0), ("1200", 120000), ("99.50", 9950), ("99,5", 9950), ("1,234.50", 123450), ("1.234,50", 123450), ("12 000", 1200000),
     ("1.234.567", 123456700), (7, 700), (1.5, 150)],
)  # fmt: skip
async def test_amounts_as_people_write_them(app, written, hundredths):
    assert app.module("checks").amount(written) == hundredths


async def test_f119_the_free_plan_has_room_for_25(app, user, plan):
    ada = await user("ada")
    await fill(app, 25)
    full = await ada.web.post("/api/execute/crm", json={"action": "create_contact", "name": "One more"})
    assert full.status_code == 429 and full.json()["code"] == "LIMIT_EXCEEDED"
    book = app.tab("contacts_state.Book", "/plugins/crm/contacts")
    await book.load()
    assert (book.total, book.allowed, book.full, book.may_export, book.needed) == (25, 25, True, False, "Pro")
    await book.add()
    await book.save({"name": "One more"})
    assert book.editing and book.error
    await plan("pro")
    await book.save({"name": "One more"})
    assert not book.editing and book.total == 26 and book.allowed == -1 and book.may_export


async def test_f119_export_is_part_of_pro(app, user, plan):
    ada = await user("ada")
    await app.execute(action="create_contact", name='=HYPERLINK("x")', phone="+49 30 12345", company="Ä; GmbH")
    assert (await ada.web.get("/api/plugins/crm/contacts.csv")).status_code == 403
    with pytest.raises(sdk.errors.PlanNeeded):
        await app.execute(action="export_contacts")
    await plan("pro")
    file = await ada.web.get("/api/plugins/crm/contacts.csv")
    assert file.status_code == 200 and "attachment" in file.headers["content-disposition"]
    head, line = file.content.decode("utf-8-sig").splitlines()
    assert head == "name,email,phone,company,note"
    assert line.startswith("\"'=HYPERLINK") and "+49 30 12345" in line and "Ä; GmbH" in line


CSV = (
    "Full name;E-Mail;Company;Note\nGrace;grace@navy.mil;Navy;\n;nobody@example.com;;\nAlan;alan@example.com;;old\nBad;nomail;;\n"
)


async def test_import_adds_changes_and_names_mistakes(app, user):
    ada = await user("ada")
    await app.execute(action="create_contact", name="Al", email="ALAN@example.com")
    answer = await ada.web.post("/api/plugins/crm/contacts.csv", files={"file": ("c.csv", CSV.encode("cp1252"))})
    assert answer.status_code == 303
    book = app.tab("contacts_state.Book", *answer.headers["location"].split("?"))
    await book.load()
    assert book.told == "1 contacts added, 1 changed." and len(book.problems) == 2 and book.problems[0].startswith("Line 3:")
    assert [(one["name"], one["company"]) for one in book.people] == [("Alan", ""), ("Grace", "Navy")]


@pytest.mark.parametrize("content", [b"", b"nothing,here\n1,2", b"\x00\xff\x00"])
async def test_a_file_that_is_no_address_book(app, user, content):
    ada = await user("ada")
    answer = await ada.web.post("/api/plugins/crm/contacts.csv", files={"file": ("c.csv", content)})
    assert answer.status_code == 303 and "refused=" in answer.headers["location"]


async def test_an_import_beyond_the_plan_changes_nothing(app, user):
    ada = await user("ada")
    rows = "name,email\n" + "".join(f"Person {number},p{number}@example.com\n" for number in range(26))
    answer = await ada.web.post("/api/plugins/crm/contacts.csv", files={"file": ("c.csv", rows.encode())})
    assert "refused=" in answer.headers["location"] and "26" in answer.headers["location"]
    assert (await app.execute(action="list_contacts"))["total"] == 0


async def test_the_board(app, user, settings, clock, events):
    await user("ada")
    clock.freeze("2026-11-21T10:00")
    board = app.tab("board_state.Board")
    await board.load()
    assert (
        board.ready
        and board.total == 0
        and [one["stage"] for one in board.columns] == ["lead", "talking", "offer", "won", "lost"]
    )
    await board.add("offer")
    await board.save({"title": "", "stage": "offer"})
    assert board.editing and board.error
    await board.save({"title": "Ship", "company": "Navy", "amount": "1000", "closes": "2026-11-20", "stage": "offer"})
    assert not board.editing
    (card,) = board.columns[2]["cards"]
    assert (card["title"], card["company"], card["amount"], card["late"], card["quiet"]) == ("Ship", "Navy", 1000, True, 0)
    clock.advance(days=22)
    await board.load()
    assert board.columns[2]["cards"][0]["quiet"] == 22 and board.expected == 1000
    await settings(quiet_days=30, currency="CHF", show_lost=False)
    await board.load()
    assert board.columns[2]["cards"][0]["quiet"] == 0 and board.currency == "CHF" and len(board.columns) == 4
    await board.move(card["id"], "won")
    assert board.moved == card["id"] and board.columns[3]["count"] == 1 and "Won" in board.notices[-1]
    assert (board.won, board.expected) == (1000, 0) and [bar["amount"] for bar in board.bars] == [0, 0, 0, 0, 0, 1000]
    assert events.named("crm:deal_won")[0].data["amount"] == 100000
    with pytest.raises(sdk.errors.Invalid):
        await board.move(card["id"], "heaven")
    await board.edit(card["id"])
    assert board.form == {"title": "Ship", "company": "Navy", "amount": "1000", "closes": "2026-11-20", "stage": "won"}
    await board.close()
    await board.ask(card["id"])
    await board.keep()
    assert not board.editing and board.asking == "" and board.total == 1
    await board.ask(card["id"])
    await board.delete()
    assert board.total == 0


async def test_the_chart_has_six_months(app, clock):
    clock.freeze("2026-02-15T10:00")
    app.as_user("ada")
    months = await app.module("deals").won_by_month()
    assert [one.first.isoformat()[:7] for one in months] == ["2025-09", "2025-10", "2025-11", "2025-12", "2026-01", "2026-02"]
    bars = app.module("board_state").bars(months)
    assert all(bar["height"] == 0 for bar in bars)


async def test_the_palette_and_the_start_page(app, user):
    await user("ada")
    await app.execute(action="create_contact", name="Grace Hopper", company="Navy")
    deal = (await app.execute(action="create_deal", title="Navy ship", amount=5))["deal"]
    assert [one.title for one in await app.search("navy")] == ["Grace Hopper", "Navy", "Navy ship"]
    section = app.tab("board_state.Pipeline")
    await section.load()
    assert section.total == 1 and section.columns[0]["amount"] == 5
    assert "Open the board" in app.sections()["crm.open_deals"]
    board = app.tab("board_state.Board", query=f"deal={deal['id']}")
    await board.load()
    assert board.editing and board.deal_id == deal["id"]


async def test_the_address_book(app, user):
    await user("ada")
    book = app.tab("contacts_state.Book", "/plugins/crm/contacts", "new=contact")
    await book.load()
    assert book.editing and book.contact_id == ""
    await book.save({"name": "Grace", "email": "no"})
    assert book.editing and "no" in book.error
    await book.save({"name": "Grace", "email": "grace@navy.mil", "company": "Navy"})
    assert not book.editing and book.people[0]["company"] == "Navy" and book.people[0]["company_path"]
    await book.look_for("nobody")
    assert book.people == []
    await book.look_for("nav gra")
    await book.edit(book.people[0]["id"])
    assert book.form["company"] == "Navy" and book.companies == ["Navy"]
    await book.close()
    await book.bring()
    assert book.importing and not book.editing
    await book.ask(book.people[0]["id"])
    await book.keep()
    await book.ask(book.people[0]["id"])
    await book.delete()
    assert book.total == 0 and book.notices[-1] == "Contact deleted."


async def test_a_company(app, user):
    await user("ada")
    firms = app.tab("contacts_state.Firms")
    await firms.add({"name": "", "website": ""})
    assert firms.error
    await firms.add({"name": "Navy", "website": "navy.mil"})
    await firms.look_for("army")
    assert firms.firms == []
    await firms.look_for("NAV")
    (firm,) = firms.firms
    await firms.load()
    await app.execute(action="create_deal", title="Ship", company="navy", amount=10)
    one = app.tab("contacts_state.OneFirm", firm["path"])
    await one.load()
    assert (one.name, one.website, one.worth, len(one.deals)) == ("Navy", "https://navy.mil", 10, 1)
    await one.save({"name": "US Navy", "website": "javascript:alert(1)"})
    assert one.error
    await one.save({"name": "US Navy", "website": ""})
    await one.ask()
    await one.keep()
    await one.ask()
    await one.delete()
    assert one.went_to == "/plugins/crm/companies"
    one.visit("/plugins/crm/companies/company_nowhere")
    await one.load()
    assert one.missing


async def test_every_page_can_be_drawn(app):
    assert sorted(page.route for page in app.pages()) == [
        "/plugins/crm", "/plugins/crm/companies", "/plugins/crm/companies/[company_id]", "/plugins/crm/contacts",
    ]  # fmt: skip
    assert "No deals yet" in app.render()
    assert "Import contacts" in app.render("/plugins/crm/contacts")
    assert "Whom you do business with." in app.render("/plugins/crm/companies")
    assert "This company is not here" in app.render("/plugins/crm/companies/1")
