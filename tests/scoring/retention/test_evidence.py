"""Evidence: sums that are the same in any order and any division, and that can be taken back."""

from itertools import pairwise

from hypothesis import given, settings, strategies as st

from services.scoring.domain.retention.evidence import Counts, Evidence, Outcome
from tests.scoring.retention.offers import outcomes


@settings(deadline=None)
@given(batch=st.lists(outcomes, max_size=40), data=st.data())
def test_any_order_and_any_division_give_the_evidence_of_one_batch(batch: list[Outcome], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(batch))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(batch)), max_size=5)))
    total = Evidence()
    for begin, end in pairwise([0, *cuts, len(batch)]):
        total = total.plus(Evidence.of(shuffled[begin:end]))
    assert total == Evidence.of(batch)


@settings(deadline=None)
@given(st.lists(outcomes, max_size=20), st.lists(outcomes, max_size=20))
def test_withdrawn_facts_leave_no_trace(kept: list[Outcome], withdrawn: list[Outcome]) -> None:
    assert Evidence.of([*kept, *withdrawn]).minus(Evidence.of(withdrawn)) == Evidence.of(kept)


def test_arms_are_counted_apart() -> None:
    facts = [("call", "new", True, True), ("call", "new", True, False), ("call", "new", False, True)]
    evidence = Evidence.of(Outcome(*fact) for fact in facts)
    assert list(evidence.by_stratum("call")) == [("new", Counts(2, 1, 1, 1))]
    assert list(evidence.by_stratum("mail")) == []
