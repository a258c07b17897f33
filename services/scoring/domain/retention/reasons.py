"""A decision in sentences that an agent can read aloud: what was assumed, what is known, and what it comes to."""

from services.scoring.domain.retention.catalogue import NO_ACTION, Prior
from services.scoring.domain.retention.decision import Decision, Option


def reasons(decision: Decision, prior: Prior, currency: str) -> list[str]:
    """First the decision, then each open action, the most profitable first."""
    best_first = sorted(decision.options, key=lambda option: -option.profit)
    return [_decided(decision, currency), *(_of(option, decision, prior, currency) for option in best_first)]


def _decided(decision: Decision, currency: str) -> str:
    if decision.group == "control":
        return "No action: one of the customers who are left alone for good, so that the effect of all actions can be seen."
    if decision.group == "exploration":
        return f"Drawn at random, to learn: {_named(decision.action)}. By profit it would be {_named(decision.best)}."
    if decision.action == NO_ACTION:
        return "No action: none is expected to earn more than it costs."
    return f"{_named(decision.action)}: expected profit {_money(decision.profit, currency)}, the most of all."


def _of(option: Option, decision: Decision, prior: Prior, currency: str) -> str:
    return (
        f"{option.action}: {_percent(option.p_persuade)} persuaded of {_money(decision.at_stake, currency)} at stake, "
        f"at a cost of {_money(option.cost, currency)}, is {_money(option.profit, currency)}. {_basis(option, prior)}"
    )


def _basis(option: Option, prior: Prior) -> str:
    belief = option.belief
    if option.source == "model":
        return "The share is this customer's, by an uplift model that ranks better than chance and than segments do."
    if option.source == "prior":
        return f"The share is not measured yet ({prior.source})."
    told = f"Evidence decided {_percent(belief.weight)} of the share, the prior of {_percent(prior.mean)} the rest"
    if belief.observed is None:
        return f"{told}; none of it is from customers of this kind."
    n = belief.counts
    return (
        f"{told}; of customers of this kind {_percent(n.treated_stayed / n.treated)} of {n.treated} stayed with it, "
        f"{_percent(n.control_stayed / n.control)} of {n.control} without it."
    )


def _named(action: str) -> str:
    return "no action" if action == NO_ACTION else action


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _money(amount: float, currency: str) -> str:
    return f"{amount:,.2f} {currency}"
