"""Contacts of made-up records."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.contacts.domain.survivorship import Known, Statement, fold, newcomer
from shared.contracts.channels import Address, NameParts
from tests.contacts.matching.people import Record

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def person(customer: str, record: Record) -> Known:
    """A contact who is known by nothing but one record of `people`."""
    parts = NameParts(given=record["given"] or None, family=record["family"] or None)
    lines = [f"{record['street']} {record['number']}".strip()] if record["street"] else []
    address = {"lines": lines, "postal_code": record["postcode"] or None, "city": record["city"] or None}
    told: dict[str, Any] = {
        "name_parts": parts,
        "phone": record.get("phone") or None,
        "email": record.get("email") or None,
    }
    born = {"birthdate": record["birth"]} if record["birth"] else {}
    told["address"] = Address.model_validate(address) if any(address.values()) else None
    return fold(newcomer(customer, NOW), Statement("s", NOW, fields=told, attributes=born))
