"""Fields that tests share, and tables of records."""

from collections.abc import Mapping, Sequence

from services.contacts.domain.matching.kinds import Kind
from services.contacts.domain.matching.table import Field, Table

PERSON = (
    Field("given", Kind.GIVEN),
    Field("family", Kind.FAMILY),
    Field("street", Kind.STREET),
    Field("number", Kind.NUMBER),
    Field("postcode", Kind.POSTCODE),
    Field("city", Kind.CITY),
    Field("phone", Kind.PHONE),
    Field("birth", Kind.BIRTH),
    Field("email", Kind.EMAIL),
)
FIRM = (Field("company", Kind.ORGANISATION), *PERSON[2:7])


def table_of(fields: Sequence[Field], records: Sequence[Mapping[str, str | None]]) -> Table:
    table = Table(fields)
    for record in records:
        table.append(table.values(record))
    return table
