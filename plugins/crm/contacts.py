"""Companies and contacts. Pages, API and palette call these; each sees only the current person's."""

from typing import Any

from sqlalchemy import func

from mozaiks_shell import sdk
from mozaiks_shell.sdk import col, db, entitlements, select
from mozaiks_shell.sdk.errors import NotFound

from . import checks
from .models import Company, Contact

SHOWN = 200


async def kept(_: dict[str, Any] | None = None) -> int:
    """How many contacts there are: what the limit of ``entitlements.yaml`` counts."""
    async with db.session() as session:
        return int((await session.execute(select(func.count(col(Contact.id))))).scalar_one())


async def find(search: str = "", *, company_id: str = "", limit: int = SHOWN) -> list[tuple[Contact, str]]:
    """Contacts with the name of their company, by name; those that have all the words."""
    query: Any = select(Contact, Company.name).outerjoin(Company, col(Company.id) == col(Contact.company_id))
    for word in checks.text(search, 200).split():
        parts = (Contact.name, Contact.email, Contact.phone, Company.name)
        query = query.where(
            col(parts[0]).icontains(word, autoescape=True)
            | col(parts[1]).icontains(word, autoescape=True)
            | col(parts[2]).icontains(word, autoescape=True)
            | col(parts[3]).icontains(word, autoescape=True)
        )
    if company_id:
        query = query.where(col(Contact.company_id) == company_id)
    query = query.order_by(func.lower(col(Contact.name)), col(Contact.id)).limit(limit)
    async with db.session() as session:
        return [(contact, company or "") for contact, company in await session.execute(query)]


async def save(contact_id: object = "", **given: object) -> Contact:
    """Add a contact, or change what is given of one.

    Args:
        contact_id: Empty for a new one.
        **given: ``name``, ``email``, ``phone``, ``note``, and ``company``, a company's name, which is added where it is new.

    Raises:
        Invalid: something is not as it must be. NotFound: there is no such contact.
        ShellError: ``LIMIT_EXCEEDED``, the plan has no room for another one.
    """
    if not contact_id:
        async with entitlements.action("create_contact"), db.session() as session:
            contact = Contact(name=checks.name(given.get("name")))
            await _write(session, contact, given)
            session.add(contact)
            await sdk.events.publish("contact_created", within=session, contact_id=contact.id)
        return contact
    async with db.session() as session:
        contact = await _found(session, Contact, contact_id, sdk.tr("There is no such contact."))
        await _write(session, contact, given)
    return contact


async def get(contact_id: object) -> Contact:
    """One contact.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    async with db.session() as session:
        return await _found(session, Contact, contact_id, sdk.tr("There is no such contact."))


async def delete(contact_id: object) -> None:
    """Delete a contact; their deals stay.

    Raises:
        NotFound: as :func:`get`.
    """
    async with db.session() as session:
        await session.delete(await _found(session, Contact, contact_id, sdk.tr("There is no such contact.")))


async def companies(search: str = "") -> list[tuple[Company, int]]:
    """Companies by name, each with the number of its contacts."""
    people = func.count(col(Contact.id))
    query: Any = select(Company, people).outerjoin(Contact, col(Contact.company_id) == col(Company.id)).group_by(Company)  # type: ignore[arg-type]
    if search:
        query = query.where(col(Company.name).icontains(checks.text(search, 200), autoescape=True))
    async with db.session() as session:
        return [(one, count) for one, count in await session.execute(query.order_by(func.lower(col(Company.name))).limit(SHOWN))]


async def company(company_id: object) -> Company:
    """One company.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    async with db.session() as session:
        return await _found(session, Company, company_id, sdk.tr("There is no such company."))


async def save_company(company_id: object = "", *, name: object, website: object = "") -> Company:
    """Add a company, or change one. One of the same name is that one.

    Raises:
        Invalid, NotFound: as :func:`save`.
    """
    async with db.session() as session:
        if company_id:
            one = await _found(session, Company, company_id, sdk.tr("There is no such company."))
            one.name = checks.name(name)
        else:
            one = await company_named(session, checks.name(name))
        one.website = checks.website(website)
        return one


async def delete_company(company_id: object) -> None:
    """Delete a company; its contacts and deals stay, without a company.

    Raises:
        NotFound: as :func:`company`.
    """
    async with db.session() as session:
        await session.delete(await _found(session, Company, company_id, sdk.tr("There is no such company.")))


async def company_named(session: Any, name: str) -> Company:
    """The person's company of this name, case aside; added where it is new."""
    query = select(Company).where(func.lower(col(Company.name)) == name.lower())
    found = (await session.execute(query)).scalars().first()
    if found is None:
        found = Company(name=name)
        session.add(found)
        await session.flush()
    return found


async def _write(session: Any, contact: Contact, given: dict[str, object]) -> None:
    rules = {"name": checks.name, "email": checks.email, "phone": lambda text: checks.text(text, 60)}
    for field, rule in rules.items():
        if field in given:
            setattr(contact, field, rule(given[field]))
    if "note" in given:
        contact.note = checks.text(given["note"], 2000)
    if "company" in given:
        named = checks.text(given["company"], 120)
        contact.company_id = (await company_named(session, named)).id if named else None


async def _found(session: Any, table: Any, row_id: object, missing: str) -> Any:
    row = await session.get(table, str(row_id))
    if row is None:
        raise NotFound(missing)
    return row
