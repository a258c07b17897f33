"""Keeping what no service could take, and sending it back."""

from datetime import timedelta

import pytest

from services.interactions.handlers.dead_letters import AlreadyReplayed, DeadLetters, Kept, Selection
from shared.contracts.fact import Reason
from shared.messaging import Outgoing
from tests.interactions.facts import NOON
from tests.interactions.memory import LettersInMemory
from tests.interactions.units import dead_letter, raw, unit


@pytest.fixture
def letters() -> LettersInMemory:
    return LettersInMemory()


@pytest.fixture
def desk(letters: LettersInMemory) -> DeadLetters:
    return DeadLetters(letters)


async def only(letters: LettersInMemory) -> Kept:
    [kept] = letters.kept.values()
    return kept


async def test_a_dead_letter_is_kept_with_all_that_is_known_of_it(desk: DeadLetters, letters: LettersInMemory) -> None:
    await desk.keep(unit(), [dead_letter(b"\xff\x00", [("ce_id", b"e-1"), ("odd", None)])])
    kept = await only(letters)
    letter = kept.letter
    assert (letter.reason, letter.detail, letter.handler, letter.topic) == (
        Reason.MALFORMED, "why", "interactions", "crm.inbound",
    )  # fmt: skip
    assert (letter.value, letter.key, letter.headers) == (b"\xff\x00", b"pos:N-1", [("ce_id", b"e-1"), ("odd", None)])
    assert (kept.event_id, kept.source, kept.size) == ("e-1", None, 2)


async def test_of_a_structured_event_the_body_says_what_it_was(desk: DeadLetters, letters: LettersInMemory) -> None:
    body = b'{"id":"e-7","source":"/channels/x","type":"crm.x.v1","data":{"name":"secret"}}'
    await desk.keep(unit(), [dead_letter(body, [("content-type", b"application/cloudevents+json")])])
    kept = await only(letters)
    assert (kept.event_id, kept.source, kept.type) == ("e-7", "/channels/x", "crm.x.v1")


@pytest.mark.parametrize("body", [b"[1]", b"{", None, b'{"id": 7, "source": null}', b"[" * 100_000])
async def test_a_body_that_says_nothing_is_kept_all_the_same(
    desk: DeadLetters, letters: LettersInMemory, body: bytes | None
) -> None:
    await desk.keep(unit(), [dead_letter(body, [])])
    kept = await only(letters)
    assert (kept.letter.value, kept.event_id, kept.source) == (body, None, None)


async def test_the_same_dead_letter_twice_is_kept_once(desk: DeadLetters, letters: LettersInMemory) -> None:
    await desk.keep(unit(), [dead_letter()])
    await desk.keep(unit(now=NOON + timedelta(hours=1)), [dead_letter()])
    assert len(letters.kept) == 1


async def test_one_place_in_two_groups_or_in_a_log_made_anew_is_two_dead_letters(
    desk: DeadLetters, letters: LettersInMemory
) -> None:
    await desk.keep(unit(), [dead_letter(), dead_letter(handler="contacts"), dead_letter(now=NOON + timedelta(days=1))])
    assert len(letters.kept) == 3


async def test_what_is_no_dead_letter_becomes_one_and_stops_nobody(desk: DeadLetters, letters: LettersInMemory) -> None:
    work = unit()
    nonsense = [
        raw(Outgoing("", None, None, [])),
        raw(Outgoing("", None, b"x", [("rapport-reason", None)])),
        raw(Outgoing("", None, b"x", [(name, b"?") for name, _ in dead_letter().record.headers])),
    ]
    await desk.keep(work, [*nonsense, dead_letter()])
    assert [rejected.reason for rejected in work.rejected] == [Reason.INVALID_ENVELOPE] * 3
    assert len(letters.kept) == 1


async def test_a_replay_takes_the_original_bytes_back_to_who_refused_them(
    desk: DeadLetters, letters: LettersInMemory
) -> None:
    await desk.keep(unit(), [dead_letter(b"\xff", [("ce_id", b"e-1")], handler="contacts")])
    work = unit()
    kept = await desk.replay(work, (await only(letters)).id, "ann")
    [back] = work.outgoing
    headers = dict(back.headers)
    assert (back.topic, back.key, back.value) == ("crm.replays", b"pos:N-1", b"\xff")
    assert (headers["rapport-replay-group"], headers["rapport-replay-topic"]) == (b"contacts", b"crm.inbound")
    assert (headers["ce_id"], headers["rapport-replayed"]) == (b"e-1", b"1")
    assert kept
    assert (kept.replayed_at, kept.replayed_by) == (NOON, "ann")
    assert await only(letters) == kept


async def test_nothing_is_replayed_twice(desk: DeadLetters, letters: LettersInMemory) -> None:
    await desk.keep(unit(), [dead_letter()])
    letter_id = (await only(letters)).id
    await desk.replay(unit(), letter_id, "ann")
    with pytest.raises(AlreadyReplayed):
        await desk.replay(unit(), letter_id, "ann")
    assert await desk.replay_some(unit(), Selection(), "ann") == 0


async def test_what_does_not_exist_is_not_replayed(desk: DeadLetters) -> None:
    assert await desk.replay(unit(), "0" * 32, "ann") is None


async def test_a_selection_is_sent_back_oldest_first(desk: DeadLetters, letters: LettersInMemory) -> None:
    for offset in range(3):
        moment = NOON + timedelta(minutes=offset)
        await desk.keep(unit(now=moment), [dead_letter(str(offset).encode(), offset=offset, now=moment)])
    await desk.keep(unit(), [dead_letter(offset=9, reason=Reason.EMPTY), dead_letter(offset=8, handler="contacts")])
    work = unit()
    selection = Selection(Reason.MALFORMED, "interactions", kept_until=NOON + timedelta(minutes=1))
    assert await desk.replay_some(work, selection, "ann") == 2
    assert [back.value for back in work.outgoing] == [b"0", b"1"]
    assert await letters.count_open(Selection()) == 3
