"""What contacts reads from its environment, beside what every service reads."""

from typing import Annotated

from pydantic import Field

from shared.contracts.sensitive import SENSITIVE
from shared.settings import PlatformSettings


class ContactSettings(PlatformSettings):
    contacts_country: str | None = Field(None, pattern=r"^[A-Z]{2}$")
    """Where telephone numbers are of that say no country, of customers without an address; ISO 3166. Absent: unknown."""
    contacts_erasure_days: int = Field(30, ge=1, le=90)
    """Until when an erasure has to be done: GDPR, article 12 (3), allows one month, and two more for complex ones."""
    contacts_erasure_alarm_days: float = Field(3, gt=0, le=30)
    """How long a place may take, and how near the deadline may come, before it is said loudly."""
    contacts_log_look_seconds: float = Field(6 * 3600, gt=0)
    """How often the log is looked through for what erasures have left there, while one waits for that."""
    contacts_matching_share: float = Field(0.25, gt=0, le=1)
    """Of one core, what looking for duplicates may take; a tenth of that while the machine has hardly any CPU time left."""
    contacts_quality_share: float = Field(0.01, gt=0, le=1)
    """Of one core, what measuring the quality of all contacts may take: after each piece it rests 99 times as long. The first
    measurement of all may take 0.2, unless the machine has hardly any CPU time left."""
    contacts_lifecycle: bool = True
    """Whether scores move customers through the life cycle. It costs some 35 microseconds of CPU a score, of who moves some 200."""
    contacts_lapsed_days: float | None = Field(None, gt=0)
    """After so many days without a purchase a customer has lapsed. Absent: when scoring calls them gone. Both are looked at
    whenever a customer's score is told."""
    contacts_document_mb: int = Field(10, ge=1, le=15)
    """How large a document attached to a contact may be. A request's body has at most 16 MB."""
    contacts_clamd: str | None = Field(None, pattern=r"^[A-Za-z0-9.-]+:[0-9]{1,5}$")
    """Where ClamAV's daemon listens, `host:port`. Absent: documents are not scanned, and said to be so."""
    contacts_proxies: int = Field(1, ge=0, le=10)
    """Reverse proxies of ours before this service, for who sends a web form: the local gateway, or the ingress."""
    contacts_public_per_minute: int = Field(60, ge=1, le=1_000_000)
    """How often one address on the internet may ask for, or send, the pages that customers come to by a link. Web forms
    have a figure of their own each."""
    contacts_sensitive: list[str] = list(SENSITIVE)
    """Codes of attributes, interests and preferences, and schemes of identifiers, that only keys with the scope
    `contacts:sensitive` see; a JSON list, in place of the one in `shared/contracts/sensitive.py`. Fields that are
    defined as sensitive are so as well. Sync and campaigns read it too."""
    contacts_public_url: str = Field("", pattern=r"^$|^https?://[^\s?#]+[^/\s?#]$")
    """Where customers reach this service, for links that are sent to them. Absent: links are paths, to be put behind one."""
    contacts_names: dict[str, dict[str, str]] = {}
    """What the pages for customers call purposes, channels and interests, a JSON object by code and language:
    `{"newsletter": {"en": "Our newsletter", "de": "Unser Rundbrief"}}`. Others are called by their codes."""
    contacts_confirmation_days: int = Field(7, ge=1, le=90)
    """How long a grant waits for its confirmation (double opt-in)."""
    contacts_secret: str = Field("", pattern=r"^$|^.{32,}$")
    """What lists of those who are not to be contacted know addresses by, and what the first key of customers' links is made of: at
    least 32 characters, the same for all instances and for ever. Absent: made once and kept in the database."""
    contacts_link_secrets: list[Annotated[str, Field(min_length=32)]] = []
    """What further keys of customers' links are made of, of which one is made with `POST /v1/contacts/link-keys`; a JSON list, the
    newest first, the same for all instances. One that is taken out ends the links of its keys. Absent: the secret above."""
    interactions_url: str = Field("http://127.0.0.1:8802", pattern=r"^https?://")
    """Where the other services tell what they hold on a customer, for an export of all of it."""
    campaigns_url: str = Field("http://127.0.0.1:8803", pattern=r"^https?://")
    scoring_url: str = Field("http://127.0.0.1:8804", pattern=r"^https?://")
    sync_url: str = Field("http://127.0.0.1:8805", pattern=r"^https?://")
    internal_key: str = ""
    """A key with the scope `privacy:export`. Without a valid one, exports say that all other services are missing."""

    @property
    def others(self) -> dict[str, str]:
        """Where each of the other services is."""
        return {
            "interactions": self.interactions_url,
            "campaigns": self.campaigns_url,
            "scoring": self.scoring_url,
            "sync": self.sync_url,
        }
