"""The grammar of all contracts: facts, topics, and the field types they are made of.

Only pydantic and the standard library are used here, so a channel system can depend on the contracts alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

LARGE_RECORDS = 4 * 1_048_576
"""Bytes of a record on topics whose facts carry lists of texts: a contact with every list full, in letters of four bytes, has
half of it (`docs/decisions/0058-texts-without-control-characters.md`).
"""
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
MAX_TEXT = 1000
CLOCK_SKEW = timedelta(days=1)
"""How far a channel's clock may run ahead of ours before a time is called implausible."""

_CURRENCIES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG
SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV
WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CURRENCIES.split())
"""ISO 4217 alphabetic codes of circulating currencies (list one), as of 2026."""


class Reason(StrEnum):
    """Why an event cannot be taken, for good. The same words at the HTTP edge and on a dead letter."""

    EMPTY = "empty"
    """No body at all."""
    MALFORMED = "malformed"
    """The body is not JSON."""
    TOO_LARGE = "too-large"
    """The body is larger than an event may be, or what it adds to would be larger than can be told."""
    INVALID_ENVELOPE = "invalid-envelope"
    """A required CloudEvents attribute is missing, null or wrong."""
    UNKNOWN_TYPE = "unknown-type"
    """No contract has this type."""
    INVALID_DATA = "invalid-data"
    """The data breaks its contract."""
    MISSING_IDENTIFIER = "missing-identifier"
    """Nothing says which customer it is about."""
    WRONG_CURRENCY = "wrong-currency"
    """Not an ISO 4217 code, or not a currency this company keeps its books in."""
    IMPLAUSIBLE_TIME = "implausible-time"
    """Before 1900 or in the future."""
    HANDLER_ERROR = "handler-error"
    """Valid, but the service failed on it, repeatedly and on it alone: a bug of ours."""


class Fact(BaseModel):
    """Something that is true from now on. Frozen; unknown fields are ignored, so contracts may grow."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_bytes="base64")

    TYPE: ClassVar[str]
    """The CloudEvents type, `crm.<aggregate>.<fact>.v<major>`."""


class Part(BaseModel):
    """A part of a fact."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True)
class Topic:
    """A Kafka topic, the facts on it, and how the log keeps them."""

    name: str
    facts: tuple[type[Fact], ...] = ()
    compacted: bool = False
    retention: timedelta | None = None
    """None: for ever (or for as long as the newest value of each key, where compacted)."""
    max_message_bytes: int = 1_048_576
    types: dict[str, type[Fact]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "types", {fact.TYPE: fact for fact in self.facts})


DOMAIN_RETENTION = timedelta(days=14)
"""How long the log keeps what services tell each other. With the days that a segment stays open and the days of the check it
lies below the month in which an erasure has to be done (`docs/decisions/0030-the-log-forgets.md`)."""


class _Horizon:
    """The latest plausible time. It only grows, so what lay before it once needs no look at the clock."""

    moment = EARLIEST


def plausible(moment: datetime) -> datetime:
    """Refuse times that no customer can have acted at. Every event has some, so it compares in UTC, which is cheap."""
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:  # the first or the last hours that a calendar has
        utc = datetime.min.replace(tzinfo=UTC)
    if utc > _Horizon.moment:
        _Horizon.moment = datetime.now(UTC) + CLOCK_SKEW
    if not EARLIEST <= utc <= _Horizon.moment:
        raise PydanticCustomError(Reason.IMPLAUSIBLE_TIME.value, "time must lie between 1900 and now")
    return utc


def in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError(Reason.IMPLAUSIBLE_TIME.value, "time must lie in the years 1 to 9999") from None


def known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise PydanticCustomError(Reason.WRONG_CURRENCY.value, "currency must be an ISO 4217 code such as USD")
    return code


def storable(value: str | float | bool | None) -> str | float | bool | None:
    """Refuse what no database keeps or no log carries: endless texts, numbers over 64 bits, infinity."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise PydanticCustomError(Reason.INVALID_DATA.value, "a text has at most 1000 characters")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise PydanticCustomError(Reason.INVALID_DATA.value, "a whole number has at most 64 bits")
    if isinstance(value, float) and not isfinite(value):
        raise PydanticCustomError(Reason.INVALID_DATA.value, "a number must be finite")
    return value


Moment = Annotated[AwareDatetime, AfterValidator(plausible)]
"""An RFC 3339 time with offset, kept in UTC."""
Deadline = Annotated[AwareDatetime, AfterValidator(in_utc)]
"""A time that may well lie in the future."""
Currency = Annotated[str, AfterValidator(known_currency)]
Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=6)]
"""An exact decimal, written as a string."""
Name = Annotated[str, Field(min_length=1, max_length=200)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
"""A machine's word: lower case letters, digits, dot, hyphen, underscore."""
Key = Annotated[str, Field(min_length=1, max_length=200)]
Uuid7 = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
"""An id that Rapport has given (RFC 9562)."""
CustomerId = Uuid7
"""A customer's id in Rapport."""
Scalar = Annotated[str | int | float | bool | None, AfterValidator(storable)]
"""A text of at most 1,000 characters, a finite number (whole ones of 64 bits), true, false or null."""
Attributes = Annotated[dict[Code, Scalar], Field(max_length=50)]


class Identifier(Part):
    """How a channel knows a customer: its own number, a loyalty card, an e-mail address."""

    scheme: Code
    value: Annotated[str, Field(min_length=1, max_length=256)]

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"


def some_identifiers(identifiers: list[Identifier]) -> list[Identifier]:
    if not identifiers:
        raise PydanticCustomError(Reason.MISSING_IDENTIFIER.value, "at least one identifier of the customer is needed")
    return identifiers


Identifiers = Annotated[list[Identifier], Field(max_length=10), AfterValidator(some_identifiers)]
"""The channel's own identifier first; it is the record's key on `crm.inbound`."""
