"""Who belongs to whom, while links come in any order."""

from itertools import permutations

from shared.contracts.merges import LinkFact, newest, root_of
from tests.sync.facts import ANNA, BERT, customer, merged, unmerged

CLEO, DAN = customer(3), customer(4)


def test_the_latest_turn_holds_in_any_order_and_however_often_told() -> None:
    facts: list[LinkFact] = [merged(), unmerged(), merged(CLEO, BERT, 3), merged(ANNA, BERT, 1)]
    for order_told in permutations(facts):
        links = newest(order_told)
        assert {link.absorbed: link.into for link in links.values()} == {BERT: CLEO}


def test_chains_are_followed_to_their_end() -> None:
    into = {ANNA: BERT, BERT: CLEO}
    assert [root_of(one, into) for one in (ANNA, BERT, CLEO, DAN)] == [CLEO, CLEO, CLEO, DAN]


def test_a_circle_of_a_moment_has_one_root_for_all_who_lead_into_it() -> None:
    into = {ANNA: BERT, BERT: CLEO, CLEO: BERT, DAN: ANNA}
    assert {root_of(one, into) for one in (ANNA, BERT, CLEO, DAN)} == {min(BERT, CLEO)}
