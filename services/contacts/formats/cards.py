"""vCard 4.0, written (RFC 6350)."""

from collections.abc import Iterable

import orjson

from services.contacts.formats.cells import Row, nested


class CardWriter:
    """vCard 4.0 (RFC 6350), and everything else that the contact says in one property of ours."""

    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Iterable[Row]) -> bytes:
        return b"".join(_card(row) for row in rows)

    def end(self) -> bytes:
        return b""


def _card(row: Row) -> bytes:
    whole = nested(row)
    parts, address = whole.get("name_parts", {}), whole.get("address", {})
    name = whole.get("name") or whole.get("email") or whole.get("customer_id", "")
    lines = ["BEGIN:VCARD", "VERSION:4.0", f"FN:{_escaped(name)}"]
    if "customer_id" in whole:
        lines.append(f"UID:urn:uuid:{whole['customer_id']}")
    if parts:
        family = " ".join(parts[one] for one in ("particles", "family") if one in parts)
        lines.append(
            "N:"
            + ";".join(map(_escaped, (family, *(parts.get(one, "") for one in ("given", "middle", "title", "suffix")))))
        )
    lines += [f"TEL;PREF=1:{_escaped(whole['phone'])}"] if "phone" in whole else []
    lines += [f"TEL;TYPE={one['purpose']}:{_escaped(one['typed'])}" for one in whole.get("phones", ())]
    lines += [f"EMAIL;PREF=1:{_escaped(whole['email'])}"] if "email" in whole else []
    lines += [f"EMAIL;TYPE={one['purpose']}:{_escaped(one['typed'])}" for one in whole.get("emails", ())]
    lines += [f"ADR;PREF=1:{_place(address)}"] if address else []
    lines += [f"ADR;TYPE={one['purpose']}:{_place(one['typed'])}" for one in whole.get("addresses", ())]
    lines += [f"LANG:{_escaped(whole['language'])}"] if "language" in whole else []
    lines += [f"X-RAPPORT:{_escaped(orjson.dumps(whole).decode())}", "END:VCARD"]
    return b"".join(_folded(line) for line in lines)


def _place(address: Row) -> str:
    street = "\n".join(address.get("lines", ()))
    parts = ("", "", street, *(address.get(one, "") or "" for one in ("city", "region", "postal_code", "country")))
    return ";".join(map(_escaped, parts))


def _escaped(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;").replace("\r\n", "\n").replace("\r", "\n")
    return plain.replace("\n", "\\n").replace("\0", "")


def _folded(line: str) -> bytes:
    """In lines of at most 75 bytes, never within a character (RFC 6350, 3.2)."""
    raw, pieces = line.encode(), []
    while len(raw) > 75:
        end = 75
        while raw[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(raw[:end])
        raw = b" " + raw[end:]
    return b"\r\n".join([*pieces, raw]) + b"\r\n"
