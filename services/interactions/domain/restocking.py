"""Goods that came back and can be sold again: which of the order's they are, with what they were sold for and have cost."""

from collections.abc import Iterable, Sequence
from decimal import Decimal, localcontext

from services.interactions.domain.entries import ZERO
from shared.contracts.channels import Discounts, ReturnLine, SaleLine

MILLIONTH = Decimal("0.000001")


def back_on_the_shelf(
    order: Sequence[SaleLine], returned: Sequence[ReturnLine], before: Iterable[SaleLine]
) -> list[SaleLine]:
    """As much of the order's lines as a return brings back, after what has been `before`.

    A return names products and no lines: the order's lines of a product are filled one after the other. Of more than was
    sold nobody knows what it has cost, so nothing comes back of it.
    """
    coming = _quantities((line.product, line.restocked) for line in returned)
    here = _quantities((line.product, line.quantity) for line in before)
    begins: dict[str, Decimal] = {}
    parts = []
    for line in order:
        if not (more := coming.get(line.product)):
            continue
        begin, already = begins.get(line.product, ZERO), here.get(line.product, ZERO)
        begins[line.product] = begin + line.quantity
        was, now = (min(max(back - begin, ZERO), line.quantity) for back in (already, already + more))
        if now > was:
            parts.append(_part(line, was, now))
    return parts


def _part(line: SaleLine, was: Decimal, now: Decimal) -> SaleLine:
    """What lies between two quantities of a line. What has come back in all is rounded and not each part of it, so that
    parts add up to the line.
    """

    def share(money: Decimal) -> Decimal:
        with localcontext(prec=50):
            return (money * now / line.quantity).quantize(MILLIONTH) - (money * was / line.quantity).quantize(MILLIONTH)

    part = {"quantity": now - was, "value": share(line.value)}
    if line.cost is not None:
        part["cost"] = share(line.cost)
    if "discounts" not in line.model_fields_set:
        return line.model_copy(update=part)
    given = line.discounts
    discounts = Discounts(
        retail=share(given.retail), coupon=share(given.coupon), coupon_match=share(given.coupon_match)
    )
    return line.model_copy(update={**part, "discounts": discounts})


def _quantities(told: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for product, quantity in told:
        sums[product] = sums.get(product, ZERO) + quantity
    return sums
