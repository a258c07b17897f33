"""Catalogues, evidence and customers for the tests of retention."""

from hypothesis import strategies as st

from services.scoring.domain.retention.assignment import Assignment
from services.scoring.domain.retention.catalogue import Action, Catalogue, Prior
from services.scoring.domain.retention.decision import AtStake, Terms
from services.scoring.domain.retention.evidence import Evidence, Outcome
from services.scoring.domain.retention.persuasion import beliefs

CALL = Action("call", contact_cost=4.0)
VOUCHER = Action("voucher", contact_cost=0.1, offer_cost=10.0, p_accept=0.3)
MAIL = Action("mail", contact_cost=0.05)
CATALOGUE = Catalogue((CALL, VOUCHER, MAIL))
EVERYBODY = Assignment("salt", control=0.0, exploration=0.0)

names = st.sampled_from(["call", "voucher", "mail"])
strata = st.sampled_from(["new", "loyal", "slipping"])
outcomes = st.builds(Outcome, names, strata, st.booleans(), st.booleans())
money = st.floats(0.0, 1e5)
customers = st.builds(AtStake, st.uuids().map(str), strata, st.floats(-1e3, 1e5), st.frozensets(names, max_size=3))
actions = st.builds(
    Action, names, contact_cost=st.floats(0, 50), offer_cost=st.floats(0, 100), p_accept=st.floats(0, 1)
)
catalogues = st.builds(
    Catalogue, st.lists(actions, max_size=3, unique_by=lambda action: action.name).map(tuple), st.just(Prior())
)


def arms(action: str, stratum: str, treated: tuple[int, int], control: tuple[int, int]) -> Evidence:
    """Customers and how many of them stayed, with the action and without."""
    return Evidence.of(
        Outcome(action, stratum, is_treated, i < stayed)
        for is_treated, (customers, stayed) in ((True, treated), (False, control))
        for i in range(customers)
    )


def terms(
    evidence: Evidence | None = None,
    catalogue: Catalogue = CATALOGUE,
    assignment: Assignment = EVERYBODY,
    margin: float = 0.4,
) -> Terms:
    known = {action.name: beliefs(evidence or Evidence(), action.name, catalogue.prior) for action in catalogue}
    return Terms(catalogue, known, assignment, margin, "2026-11")
