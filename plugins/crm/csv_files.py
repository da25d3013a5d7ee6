"""Contacts in and out as CSV."""

import csv
import io
from dataclasses import dataclass

from mozaiks_shell import sdk
from mozaiks_shell.sdk import col, db, entitlements, select
from mozaiks_shell.sdk.errors import Invalid

from . import checks, contacts
from .models import Company, Contact

MOST_ROWS = 1000
_COLUMNS = {
    "name": {"name", "full name", "contact", "display name"},
    "email": {"email", "e-mail", "mail", "e-mail address", "email address"},
    "phone": {"phone", "telephone", "phone number", "mobile", "tel"},
    "company": {"company", "organisation", "organization", "account"},
    "note": {"note", "notes", "comment"},
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: contacts added, changed (the same e-mail address), and the first problems with their lines."""

    added: int
    changed: int
    problems: tuple[str, ...]


async def read(content: bytes) -> Imported:
    """Take contacts from a CSV file with a heading line. A contact of the same e-mail address is changed, not doubled.

    All of it is stored, or nothing when the plan has no room; a line with a mistake is left out and named.

    Raises:
        Invalid: no CSV, no column ``name``, or too many lines.
        ShellError: ``LIMIT_EXCEEDED``, more new contacts than the plan has room for.
    """
    rows = _rows(content)
    async with db.session() as session:
        query = select(Contact.email, Contact.id).where(col(Contact.email) != "")
        known = {email.lower(): contact_id for email, contact_id in await session.execute(query)}
    good, problems = [], []
    for line, row in enumerate(rows, 2):
        try:
            checks.name(row.get("name"))
            checks.email(row.get("email", ""))
            good.append(row)
        except Invalid as problem:
            problems.append(sdk.tr("Line {line}: {problem}", line=line, problem=problem.message))
    fresh = {row.get("email", "").lower() or str(at) for at, row in enumerate(good)} - known.keys()
    if fresh:
        room = await entitlements.check_limit("contacts", len(fresh))
        if not room:
            raise sdk.errors.TooMany(
                sdk.tr("The file has {count} new contacts; there is room for {left}.", count=len(fresh), left=room.remaining)
            )
    added = 0
    for row in good:
        email = row.get("email", "").lower()
        kept = await contacts.save(known.get(email, ""), **row)
        added += email not in known
        if email:
            known[email] = kept.id
    return Imported(added, len(good) - added, tuple(problems[:5]))


async def write() -> str:
    """All contacts as CSV.

    Raises:
        PlanNeeded: the plan has no export.
    """
    async with entitlements.action("export_contacts"), db.session() as session:
        query = select(Contact, Company.name).outerjoin(Company, col(Company.id) == col(Contact.company_id))
        found = [(contact, company) for contact, company in await session.execute(query.order_by(col(Contact.name)))]
    file = io.StringIO()
    lines = csv.writer(file)
    lines.writerow(_COLUMNS)
    for contact, company in found:
        cells = (contact.name, contact.email, contact.phone, company or "", contact.note)
        lines.writerow([_harmless(cell) for cell in cells])
    return file.getvalue()


def _rows(content: bytes) -> list[dict[str, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")  # what Excel writes on Windows
    try:
        kind: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:4000], ",;\t")
    except csv.Error:
        kind = csv.excel
    try:
        lines = [line for line in csv.reader(io.StringIO(text), kind) if any(cell.strip() for cell in line)]
    except csv.Error:
        lines = []
    heads = [head.strip().lower() for head in lines[0]] if lines else []
    at = {name: heads.index(head) for name, heads_of in _COLUMNS.items() for head in heads if head in heads_of}
    if "name" not in at:
        raise Invalid(sdk.tr("This is no CSV file with a column “name” in its first line."))
    if len(lines) > MOST_ROWS + 1:
        raise Invalid(sdk.tr("At most {most} lines at once; this file has {count}.", most=MOST_ROWS, count=len(lines) - 1))
    return [{name: line[place].strip() for name, place in at.items() if place < len(line)} for line in lines[1:]]


def _harmless(cell: str) -> str:
    """A spreadsheet must not take a text for a formula; a phone number with a + is none."""
    digits = cell[1:].replace(" ", "").replace("-", "").isdigit()
    return f"'{cell}" if cell[:1] in {"=", "@", "\t", "\r"} or (cell[:1] in {"+", "-"} and not digits) else cell
