"""The address book and the companies: what the pages show and what their controls do."""

from collections.abc import AsyncIterator
from typing import Any, TypedDict

from mozaiks_shell import sdk
from mozaiks_shell.sdk import entitlements, tr

from . import contacts, deals
from .board_state import TITLES
from .choices import DealSettings
from .models import Company, Contact


class Person(TypedDict):
    """A line of the address book."""

    id: str
    name: str
    email: str
    phone: str
    company: str
    company_path: str


class Firm(TypedDict):
    """A line of the list of companies."""

    id: str
    name: str
    website: str
    people: int
    path: str


class Line(TypedDict):
    """A deal of a company; ``stage`` is a message id."""

    title: str
    stage: str
    amount: float
    path: str


class Book(sdk.State):
    """Contacts, the form to add or edit one, and what the plan has room for (``allowed`` is -1 without a limit)."""

    people: list[Person] = []
    companies: list[str] = []
    search: str = ""
    total: int = 0
    allowed: int = -1
    full: bool = False
    may_export: bool = False
    needed: str = ""
    told: str = ""
    problems: list[str] = []
    refused: str = ""
    ready: bool = False
    editing: bool = False
    contact_id: str = ""
    form: dict[str, str] = {}
    form_key: int = 0
    error: str = ""
    importing: bool = False
    asking: str = ""
    asking_name: str = ""

    @sdk.event
    async def load(self) -> None:
        """Runs on every visit, also after an import, which tells in the address how it went."""
        asked = self.router.url.query_parameters
        self.editing, self.importing, self.asking = False, False, ""
        self.refused, self.problems = str(asked.get("refused", ""))[:300], str(asked.get("problems", "")).split("\n")[:5]
        self.problems = [line for line in self.problems if line]
        self.told = ""
        if asked.get("added", "").isdecimal() and asked.get("changed", "").isdecimal():
            added, changed = int(asked["added"]), int(asked["changed"])
            self.told = tr("{added} contacts added, {changed} changed.", added=added, changed=changed)
        await self._read()
        if asked.get("new"):
            await self.add()
        elif wanted := asked.get("contact"):
            await self.edit(wanted)

    @sdk.event
    async def look_for(self, text: str) -> None:
        """Show contacts that have these words."""
        self.search = str(text)[:100]
        await self._read()

    @sdk.event
    async def add(self) -> None:
        """Open the empty form."""
        await self._open("", dict.fromkeys(("name", "email", "phone", "company", "note"), ""))

    @sdk.event
    async def edit(self, contact_id: str) -> None:
        """Open the form of a contact."""
        one = await contacts.get(contact_id)
        company = (await contacts.company(one.company_id)).name if one.company_id else ""
        await self._open(one.id, {"name": one.name, "email": one.email, "phone": one.phone, "company": company, "note": one.note})

    @sdk.event
    async def save(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Keep what is in the form; on a mistake, or without room for another contact, it stays open."""
        given = {name: form.get(name, "") for name in ("name", "email", "phone", "company", "note")}
        try:
            await contacts.save(self.contact_id, **given)
        except sdk.errors.ShellError as problem:
            self.error = problem.message
            return
        self.editing = False
        await self._read()
        yield sdk.notify(tr("“{title}” is saved.", title=str(given["name"]).strip()), "success")

    @sdk.event
    def close(self) -> None:
        """Close form and import."""
        self.editing = self.importing = False

    @sdk.event
    def bring(self) -> None:
        """Open the import."""
        self.importing = True

    @sdk.event
    async def ask(self, contact_id: str) -> None:
        """Open the question whether to delete."""
        one = await contacts.get(contact_id)
        self.editing, self.asking, self.asking_name = False, one.id, one.name

    @sdk.event
    def keep(self) -> None:
        """Close the question."""
        self.asking = ""

    @sdk.event
    async def delete(self) -> AsyncIterator[Any]:
        """Delete the contact the question was about."""
        contact_id, self.asking = self.asking, ""
        await contacts.delete(contact_id)
        yield sdk.notify(tr("Contact deleted."), "success")
        await self._read()

    async def _open(self, contact_id: str, form: dict[str, str]) -> None:
        self.companies = [one.name for one, _ in await contacts.companies()]
        self.contact_id, self.form, self.error, self.editing = contact_id, form, "", True
        self.form_key += 1

    async def _read(self) -> None:
        self.people = [person(one, company) for one, company in await contacts.find(self.search)]
        room = await entitlements.check_limit("contacts")
        export = await entitlements.check_feature("export")
        self.total, self.allowed, self.full = await contacts.kept(), room.allowed, not room.granted
        self.may_export, self.needed = export.allowed, export.needed or room.needed
        self.ready = True


class Firms(sdk.State):
    """The companies, and the form to add one."""

    firms: list[Firm] = []
    search: str = ""
    error: str = ""
    added: int = 0
    ready: bool = False

    @sdk.event
    async def load(self) -> None:
        """Runs on every visit."""
        await self._read()

    @sdk.event
    async def look_for(self, text: str) -> None:
        """Show companies with this in their name."""
        self.search = str(text)[:100]
        await self._read()

    @sdk.event
    async def add(self, form: dict[str, Any]) -> None:
        """Add the company in the form."""
        try:
            await contacts.save_company(name=form.get("name", ""), website=form.get("website", ""))
        except sdk.errors.Invalid as problem:
            self.error = problem.message
            return
        self.error = ""
        self.added += 1
        await self._read()

    async def _read(self) -> None:
        self.firms = [firm(one, people) for one, people in await contacts.companies(self.search)]
        self.ready = True


class OneFirm(sdk.State):
    """A company with its contacts and deals."""

    company_id: str = ""
    name: str = ""
    website: str = ""
    people: list[Person] = []
    deals: list[Line] = []
    worth: float = 0
    currency: str = "EUR"
    error: str = ""
    ready: bool = False
    missing: bool = False
    asking: bool = False
    visit: int = 0

    @sdk.event
    async def load(self) -> None:
        """Runs on every visit."""
        wanted = self.router.url.path.rstrip("/").rpartition("/")[2]
        self.asking, self.error = False, ""
        if wanted != self.company_id:
            self.ready = False
        try:
            one = await contacts.company(wanted)
        except sdk.errors.NotFound:
            self.company_id, self.missing, self.ready = "", True, True
            return
        self.company_id, self.name, self.website, self.missing = one.id, one.name, one.website, False
        self.visit += 1
        self.people = [person(each, one.name) for each, _ in await contacts.find(company_id=one.id)]
        found = await deals.find(company_id=one.id)
        self.deals = [
            Line(title=deal.title, stage=TITLES[deal.stage], amount=deal.amount / 100, path=f"/plugins/crm?deal={deal.id}")
            for deal, _ in found
        ]
        self.worth = sum(deal.amount for deal, _ in found if deal.stage != "lost") / 100
        self.currency = (await sdk.settings.read(DealSettings)).currency
        self.ready = True

    @sdk.event
    async def save(self, form: dict[str, Any]) -> AsyncIterator[Any]:
        """Keep the name and the address."""
        try:
            one = await contacts.save_company(self.company_id, name=form.get("name", ""), website=form.get("website", ""))
        except sdk.errors.Invalid as problem:
            self.error = problem.message
            return
        self.error, self.name, self.website = "", one.name, one.website
        yield sdk.notify(tr("“{title}” is saved.", title=one.name), "success")

    @sdk.event
    def ask(self) -> None:
        """Open the question whether to delete."""
        self.asking = True

    @sdk.event
    def keep(self) -> None:
        """Close it."""
        self.asking = False

    @sdk.event
    async def delete(self) -> AsyncIterator[Any]:
        """Delete the company and go to the list."""
        self.asking = False
        await contacts.delete_company(self.company_id)
        yield sdk.notify(tr("Company deleted. Its contacts and deals are kept."), "success")
        yield sdk.rx.redirect("/plugins/crm/companies")


def person(one: Contact, company: str) -> Person:
    """A contact as the pages show it."""
    path = f"/plugins/crm/companies/{one.company_id}" if one.company_id else ""
    return Person(id=one.id, name=one.name, email=one.email, phone=one.phone, company=company, company_path=path)


def firm(one: Company, people: int) -> Firm:
    """A company as the list shows it."""
    return Firm(id=one.id, name=one.name, website=one.website, people=people, path=f"/plugins/crm/companies/{one.id}")
