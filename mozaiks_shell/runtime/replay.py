"""What a chat tells about itself: meta data, the snapshot for a new socket, and ``client.resume``.

Unlike the published runtime (protocol §2.8, defects a to e) nothing here starts, answers or ends anything: a
question that was pending stays pending under the same id, a finished run is shown and not repeated.
"""

from __future__ import annotations

import hashlib
from typing import Any

from . import frames
from .chat import END_FRAMES, IN_PROGRESS, Chat, Message
from .frames import Frame


def cache_seed(app_id: str, chat_id: str) -> int:
    """First four bytes of SHA-256 of ``app:chat``, big-endian (protocol §4)."""
    return int.from_bytes(hashlib.sha256(f"{app_id}:{chat_id}".encode()).digest()[:4], "big")


def chat_meta(chat: Chat, *, existed: bool = True) -> Frame:
    """The data of the ``chat_meta`` frame (protocol §2.4)."""
    return {
        "kind": "chat_meta",
        "chat_id": chat.chat_id,
        "workflow_name": chat.workflow,
        "app_id": chat.app_id,
        "user_id": chat.user_id,
        "has_children": chat.has_children,
        "cache_seed": cache_seed(chat.app_id, chat.chat_id),
        "chat_exists": existed,
        "last_artifact": chat.last_artifact,
        "status": chat.status,
        "last_sequence": chat.message_count,
        "created_at": chat.created_at,
    }


def http_meta(chat: Chat) -> Frame:
    """The answer of GET /api/chats/meta (protocol §1.2). While a person is asked something it has one field more than the
    published one: ``waiting_for``, ``input`` or ``ui_tool``.
    """
    waiting = "input" if chat.questions else "ui_tool" if chat.tools else ""
    return {
        "exists": True,
        "chat_id": chat.chat_id,
        "workflow_name": chat.workflow,
        "has_children": chat.has_children,
        "cache_seed": cache_seed(chat.app_id, chat.chat_id),
        "status": chat.status,
        "last_sequence": chat.message_count,
        "last_artifact": chat.last_artifact,
        "artifact_instance_id": None,
        "artifact_state": None,
        "app_id": chat.app_id,
        **({"waiting_for": waiting} if waiting and chat.status == IN_PROGRESS else {}),
    }


def session_row(chat: Chat) -> Frame:
    """One row of the session lists (protocol §1.2)."""
    return {
        "chat_id": chat.chat_id,
        "workflow_name": chat.workflow,
        "created_at": chat.created_at,
        "last_updated_at": chat.updated_at,
        "last_artifact": chat.last_artifact,
    }


def snapshot(chat: Chat, *, existed: bool) -> list[Frame]:
    """Everything a new socket needs, in the published order (protocol §2.1, §2.8).

    chat_meta; frames missed while nobody listened; the stored messages and the boundary; then what is open:
    the answer being written (prints with their original sequence), waiting UI tools, the waiting question.
    Taking the snapshot empties the chat's buffer of missed frames.
    """
    out = [frames.queued("chat_meta", chat_meta(chat, existed=existed))]
    ended = chat.has_undelivered_end
    missed = chat.take_missed()
    ending = [frame for frame in missed if ended and frame["type"] in (*END_FRAMES, "unknown")]
    out += [frame for frame in missed if frame not in ending]
    if ended or chat.running or chat.message_count:
        out += [_replayed(message) for message in chat.messages]
        out.append({"type": "chat.resume_boundary", "data": {}, "agent": "Agent"})
    for draft in chat.drafts:
        out += [frames.select_speaker(draft.agent), *draft.chunks]
    out += [tool.frame for tool in chat.tools.values()]
    out += [question.frame for question in chat.questions.values()]
    return out + ending


def resume(chat: Chat, last_index: int) -> list[Frame]:
    """The answer to ``client.resume``: messages after ``last_index`` (original sequences), boundary."""
    replayed = [message for message in chat.messages if message.index > last_index]
    last = replayed[-1].index if replayed else last_index
    history: Frame = {"mode": "client", "start_index": last_index + 1, "last_index": last}
    history["events"] = [{"role": m.role, "name": None, "content": m.content, "metadata": m.metadata} for m in replayed]
    if replayed:
        history["last_speaker_name"] = replayed[-1].agent
    boundary: Frame = {
        "kind": "resume_boundary",
        "chat_id": chat.chat_id,
        "message_count": chat.message_count,
        "chat_status": chat.status,
        "replayed_messages": len(replayed),
        "last_message_index": last,
        "resume_mode": "client",
        "timestamp": frames.now(),
        "ag2_resume": history,
        "resume_context": {"reason": "client_resume", "last_client_index": last_index},
    }
    texts = [frames.queued("chat.text", _resumed(chat, message)) for message in replayed]
    return [*texts, frames.queued("chat.resume_boundary", boundary)]


def _replayed(message: Message) -> Frame:
    data = {
        "index": message.index,
        "content": message.content,
        "role": message.role,
        "agent": message.agent,
        "sender": message.agent,
        "replay": True,
        "timestamp": message.timestamp,
        "metadata": message.metadata,
    }
    return {"type": "chat.text", "data": data, "agent": message.agent}


def _resumed(chat: Chat, message: Message) -> dict[str, Any]:
    return {
        "kind": "text",
        "agent": message.agent,
        "role": message.role,
        "content": message.content,
        "index": message.index,
        "chat_id": chat.chat_id,
        "replay": True,
        "timestamp": message.timestamp,
        **frames.text_flags(),
        "sequence": message.sequence,
    }
