"""End to end against the runtime that ships with the shell: every workflow, through the real child process."""


async def test_assistant_greets_answers_and_ends(ada, shell):
    async with shell() as running, running.browser(ada) as tab:
        await tab.open(workflow="Assistant")
        await tab.until(tab.asked)
        greeting = tab.messages()
        assert greeting and all(role == "agent" for role, _, _ in greeting)
        await tab.send(t="say", text="What can you do?", id="m1")
        await tab.until(lambda: len(tab.messages()) >= len(greeting) + 2)
        assert tab.messages()[len(greeting)] == ("user", "user", "What can you do?")
        assert any(isinstance(frame, list) for frame in tab.frames), "the answer did not stream"
        await tab.until(tab.asked)
        await tab.send(t="say", text="exit", id="m2")
        await tab.until(lambda: tab.saw_status("completed"))
        await tab.send(t="say", text="are you there?", id="m3")
        await tab.until(lambda: tab.refusals() == ["RUN_ENDED"])
