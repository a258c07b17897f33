"""Records as columns of codes."""

from hypothesis import given, strategies as st

from services.contacts.domain.matching.table import Table
from tests.contacts.matching.kinds import FIRM

VALUES = st.lists(st.tuples(*[st.sampled_from(["", "a", "b", "c"])] * len(FIRM)), max_size=20)


@given(VALUES, VALUES, VALUES)
def test_many_at_once_are_as_many_one_by_one(first: list[tuple[str, ...]], some: list[tuple[str, ...]], last: list[tuple[str, ...]]) -> None:  # fmt: skip
    together, each = Table(FIRM), Table(FIRM)
    for record in first:
        together.append(record)
    together.extend(some)
    together.extend(last)
    together.append(("x",) * len(FIRM))
    for record in [*first, *some, *last, ("x",) * len(FIRM)]:
        each.append(record)
    assert len(together) == len(each)
    assert [together.row(row) for row in range(len(each))] == [each.row(row) for row in range(len(each))]
    for one, other in zip(together.columns, each.columns, strict=True):
        assert (one.values, one.counts, one.known) == (other.values, other.counts, other.known)
    assert together.present.tolist() == each.present.tolist()
