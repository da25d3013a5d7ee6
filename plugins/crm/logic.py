"""The API: ``POST /api/execute/crm`` with an ``action``. ``entitlements.yaml`` is asked before it runs."""

from typing import Any

from . import contacts, csv_files, deals
from .models import Contact, Deal


async def execute(data: dict[str, Any]) -> dict[str, Any]:
    """Contacts, companies and deals. What is wrong is raised as an SDK error."""
    given = {name: data[name] for name in ("name", "email", "phone", "note", "company") if name in data}
    offer = {name: data[name] for name in ("title", "amount", "stage", "closes", "company", "contact_id") if name in data}
    match data.get("action"):
        case "list_contacts":
            found = await contacts.find(str(data.get("search", "")))
            return {"contacts": [_contact(one, company) for one, company in found], "total": await contacts.kept()}
        case "create_contact":
            return {"contact": _contact(await contacts.save(**given), str(given.get("company", "")))}
        case "update_contact":
            await contacts.save(data.get("id") or "?", **given)
            return {"updated": data.get("id")}
        case "delete_contact":
            await contacts.delete(data.get("id"))
            return {"deleted": data.get("id")}
        case "export_contacts":
            return {"csv": await csv_files.write()}
        case "list_companies":
            return {
                "companies": [
                    {"id": one.id, "name": one.name, "website": one.website, "contacts": count}
                    for one, count in await contacts.companies()
                ]
            }
        case "list_deals":
            return {"deals": [_deal(one, company) for one, company in await deals.find(str(data.get("stage", "")))]}
        case "create_deal":
            return {"deal": _deal(await deals.save(**offer), str(offer.get("company", "")))}
        case "update_deal":
            await deals.save(data.get("id") or "?", **offer)
            return {"updated": data.get("id")}
        case "move_deal":
            return {"deal": _deal(await deals.move(data.get("id"), data.get("stage")))}
        case "delete_deal":
            await deals.delete(data.get("id"))
            return {"deleted": data.get("id")}
        case other:
            return {"error": f"Unknown action {other!r}.", "error_code": "VALIDATION_ERROR"}


def _contact(one: Contact, company: str = "") -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "email": one.email, "phone": one.phone, "note": one.note, "company": company}


def _deal(one: Deal, company: str = "") -> dict[str, Any]:
    closes = one.closes.isoformat() if one.closes else None
    return {
        "id": one.id,
        "title": one.title,
        "amount": one.amount / 100,
        "stage": one.stage,
        "closes": closes,
        "company": company,
    }
