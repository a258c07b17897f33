"""What the judge makes of merges and erasures: silent where they are right, and each of its rules able to fail."""

from array import array
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest

from tests.harness.torture_world import IDS, SENT, STEADY, World, fact
from tests.torture.judge import effects, persons, unity, views
from tests.torture.judge.breach import Breaches
from tests.torture.judge.decided import Decided, Erasure, Merge
from tests.torture.judge.identities import Identities, identities
from tests.torture.judge.persons import Census, Persons, together
from tests.torture.judge.topics import Topics
from tests.torture.judge.unity import Ledgered, Trace
from tests.torture.sendings import NAMING

NOW, SINCE = 100.0, 50.0
NEW_ID = "id-3"


def merged() -> Decided:
    """Customer 2 was merged into 1."""
    return Decided(numbers={"id-1": 1, "id-2": 2}, merges={"m-1": Merge("id-1", "id-2")})


def erased() -> Decided:
    """Customer 1 was erased; who comes with their card since is somebody new."""
    return Decided(numbers={"id-1": 1}, erasures={"e-1": Erasure(("id-1",), SINCE)})


@pytest.mark.parametrize(
    ("survivor", "absorbed", "answer"),
    [
        ("id-1", "id-2", HTTPStatus.OK),
        ("id-2", "id-1", HTTPStatus.CONFLICT),
        ("id-3", "id-2", HTTPStatus.CONFLICT),
        ("id-3", "id-1", HTTPStatus.OK),
        ("id-4", "id-3", HTTPStatus.NOT_FOUND),
    ],
)
def test_what_a_merge_must_be_answered_follows_from_those_before_it(
    survivor: str, absorbed: str, answer: HTTPStatus
) -> None:
    decided = merged()
    decided.erasures["e-1"] = Erasure(("id-4",))
    assert decided.answer_to_merge(survivor, absorbed) == answer


def test_all_links_of_a_chain_are_one_and_an_undone_one_parts_it() -> None:
    decided = merged()
    decided.merges |= {"m-2": Merge("id-3", "id-1"), "m-3": Merge("id-5", "id-4")}
    assert decided.one_with("id-2") == {"id-1", "id-2", "id-3"}
    decided.undone.add("m-1")
    assert decided.one_with("id-2") == {"id-2"}
    assert decided.one_with("id-1") == {"id-1", "id-3"}
    decided.erasures["e-1"] = Erasure(("id-4", "id-5"))
    assert decided.into() == {"id-1": "id-3"}


def test_an_answer_that_does_not_follow_is_found() -> None:
    decided, breaches = merged(), Breaches()
    decided.expect("merging", 200, 200, "id-1")
    decided.expect("merging", 200, 409, "id-2")
    persons.answers(decided, breaches)
    assert [(breach.rule, breach.customer) for breach in breaches] == [(persons.ANSWERS, 2)]
    assert breaches.checks == {persons.ANSWERS: 2}


def test_several_who_are_one_have_all_that_each_has_brought_and_the_stricter_answer() -> None:
    ann, bob = World().books.accounts.values()
    whole = together([ann, bob], NAMING)
    assert (whole.customer, whole.orders, whole.cents, whole.interactions) == (1, 3, 1449, 2)
    assert whole.first_order_at == ann.first_order_at
    assert whole.last_order_at == ann.last_order_at
    assert whole.repeat_days == 1
    assert whole.latest == ann.latest
    assert whole.named[1] == "Bob"
    assert whole.consented is not None
    assert whole.consented[1] == "withdrawn"
    assert NAMING.identifiers(whole) == NAMING.identifiers(ann) | NAMING.identifiers(bob)


def census(world: World, decided: Decided, **found: Any) -> Persons:
    world.books.watch([1, 2])
    for sent in SENT:
        if sent.kind != "poison":
            world.books.watched[sent.customer].append(sent)
    under = {sent.event: IDS[sent.customer] for sent in SENT if sent.kind in {"sale", "interaction"}}
    given = {"under": under, "sent_at": array("d", [NOW]) * 16, "contacts": [], "owners": []}
    return Census(world.books, world.who, NAMING, decided, world.breaches).persons(**given | found)


class Merged(World):
    """The same world, in which customer 2 was merged into 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.persons = census(self, merged())
        self.parts, self.books.accounts = self.books.accounts, dict(self.persons.accounts)

    def score(self, number: int) -> dict[str, Any]:
        return super().score(1)

    def contact(self, number: int) -> dict[str, Any]:
        account, place = self.parts[number], {"into": None, "root": None, "members": ["id-2"]}
        told = {"_id": IDS[number], "name": account.named[1], "consents": [{"status": account.consented[1]}]}  # type: ignore[index]
        return told | {"place": place if number == 1 else {"into": "id-1", "root": "id-1", "members": []}}

    def profile(self, number: int) -> dict[str, Any]:
        books, self.books.accounts = self.books.accounts, self.parts
        own = super().profile(number)
        self.books.accounts = books
        if number == 2:
            return own | {"merged_into": "id-1", "score": {}}
        return super().profile(1) | {"own": {"sales": own["sales"], "interactions": own["interactions"]}}

    def view(self, number: int) -> dict[str, Any]:
        if number == 1:
            whole = super().view(1)
            contact = {"name": "Bob", "consents": [{"status": "withdrawn"}]}
            return whole | {"contact": whole["contact"] | contact}
        none = {"orders": 0, "total": "0", "first_order_at": None, "last_order_at": None}
        nothing: dict[str, Any] = {
            "contact": None,
            "sales": none,
            "interactions": 0,
            "recent_interactions": [],
            "score": None,
        }
        return {"customer_id": "id-2", "version": 5, "merged_into": "id-1", **nothing}

    def views(self) -> dict[str, dict[str, Any]]:
        return {"id-1": self.view(1), "id-2": self.view(2)}


def kept(world: Merged, changes: Mapping[str, dict[str, Any]]) -> None:
    """Everything that is judged, with some documents changed."""

    def changed(name: str, document: dict[str, Any]) -> dict[str, Any]:
        return {**document, **changes.get(name, {})}

    who, living, breaches = world.who, world.persons, world.breaches
    effects.scores(living, who, [changed("score", world.score(1))], breaches)
    profiles = [changed("profile", world.profile(1)), changed("absorbed profile", world.profile(2))]
    effects.profiles(living, who, profiles, breaches)
    contacts = [changed("contact", world.contact(1)), changed("absorbed contact", world.contact(2))]
    effects.contacts(living, who, contacts, breaches)
    told = {"id-1": changed("view", world.view(1)), "id-2": changed("absorbed view", world.view(2))}
    views.views(living, who, NAMING, told, breaches)
    parts = {one: views.permitted(view, STEADY.fields) for one, view in told.items()}
    absorbed = {"version": 5, "customer": parts["id-2"], "withheld": [], "merged_into": "id-1"}
    copies = {
        "id-1": {"version": 4, "customer": parts["id-1"], "withheld": []},
        "id-2": changed("absorbed copy", absorbed),
    }
    views.copies(living, who, STEADY, told, copies, breaches)
    views.sums(living, changed("sums", {"customers": 1, "orders": 3, "total": "14.49"}), breaches)


def test_a_world_in_which_two_are_one_breaks_no_rule() -> None:
    world = Merged()
    kept(world, {})
    assert list(world.breaches) == []


@pytest.mark.parametrize(
    ("what", "change", "rule"),
    [
        ("score", {"purchases": 2}, effects.SCORING),
        ("score", {"customer_id": "id-2"}, effects.SCORING),
        ("profile", {"own": {}}, effects.PROFILES),
        ("profile", {"merged_into": "id-2"}, effects.PROFILES),
        ("absorbed profile", {"merged_into": None}, effects.PROFILES),
        ("absorbed profile", {"score": {"purchases": 1}}, effects.PROFILES),
        ("absorbed profile", {"sales": {}}, effects.PROFILES),
        ("contact", {"place": {}}, effects.CONTACTS),
        ("absorbed contact", {"place": {"into": "id-1"}}, effects.CONTACTS),
        ("absorbed contact", {"name": "Ann"}, effects.CONTACTS),
        ("view", {"interactions": 3}, views.VIEWS),
        ("view", {"merged_into": "id-2"}, views.VIEWS),
        ("absorbed view", {"merged_into": None}, views.VIEWS),
        ("absorbed view", {"interactions": 1}, views.VIEWS),
        ("absorbed copy", {"merged_into": None}, views.COPIES),
        ("sums", {"customers": 2}, views.SUMS),
    ],
)
def test_whatever_is_not_as_two_who_are_one_must_be_is_found(what: str, change: dict[str, Any], rule: str) -> None:
    world = Merged()
    kept(world, {what: change})
    assert rule in world.rules


def test_a_link_that_somebody_lost_or_kept_is_found(world: World) -> None:
    unity.links(merged(), {"sync": {"id-2": "id-1", "id-1": None}}, world.breaches)
    assert not world.breaches.counts
    for wrong in ({}, {"id-2": None}, {"id-2": "id-9"}, {"id-2": "id-1", "id-1": "id-2"}):
        breaches = Breaches()
        unity.links(merged(), {"sync": wrong}, breaches)
        assert breaches.counts == {unity.LINKS: 1}, wrong


def told_under(reborn: tuple[int, ...]) -> dict[int, str]:
    """Of customer 1, these events are about somebody new."""
    events = [sent.event for sent in SENT if sent.customer == 1 and sent.kind in {"sale", "interaction"}]
    return {event: NEW_ID if event in reborn else "id-1" for event in events}


def afterwards(world: World, late: tuple[int, ...], reborn: tuple[int, ...], **contact: Any) -> Persons:
    """The world after customer 1 was erased: events that were sent late, and those that are somebody new's."""
    sent_at = array("d", [NOW if event in late else 0.0 for event in range(16)])
    owners = [(name, NEW_ID) for name in sorted(NAMING.identifiers(world.books.accounts[1]))]
    world.who = identities(
        world.books, NAMING, [*owners, *[o for o in world.owners() if o[1] == "id-2"]], 0, world.breaches, {"id-1": 1}
    )
    contacts = [{"_id": NEW_ID, "name": "Ann", "consents": [{"status": "granted"}]} | contact]
    under = told_under(reborn)
    return census(world, erased(), under=under, sent_at=sent_at, contacts=contacts, owners=owners)


def test_what_came_before_the_erasure_is_gone_and_what_came_after_is_about_somebody_new(world: World) -> None:
    living = afterwards(world, late=(3, 7), reborn=(3, 7))
    assert list(world.breaches) == []
    assert living.gone == {0, 2}
    assert (living.accounts[1].orders, living.accounts[1].cents, living.accounts[1].interactions) == (1, 299, 1)
    assert living.accounts[1].named[1] == "Ann"
    assert world.who.ids[1] == NEW_ID
    assert world.who.customer("id-1") == 1


def test_what_was_under_way_may_be_of_either(world: World) -> None:
    assert afterwards(world, late=(), reborn=(7,)).gone == {0, 2, 3}
    assert list(world.breaches) == []


def test_an_event_that_was_sent_after_the_erasure_and_came_under_the_erased_is_found(world: World) -> None:
    afterwards(world, late=(3, 7), reborn=(7,))
    assert [(breach.rule, breach.event) for breach in world.breaches] == [(persons.NEW, 3)]


@pytest.mark.parametrize("contact", [{"name": "Bob"}, {"consents": [{"status": "denied"}]}])
def test_somebody_new_of_whom_something_is_known_that_nobody_has_said_is_found(
    world: World, contact: dict[str, Any]
) -> None:
    afterwards(world, late=(3, 7), reborn=(3, 7), **contact)
    assert world.rules == {persons.NEW}


def test_nobody_new_although_something_came_afterwards_is_found(world: World) -> None:
    world.who = Identities({2: "id-2"}, {"id-1": 1, "id-2": 2})
    census(world, erased(), under=told_under((7,)), sent_at=array("d", [0.0]) * 16)
    assert world.rules == {persons.NEW}


def test_a_line_of_the_history_a_score_and_a_copy_of_the_erased_are_found(world: World) -> None:
    living = afterwards(world, late=(3, 7), reborn=(3, 7))
    history = effects.History(world.books, world.who, world.breaches, living.gone)
    for document in world.history():
        history.take(document)
    history.close()
    assert {breach.event for breach in world.breaches if breach.rule == effects.HISTORY} == {0, 2}
    effects.scores(living, world.who, [world.score(1), world.score(2)], world.breaches)
    assert effects.SCORING in world.rules
    held = {"id-1": {"version": 4, "customer": {"sales": None}, "withheld": []}}
    views.copies(living, world.who, STEADY, {}, held, world.breaches)
    assert views.COPIES in world.rules


def test_a_copy_that_says_nothing_but_that_somebody_is_erased_is_right(world: World) -> None:
    living = Persons({}, {}, erased={"id-1": "e-1"})
    held = {"id-1": {"version": 9, "customer": {}, "withheld": [], "erased": "e-1"}}
    views.copies(living, world.who, STEADY, {}, held, world.breaches)
    assert not world.breaches.counts


def test_the_view_of_the_erased_must_end_with_a_tombstone(world: World) -> None:
    for ended in (True, False):
        seen, breaches = Topics(world.books, world.who, Breaches()), Breaches()
        for record in world.facts():
            seen.take(record)
        if ended:
            seen.take(fact("crm.customers", "id-1", 1, {}, 50)._replace(value=None))
        seen.breaches = breaches
        living = Persons(world.books.accounts, world.books.accounts, erased={"id-1": "e-1"})
        seen.agree(living, {"id-2": 4}, {"id-2": 2})
        assert breaches.counts == ({} if ended else {"versions grow": 1})


def test_a_score_that_was_withdrawn_from_the_absorbed_is_right_and_one_that_was_not_is_found() -> None:
    for withdrawn in (True, False):
        world = Merged()
        seen = Topics(world.books, world.who, world.breaches)
        for record in World().facts():
            seen.take(record)
        seen.take(fact("crm.scores", "id-1", 1, {"score": {"purchases": 3}}, 90))
        if withdrawn:
            seen.take(fact("crm.scores", "id-2", 4, {"as_of": "2026-01-01T00:00:00Z"}, 91))
        seen.agree(world.persons, {"id-1": 4, "id-2": 4}, {"id-1": 2, "id-2": 2})
        assert world.rules == (set() if withdrawn else {"scores follow the orders"})


LEDGERED = Ledgered(frozenset({"id-1"}), frozenset({"log", "sync", "channel:steady"}), frozenset({"log"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"ledger": {}},
        {"ledger": {"e-1": LEDGERED, "e-2": LEDGERED}},
        {"ledger": {"e-1": LEDGERED._replace(open=frozenset({"log", "sync"}))}},
        {"ledger": {"e-1": LEDGERED._replace(places=frozenset({"log"}))}},
        {"ledger": {"e-1": LEDGERED._replace(customers=frozenset({"id-1", "id-2"}))}},
        {"tombstones": {"sync": set()}},
        {"tombstones": {"sync": {"id-1", "id-2"}}},
    ],
)
def test_an_erasure_without_all_its_receipts_and_tombstones_is_found(world: World, wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"ledger": {"e-1": LEDGERED}, "tombstones": {"sync": {"id-1"}}, "channels": ["steady"]}
    unity.receipted(erased(), **right, breaches=world.breaches)
    assert not world.breaches.counts
    unity.receipted(erased(), **right | wrong, breaches=world.breaches)
    assert world.rules == {unity.RECEIPTED}


def test_a_trace_of_the_erased_is_found_but_where_ids_must_stay(world: World) -> None:
    allowed = [Trace("sync", "views", "id-1", None), Trace("interactions", "dead_letters", None, 1)]
    unity.forgotten(erased(), {1}, allowed, world.breaches)
    assert not world.breaches.counts
    for trace in (Trace("scoring", "customers", "id-1", None), Trace("contacts", "changes", None, 1)):
        breaches = Breaches()
        unity.forgotten(erased(), {1}, [trace], breaches)
        assert breaches.counts == {unity.FORGOTTEN: 1}


@pytest.fixture
def world() -> World:
    return World()
