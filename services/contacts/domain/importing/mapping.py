"""A saved mapping: which column, property or path of a file is which field of a contact, and how it is written."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.contracts.channels import Address, NameParts
from shared.contracts.fact import Code

Form = Literal["csv", "xlsx", "jsonl", "xml", "vcard"]

PLAIN = frozenset({"party", "stage", "name", "email", "phone", "language", "time_zone", "owner", "territory"})
NAME_PARTS = frozenset(NameParts.model_fields)
ADDRESS = (frozenset(Address.model_fields) - {"lines"}) | {"line"}
POINTS = frozenset({"phones", "emails"})
WHOLE = frozenset(
    {"identifiers", "consents", "attributes", "interests", "preferences", "phones", "emails", "addresses"}
)
"""What can also be one cell of JSON, as the contract `crm.contact.reported.v1` and exports write it."""
ABOUT_ROW = frozenset({"customer_id", "reported_at", "chosen"})
"""`chosen`: fields of this row that nobody has said, because Rapport took them from the lists; they are not said again."""
CODED = re.compile(r"(attributes|interests|preferences|identifiers)\.[a-z0-9][a-z0-9._-]{0,63}")
CONSENT = re.compile(
    r"consents\.([a-z0-9][a-z0-9_-]{0,63})\.([a-z0-9][a-z0-9_-]{0,63})(\.given_at|\.evidence|\.basis|\.wording|\.valid_until)?"
)
MAX_COLUMNS = 300


class Column(BaseModel):
    """One field. `from`: a column's name, a property, a path; absent, where `constant` says it for every row."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    source: Annotated[str | None, Field(alias="from", min_length=1, max_length=500)] = None
    constant: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    to: Annotated[
        str,
        Field(
            max_length=200,
            description="`name`, `email`, `phone`, `name_parts.family`, `address.city`, `address.line`, `phones`, `emails`, "
            "`addresses.city`, `identifiers.<scheme>`, `attributes.<code>`, `interests.<code>`, `preferences.<code>`, "
            "`consents.<purpose>.<channel>` (and `.given_at`, `.evidence`, `.basis`, `.wording`, `.valid_until`), `customer_id`, `reported_at`; "
            "with the type `json` also whole lists, such as `phones`.",
        ),
    ]
    type: Annotated[
        Literal["text", "exact", "number", "boolean", "date", "json"],
        Field(description="`exact`: text with the blanks around it."),
    ] = "text"
    format: (
        Annotated[str, Field(max_length=50, description="Of dates, as for `strptime`; absent: ISO 8601.")] | None
    ) = None
    decimal: Annotated[Literal[".", ","], Field(description="Of numbers; the other one groups thousands.")] = "."
    values: Annotated[
        dict[str, str],
        Field(max_length=300, description="What is written, and what it means. Anything else is refused."),
    ] = {}
    separator: (
        Annotated[str, Field(min_length=1, max_length=5, description="Between several values of a cell.")] | None
    ) = None
    purpose: Code = "any"
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="Of telephone numbers without one.")] | None = None

    @field_validator("to")
    @classmethod
    def _is_a_field(cls, to: str) -> str:
        if not _known(to):
            raise ValueError("is no field of a contact")
        return to

    @field_validator("format")
    @classmethod
    def _is_a_format(cls, format_: str | None) -> str | None:
        if format_ is not None:
            try:
                told = datetime(2024, 12, 31, tzinfo=UTC).strftime(format_)
                datetime.strptime(told, format_)  # noqa: DTZ007 - only whether it can be
            except (ValueError, re.error):  # of what is said twice, the pattern that is made of it
                raise ValueError("is no format of dates, such as %d.%m.%Y") from None
        return format_

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.source is None) == (self.constant is None):
            raise ValueError("say `from` or `constant`, one of the two")
        if self.type == "json" and self.to not in WHOLE:
            raise ValueError(f"only {', '.join(sorted(WHOLE))} can be JSON")
        if self.type != "json" and self.to in WHOLE - POINTS:
            raise ValueError(f"`{self.to}` as a whole needs the type `json`; one of them is `{self.to}.<code>`")
        return self


def _known(to: str) -> bool:
    head, _, tail = to.partition(".")
    if not tail:
        return to in PLAIN | WHOLE | ABOUT_ROW
    if head in {"address", "addresses"}:
        return tail in ADDRESS
    if head == "name_parts":
        return tail in NAME_PARTS
    return bool(CODED.fullmatch(to) or CONSENT.fullmatch(to))


class Mapping(BaseModel):
    """How files of one kind are read."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "columns": [
                        {"from": "KdNr", "to": "identifiers.customer-number"},
                        {"from": "Name", "to": "name"},
                        {"from": "Tel. Büro", "to": "phones", "purpose": "work", "country": "DE"},
                        {"from": "Geburtstag", "to": "attributes.birthday", "type": "date", "format": "%d.%m.%Y"},
                        {
                            "from": "Newsletter",
                            "to": "consents.newsletter.email",
                            "values": {"ja": "granted", "nein": "denied"},
                        },
                        {"constant": "customer", "to": "stage"},
                    ]
                }
            ]
        },
    )

    columns: Annotated[list[Column], Field(min_length=1, max_length=MAX_COLUMNS)]
    form: Annotated[Form, Field(description="Absent: by the file's content.")] | None = None
    encoding: Annotated[str, Field(max_length=40)] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    sheet: Annotated[str, Field(max_length=100, description="Of XLSX; absent: the first.")] | None = None
    record: (
        Annotated[
            str,
            Field(
                pattern=r"^(/[^/\s\[\]@]{1,200}){1,20}$", description="XML: the path of the element that is a record."
            ),
        ]
        | None
    ) = None
    row_key: (
        Annotated[
            str,
            Field(
                min_length=1,
                max_length=500,
                description="The column that numbers the rows: identifies customers of this mapping where nothing else does.",
            ),
        ]
        | None
    ) = None

    def identifies(self) -> bool:
        """Whether rows can say who they are about."""
        fields = {column.to for column in self.columns}
        found = {"email", "phone", "customer_id", "identifiers"} & fields
        return bool(self.row_key or found or any(to.startswith("identifiers.") for to in fields))

    def missing(self, columns: list[str]) -> list[str]:
        """What it names and the file has not; nothing, of files without a header."""
        named = [column.source for column in self.columns if column.source] + ([self.row_key] if self.row_key else [])
        return [name for name in dict.fromkeys(named) if columns and name not in columns]

    @model_validator(mode="after")
    def _says_who(self) -> Self:
        if not self.identifies():
            raise ValueError(
                "nothing says who a row is about: map an identifier, e-mail, phone or customer_id, or name a row_key"
            )
        return self


def stored(mapping: Mapping) -> str:
    """As JSON, which reads back as the same."""
    return mapping.model_dump_json(by_alias=True, exclude_defaults=True)
