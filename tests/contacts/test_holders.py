"""Lookups by key against real MongoDB: who shares what is exact, and what is frequent is read once and not to the end."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence

import pytest

from services.contacts.domain.matching.nearest import COPIES, nearest
from services.contacts.domain.matching.record import Record, record_of
from services.contacts.handlers.proposals import Kept
from services.contacts.store import MatchStore, holders
from services.contacts.store.holders import ROWS, Holding
from services.contacts.store.key_rows import Row
from shared import mongo
from shared.settings import PlatformSettings
from tests.contacts.matching.contacts import person
from tests.contacts.matching.people import people

pytestmark = pytest.mark.integration


@pytest.fixture(params=["pymongo", "motor"])
async def store(request: pytest.FixtureRequest, settings: PlatformSettings) -> AsyncIterator[MatchStore]:
    client = mongo.connect(settings.model_copy(update={"mongo_driver": request.param}))
    found = MatchStore(client[f"{settings.namespace}rapport_contacts"])
    await found.prepare()
    yield found
    await mongo.close(client)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows came, answer by answer."""
    told: list[int] = []
    add = Holding.add

    def noted(holding: Holding, rows: Iterable[Row]) -> int:
        told.append(add(holding, rows))
        return told[-1]

    monkeypatch.setattr(Holding, "add", noted)
    return told


def who(number: int) -> str:
    return f"019b7a2c-5c00-7000-8000-{number:012x}"


def made(households: int, seed: int, **same: str) -> list[Kept]:
    records = people(households, seed=seed).records
    return [Kept(who(n), record_of(person(who(n), one | same).published)) for n, one in enumerate(records)]


def expected(everybody: Sequence[Kept], record: Record) -> list[str]:
    of_key: defaultdict[int, list[str]] = defaultdict(list)
    for one in everybody:
        for key in one.record.keys:
            of_key[key].append(one.customer)
    copies = [one.customer for one in everybody if one.record.whole == record.whole]
    return nearest(record.keys, of_key, copies if record.keys else [])


async def test_those_who_share_most_are_found_however_many_are_asked_for_together(
    store: MatchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With a few rows at a time, answers come in parts, and questions are asked again for what has turned out to be frequent.
    monkeypatch.setattr(holders, "ROWS", 50)
    everybody = made(150, seed=51, city="york")
    await store.put(everybody)
    asked = [one.record for one in everybody[::7]]
    wanted = [expected(everybody, one) for one in asked]
    assert await store.holders(asked) == wanted
    assert await store.holders(asked) == wanted
    assert [(await store.holders([one]))[0] for one in asked] == wanted
    assert await store.holders([]) == []


async def test_a_key_that_everybody_holds_is_read_once_and_not_to_the_end(store: MatchStore, read: list[int]) -> None:
    everybody = made(1_500, seed=52, phone="0301234567")
    assert len(everybody) > 2 * ROWS
    await store.put(everybody)
    alone = Record("person", tuple("301234567" if one.name == "phone" else "" for one in everybody[0].record.fields))
    assert await store.holders([alone]) == [[]]
    assert read == [ROWS]
    await store.holders([alone])
    assert read == [ROWS], "the key is known"
    everyone_known = len(read)
    await store.holders([one.record for one in everybody[:100]])
    assert sum(read[everyone_known:]) < 100 * ROWS / 5


async def test_of_hundreds_who_are_alike_in_everything_the_first_are_found(store: MatchStore) -> None:
    [one, *_] = made(1, seed=53)
    everybody = [Kept(who(n), one.record) for n in range(300)]
    await store.put(everybody[::-1])
    assert await store.holders([one.record]) == [[kept.customer for kept in everybody[:COPIES]]]


async def test_whoever_has_nothing_to_be_found_by_is_not_asked_for(store: MatchStore, read: list[int]) -> None:
    nobody = Record("person", ("",) * len(made(1, seed=54)[0].record.fields))
    assert await store.holders([nobody]) == [[]]
    assert read == []
