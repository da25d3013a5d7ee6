"""The HTTP API of workflows (protocol §1.2): what there is, what it shows, what a person may start."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException

from .access import Here, Json, User, any_token, known_workflow, whose

router = APIRouter()


@router.get("/api/workflows", dependencies=[Depends(any_token)])
@router.get("/api/workflows/config", dependencies=[Depends(any_token)])
async def workflows(services: Here) -> Json:
    """Every workflow with its configuration."""
    return {name: workflow.config() for name, workflow in services.workflows.items()}


@router.get("/api/workflows/{app_id}/available")
async def available(app_id: str, who: User, services: Here, user_id: str | None = None) -> Json:
    """What the user may start and why not: the workflows of the pack in its order, then those it does not name."""
    if who.user_id is None and user_id is None:
        raise HTTPException(400, "user_id is required")
    pack = services.packs.current
    done = await services.chats.completed(app_id, whose(who, user_id))
    named = {row["id"]: row for row in pack.workflows}
    rows = []
    for name in [*named, *(name for name in services.workflows if name not in named)]:
        reason, row, known = pack.blocked(name, done), named.get(name, {}), services.workflows.get(name)
        rows.append(
            {
                "workflow_name": name,
                "available": reason is None and known is not None,
                "reason": reason or ("All prerequisites met" if known else "This workflow is not installed here"),
                "type": row.get("type") or "primary",
                "description": row.get("description") or (known.description if known else ""),
                "required_gates": pack.gates_of(name),
            }
        )
    return {"workflows": rows}


@router.get("/api/workflows/{workflow}/transport", dependencies=[Depends(any_token)])
async def transport(workflow: str, services: Here) -> Json:
    """Where to talk to a workflow."""
    known_workflow(services, workflow)
    endpoints = {
        "websocket": f"/ws/{workflow}/{{app_id}}/{{chat_id}}/{{user_id}}",
        "input": "/chat/{app_id}/{chat_id}/{user_id}/input",
    }
    return {"workflow_name": workflow, "transport": "websocket", "endpoints": endpoints}


@router.get("/api/workflows/{workflow}/tools", dependencies=[Depends(any_token)])
async def tools(workflow: str, services: Here) -> Json:
    """The tools of a workflow."""
    return {"workflow_name": workflow, "tools": known_workflow(services, workflow).tools()}


@router.get("/api/workflows/{workflow}/ui-tools", dependencies=[Depends(any_token)])
async def ui_tools(workflow: str, services: Here) -> Json:
    """The UI tools of a workflow."""
    rows = known_workflow(services, workflow).ui_tool_rows()
    return {"workflow_name": workflow, "ui_tools_count": len(rows), "ui_tools": rows}
