"""Notes through their API, their pages' States and their files. The fixtures come with the package."""

import io
import zipfile

import pytest

from mozaiks_shell import sdk


async def test_life_of_a_note(app, user, events):
    await user("ada")
    made = (await app.execute(action="create", title="  Crème   brûlée ", text="Burn\r\nit", tags="Recipe, #sweet recipe"))[
        "note"
    ]
    assert (made["title"], made["text"], made["tags"], made["revision"]) == ("Crème brûlée", "Burn\nit", ["recipe", "sweet"], 1)
    changed = (await app.execute(action="update", id=made["id"], text="Slowly", pinned=True))["note"]
    assert (changed["text"], changed["title"], changed["pinned"], changed["revision"]) == ("Slowly", "Crème brûlée", True, 2)
    stored = (await app.execute(action="update", id=made["id"], archived=True))["note"]
    assert (stored["archived"], stored["pinned"], stored["revision"]) == (True, False, 2)
    assert (await app.execute(action="list"))["notes"] == []
    assert (await app.execute(action="list", archived=True))["total"] == 1
    assert await app.execute(action="delete", id=made["id"]) == {"deleted": made["id"]}
    with pytest.raises(sdk.errors.NotFound):
        await app.execute(action="get", id=made["id"])
    assert [event.data for event in events.named("notes:created")] == [{"note_id": made["id"]}]
    assert (await app.execute(action="explode"))["error_code"] == "VALIDATION_ERROR"


async def test_everybody_has_their_own(app, user):
    await user("ada")
    hers = (await app.execute(action="create", title="Hers"))["note"]["id"]
    eve = await user("eve")
    assert (await app.execute(action="list"))["notes"] == [] and await app.search("hers") == []
    for action in ("get", "update", "delete"):
        with pytest.raises(sdk.errors.NotFound):
            await app.execute(action=action, id=hers, title="Mine")
    assert (await eve.web.get(f"/api/plugins/notes/note/{hers}")).status_code == 404
    desk = app.tab("pages.note.Desk", f"/plugins/notes/{hers}")
    await desk.open()
    assert desk.missing and desk.text == ""
    await desk.save({"name": hers, "values": {"title": "Mine"}, "turn": 1, "version": "1"})
    await user("ada")
    assert (await app.execute(action="get", id=hers))["note"]["title"] == "Hers"


@pytest.mark.parametrize(
    "wrong",
    [{"title": "x" * 201}, {"text": "x" * 100_001}, {"title": None}, {"text": 7}, {"text": "a\x00b"}, {"tags": "\ud800"},
     {"tags": [1]}],
)  # fmt: skip
async def test_bad_input(app, user, wrong):
    await user("ada")
    with pytest.raises(sdk.errors.Invalid):
        await app.execute(action="create", **{"title": "x", **wrong})


async def test_search_finds_words_anywhere_and_forgives_case_and_accents(app, user):
    await user("ada")
    for title, text, tags in (("Plan", "Ärger im Büro", "work"), ("Büro", "nothing", ""), ("100%", "a_b", "home")):
        await app.execute(action="create", title=title, text=text, tags=tags)

    async def titles(**how) -> list[str]:
        return [note["title"] for note in (await app.execute(action="list", **how))["notes"]]

    assert await titles(search="buro") == ["Büro", "Plan"]
    assert await titles(search="ARGER buro") == ["Plan"]
    assert await titles(search="work") == ["Plan"] and await titles(tag="home") == ["100%"]
    assert await titles(search="%") == ["100%"] and await titles(search="a_b") == ["100%"] and await titles(search="axb") == []
    (found,) = await app.search("ärger")
    assert (found.title, found.text) == ("Plan", "Ärger im Büro")


def test_excerpts_and_tags(app):
    words = app.module("words")
    assert words.plain("# Head\n- [x] **done**, `code`\n\n| a | b |\n|---|---|\n[link](https://x)") == "Head done, code a b link"
    assert words.excerpt("x " * 200 + "needle " + "y " * 200, ["needle"], 60).strip("… ").startswith("x x")
    assert "needle" in words.excerpt("x " * 200 + "needle " + "y " * 200, ["needle"], 60)
    assert words.excerpt("ﬃ Straße needle", ["strasse"]) == "ﬃ Straße needle"
    assert words.first_words("one two three", 8) == ("one two…", "three")
    assert words.tags_in("Home,home  #Two;three") == ["home", "two", "three"]
    assert len(words.tags_in(" ".join(map(str, range(50))))) == words.MOST_TAGS


async def test_the_list(app, user):
    await user("ada")
    notes = app.tab("state.Notes")
    await notes.load()
    assert notes.ready and notes.cards == []
    await notes.create()
    first = notes.went_to
    await notes.create()
    assert notes.went_to == first  # a blank note is taken up again
    for number in range(3):
        await app.execute(action="create", title=f"Note {number}", tags="work" if number else "home")
    await notes.load()
    assert [card["title"] for card in notes.cards] == ["Note 2", "Note 1", "Note 0"] and notes.all == 3
    assert notes.tags == [{"name": "work", "count": 2}, {"name": "home", "count": 1}]
    await notes.more()
    assert len(notes.cards) == notes.total == 3
    await notes.pin(notes.cards[2]["id"], True)
    assert notes.cards[0]["title"] == "Note 0" and notes.cards[0]["pinned"]
    await notes.choose("work")
    assert notes.total == 2
    await notes.choose("work")
    await notes.look_for("note 1")
    assert [card["title"] for card in notes.cards] == ["Note 1"]
    await notes.move(notes.cards[0]["id"], True)
    assert notes.cards == [] and "archive" in notes.notices[-1]
    await notes.look_for("")
    await notes.turn(True)
    assert [card["title"] for card in notes.cards] == ["Note 1"]
    recent = app.tab("state.Recent")
    await recent.load()
    assert [card["title"] for card in recent.cards] == ["Note 0", "Note 2"]


async def test_a_note_saves_itself_and_never_loses_words(app, user):
    await user("ada")
    note = (await app.execute(action="create", title="First", text="one"))["note"]
    desk = app.tab("pages.note.Desk", f"/plugins/notes/{note['id']}")
    await desk.open()
    assert desk.first == {"title": "First", "text": "one", "tags": ""} and desk.version == "1"
    await desk.save(
        {"name": note["id"], "values": {"title": "First", "text": "two words", "tags": "a"}, "turn": 7, "version": "1"}
    )
    assert (desk.saved, desk.version, desk.text, desk.words) == (7, "2", "two words", 2)
    await app.execute(action="update", id=note["id"], text="from elsewhere")
    await desk.save({"name": note["id"], "values": {"title": "First", "text": "mine", "tags": ""}, "turn": 8, "version": "2"})
    assert desk.saved == 8 and desk.went_to != f"/plugins/notes/{note['id']}" and "changed elsewhere" in desk.notices[-1]
    texts = {one["text"] for one in (await app.execute(action="list"))["notes"]}
    assert texts == {"from elsewhere", "mine"}
    await app.execute(action="delete", id=note["id"])
    await desk.save(
        {"name": note["id"], "values": {"title": "Late", "text": "still here", "tags": ""}, "turn": 9, "version": "3"}
    )
    assert "still here" in {one["text"] for one in (await app.execute(action="list"))["notes"]}
    await desk.save({"name": note["id"], "values": {"title": "x" * 300}, "turn": 10, "version": "3"})
    assert desk.error and desk.saved == 9
    for nonsense in ({}, {"values": 1, "turn": 1}, {"values": {}, "turn": "1"}):
        await desk.save(nonsense)


async def test_the_desk(app, user):
    await user("ada")
    note = (await app.execute(action="create", title="First"))["note"]
    desk = app.tab("pages.note.Desk", f"/plugins/notes/{note['id']}")
    await desk.open()
    await desk.pin()
    assert desk.pinned
    await desk.move()
    assert desk.archived and not desk.pinned
    await desk.ask()
    await desk.keep()
    assert not desk.asking
    await desk.delete()
    assert desk.went_to == "/plugins/notes" and desk.notices == ["Note deleted."]


async def test_export(app, user):
    ada = await user("ada")
    for title, text in (("a/b: c", "one"), ("a/b: c", "two"), ("", "three")):
        await app.execute(action="create", title=title, text=text, tags="x y")
    third = (await app.execute(action="list", search="three"))["notes"][0]
    await app.execute(action="update", id=third["id"], archived=True)
    answer = await ada.web.get("/api/plugins/notes/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="notes.zip"'
    files = zipfile.ZipFile(io.BytesIO(answer.content))
    assert sorted(files.namelist()) == ["a b c 2.md", "a b c.md", "archive/Untitled.md"]
    text = files.read("a b c.md").decode()
    assert text.startswith("---\ncreated: ") and "tags: [x, y]" in text and text.endswith("# a/b: c\n\none\n")
    one = await ada.web.get(f"/api/plugins/notes/note/{third['id']}")
    assert one.text.endswith("---\n\nthree\n") and one.headers["content-type"].startswith("text/markdown")


def test_the_pages(app):
    assert [page.route for page in app.pages()] == ["/plugins/notes", "/plugins/notes/[note_id]"]
    assert "No notes yet" in app.render() and "This note is not here" in app.render("/plugins/notes/1")
    assert "Nothing written yet." in app.sections()["notes.recent_notes"]
