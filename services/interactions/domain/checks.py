"""What keeps its contract and still cannot be kept by this company, and why."""

from decimal import Decimal

from services.interactions.domain.entries import ORDER
from services.interactions.domain.facts import sum_of, sums
from shared.contracts.channels import ContractReported, InteractionReported, ReturnReported, SaleReported
from shared.contracts.fact import Fact, Reason

LARGEST_TOTAL = Decimal(10) ** 12
"""An order's total must stay below this, as any amount: lines may each be valid and their sum still not be."""


class NotAcceptable(ValueError):
    """A reported fact keeps its contract and still cannot become part of the history."""

    def __init__(self, reason: Reason, detail: str, field: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.field = field


def is_foreign(fact: Fact, currency: str) -> bool:
    """Whether it is in a currency the company does not keep its books in."""
    match fact:
        case SaleReported() | ReturnReported():
            return fact.currency != currency
        case ContractReported():
            return fact.currency not in {None, currency}
    return False


def check(fact: Fact, currency: str) -> None:
    """Refuse what keeps its contract and yet cannot be kept by this company, with the reason and the field at fault."""
    match fact:
        case SaleReported():
            _check_currency(fact, currency)
            _check_sum(max(sums(fact.lines)))
        case ReturnReported():
            _check_currency(fact, currency)
            _check_sum(sum_of(fact.lines))
        case ContractReported():
            _check_currency(fact, currency)
        case InteractionReported():
            _check_interaction(fact)


def _check_currency(fact: SaleReported | ReturnReported | ContractReported, currency: str) -> None:
    if is_foreign(fact, currency):
        detail = f"this company keeps its books in {currency}, not in {fact.currency}"
        raise NotAcceptable(Reason.WRONG_CURRENCY, detail, "currency")


def _check_sum(total: Decimal) -> None:
    if total >= LARGEST_TOTAL:
        raise NotAcceptable(Reason.INVALID_DATA, "the lines sum up to 10^12 or more", "lines")


def _check_interaction(told: InteractionReported) -> None:
    if told.kind == ORDER:
        detail = f"`{ORDER}` is the kind of orders, which are told as {SaleReported.TYPE}"
        raise NotAcceptable(Reason.INVALID_DATA, detail, "kind")
