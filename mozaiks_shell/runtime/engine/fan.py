"""Child workflows of one run: fan-out when an agent plans them, fan-in when they have ended (protocol §2.5)."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from .. import frames
from ..children import Child, Nursery
from ..folders.models import Agent
from ..frames import Frame
from ..journeys import Plan, Trigger, plan_of, triggers_of
from ..merging import PREVIEW, SUMMARY, merge

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger(__name__)
LONGEST_DATA = 200_000  # characters of JSON that a child hands to its parent
_TOLD_TO_CHILDREN = (
    "parent_chat_id", "parent_workflow_name", "spawn_mode", "spawn_trigger_agent", "spawn_trigger_id", "task_id",
)  # fmt: skip


def inherited(family: Frame) -> Frame:
    """What a child's context holds because of its parent."""
    return {name: family[name] for name in _TOLD_TO_CHILDREN if name in family} | dict(family.get("context") or {})


class Fan:
    """The children of one session. One set of them at a time: the run waits until they have ended."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._cycle = 0
        self._done: set[str] = set()
        self._last_output: Frame = {}

    def inheritance(self) -> Frame:
        """What the parent of this run gets as its data: the variables of the workflow, over them its last structured answer."""
        context = self._session.context
        known = {one.name: context.get(one.name) for one in self._session.definition.variables}
        data = {name: value for name, value in known.items() if value is not None} | self._last_output
        text = json.dumps(data, ensure_ascii=False, default=str)
        return json.loads(text) if len(text) <= LONGEST_DATA else {"_omitted": f"more than {LONGEST_DATA} characters"}

    async def use(self, agent: Agent, output: BaseModel) -> None:
        """Start what a structured answer plans, if a trigger of the folder's graph names its agent, and wait for it."""
        session, told = self._session, output.model_dump(mode="json")
        self._last_output = told
        trigger = next((one for one in triggers_of(session.definition.graph) if one.agent == agent.name), None)
        plan = plan_of(told)
        if trigger is None or plan is None or session.run.nursery is None:
            return
        if not set(trigger.requires) <= self._done:
            log.info("%s of %s waits for others to be done before", trigger.id, session.definition.name)
            return
        missing = [name for name in trigger.needs if session.context.get(name) is None]
        if missing:
            why = f"Workflow start failed: the context of {session.definition.name} lacks {', '.join(missing)}"
            session.run.error("START_WORKFLOW_BATCH_FAILED", why)
            return
        await self._through(session.run.nursery, trigger, plan)

    async def _through(self, nursery: Nursery, trigger: Trigger, plan: Plan) -> None:
        session, chat = self._session, self._session.chat
        self._cycle += 1
        cycle = self._cycle

        async def start() -> Frame:
            return asdict(await nursery.start(chat, trigger, plan, cycle))

        begun = await chat.once(start)
        children = [Child(**one) for one in begun["children"]]
        for name, reason in begun["blocked"]:
            chat.emit(frames.prereq_blocked(name, reason, chat.chat_id))
        for name in begun["unknown"]:
            session.run.error("START_WORKFLOW_FAILED", f"Workflow start failed: workflow {name!r} does not exist")
        if not children:
            return
        resume = next((one for one in (plan.resume_agent, trigger.resume_agent) if one in session.definition.agents), None)
        rows = [child.row(chat.app_id, chat.user_id) for child in children]
        place = {"parent_chat_id": chat.chat_id, "trigger_id": trigger.id, "mfj_cycle": cycle}
        head = place | {"parent_workflow_name": session.definition.name, "resume_agent": resume, "count": len(rows)}
        how = {"timeout_seconds": trigger.timeout, "on_partial_failure": trigger.on_partial_failure}
        chat.emit(frames.children_started(head | how | {"workflows": rows, "mfj_description": trigger.description}))

        async def wait() -> Frame:
            late = await self._wait(nursery, trigger, children, place)
            return await self._fan_in(nursery, trigger, children, late)

        came = await chat.once(wait)
        self._done.add(trigger.id)
        session.context.update(came["context"])
        session.note_children(came["summary"])
        told = {"trigger_id": trigger.id, "mfj_cycle": cycle, "resume_agent": resume, "workflow_name": session.definition.name}
        counts = {"succeeded_count": came["succeeded"], "failed_count": came["failed"]}
        preview = {"chat_id": chat.chat_id, "merge_summary_preview": came["summary"][:PREVIEW]}
        chat.emit(frames.workflow_resumed(told | counts | preview))
        session.chosen = resume

    async def _wait(self, nursery: Nursery, trigger: Trigger, children: list[Child], place: Frame) -> bool:
        """Until all have ended, telling of each; whether some did not within the trigger's time and were ended."""
        chat, open_ones = self._session.chat, list(children)

        async def follow() -> None:
            async with aclosing(nursery.ended(chat, tuple(open_ones))) as ending:
                async for child in ending:
                    open_ones.remove(child)
                    if open_ones:
                        (result,) = await nursery.results(chat, [child])
                        done = {"child_index": children.index(child) + 1, "done_count": len(children) - len(open_ones)}
                        whole = {"child_chat_id": child.chat_id, "child_total": len(children), "success": result.success}
                        chat.emit(frames.child_completed(place | done | whole))

        try:
            async with asyncio.timeout(trigger.timeout) as patience:
                await follow()
        except TimeoutError:
            if not patience.expired():
                raise
            if trigger.on_partial_failure != "prompt_user":
                await nursery.stop(chat, open_ones)
                return True
            late: Frame = {"parent_chat_id": chat.chat_id, "parent_workflow_name": chat.workflow}
            late |= {"timeout_seconds": trigger.timeout, "children_pending": [one.chat_id for one in open_ones]}
            chat.emit(frames.children_late(late))
            await follow()
        total = {"child_total": len(children), "mfj_description": trigger.description}
        chat.emit(frames.fan_in_started(place | total))
        return False

    async def _fan_in(self, nursery: Nursery, trigger: Trigger, children: list[Child], late: bool) -> dict[str, Any]:
        results = await nursery.results(self._session.chat, children)
        merged = merge(trigger.merge_mode, results)
        summary = merged.summary + (" [PARTIAL — timed out]" if late else "")
        failed = sum(not one.success for one in results)
        for one in results:
            lacking = [key for key in trigger.expects if one.success and key not in one.data]
            if lacking:
                log.warning("child %s of %s gives no %s", one.workflow, self._session.definition.name, ", ".join(lacking))
        context = {
            trigger.inject_as: merged.data,
            "merge_summary": summary[:SUMMARY],
            "merge_all_succeeded": failed == 0,
            "merge_succeeded_count": len(results) - failed,
            "merge_failed_count": failed,
            "merge_timed_out": late,
        }
        return {"summary": summary, "context": context, "succeeded": len(results) - failed, "failed": failed}
