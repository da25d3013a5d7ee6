"""F-173: the run of a workflow is told when its person turns to the assistant, and when they come back (protocol §2.7)."""

from mozaiks_shell.chat import threads


async def test_f173_enter_and_leave_general_mode_go_upstream_once_and_what_is_said_later_still_answers(upstream, shell, ada):
    heard = []

    async def play(line):
        await line.meta()
        await line.ask("r1", "Which day?")
        heard.append(await line.receive())
        await line.send("chat.mode_changed", mode="general", general_chat_id="generalchat-1", general_chat_sequence=1)
        heard.append(await line.receive())
        await line.send("chat.context_switched", from_chat_id=line.chat_id, to_chat_id=line.chat_id)
        heard.append(await line.receive())
        await line.send("chat.run_complete", status=1)

    upstream.plays = [play]
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="ProjectBrief")
        await tab.until(tab.asked)
        chat, me = tab.chat["chat"], ada.principal
        for mode in ("workflow", "ask", "ask", "workflow", "workflow"):
            await threads.tell_mode(me, chat, mode)
        await tab.send(t="say", text="Monday", id="m1")
        await tab.until(lambda: tab.saw_status("completed"))
        assert tab.messages() == [("user", "user", "Monday")], "nothing of it is shown"
        await threads.tell_mode(me, chat, "ask")  # the run has ended: nothing happens
    assert [one["type"] for one in heard] == ["chat.enter_general_mode", "chat.switch_workflow", "user.input.submit"]
    assert heard[1]["chat_id"] == upstream.lines[0].chat_id
    assert (heard[2]["text"], heard[2]["request_id"]) == ("Monday", "r1")


async def test_f173_nobody_moves_the_run_of_somebody_else(upstream, shell, ada, sign_up):
    async def play(line):
        await line.meta()
        await line.ask("r1")
        await line.idle()

    upstream.plays, eve = [play], await sign_up("eve")
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="ProjectBrief")
        await tab.until(tab.asked)
        chat = tab.chat["chat"]
        await threads.tell_mode(eve.principal, chat, "ask")
        assert await threads.find(eve.principal, chat) is None
        assert await threads.of_mode(eve.principal, "workflow", chat) is None
        assert (await threads.of_mode(ada.principal, "workflow", "")).id == chat
