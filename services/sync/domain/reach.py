"""How far into the order of changes a webhook may have been sent anything: on record before anything is sent beyond it.

A receiver may have taken what was never put down: the process has died, or no answer came. By this record it is known whom
it may have got, so that it is told when they are erased (docs/decisions/0052-what-may-have-been-sent-is-told-too.md).
"""

from collections.abc import Iterable, Mapping

from services.sync.domain.outgoing import Place
from services.sync.domain.positions import Cursor


class Reach:
    """A channel's record as its worker knows it.

    It is put down up to the tails and some positions ahead of them, together with batches that are settled anyway, so that
    hardly a delivery waits for it. Where the channel fails nothing is put down ahead: it would be taken to have got whoever
    comes meanwhile.
    """

    def __init__(self, recorded: Mapping[int, int], ahead: int) -> None:
        """`recorded`: what is on record at present; it may have been sent, by whom it may. `ahead`: positions of a partition."""
        self._ahead = ahead
        self._sent: Cursor = dict(recorded)
        self._recorded: Cursor = dict(recorded)
        """What is on record for certain, whatever becomes of the settlement that is under way."""
        self._settling: Cursor = {}

    def lacking(self, places: Iterable[Place], tails: Mapping[int, int]) -> Cursor:
        """What has to be put on record before these places are sent: nothing as a rule. `tails`: the newest positions."""
        ends: Cursor = {}
        for partition, position in places:
            if position > max(self._recorded.get(partition, 0), ends.get(partition, 0)):
                ends[partition] = position
        return {partition: self._beyond(partition, position, tails) for partition, position in ends.items()}

    def recorded(self, ends: Mapping[int, int]) -> None:
        """These are on record."""
        self._recorded |= ends

    def sends(self, place: Place) -> None:
        """This place goes out now."""
        if place.position > self._sent.get(place.partition, 0):
            self._sent[place.partition] = place.position

    def settling(self, tails: Mapping[int, int], *, ahead: bool) -> Cursor:
        """What the next settlement puts on record; it counts once it is `settled`, and what it takes away at once."""
        wanted = self._well_ahead(tails) if ahead else self.sent()
        self._settling = {p: end for p, end in wanted.items() if end != self._recorded.get(p, 0)}
        self._recorded |= {p: min(end, self._recorded.get(p, 0)) for p, end in self._settling.items()}
        return self._settling

    def settled(self) -> None:
        """The settlement is stored."""
        self._recorded |= self._settling
        self._settling = {}

    def sent(self) -> Cursor:
        """What may have been sent, and nothing ahead."""
        return dict(self._sent)

    def _well_ahead(self, tails: Mapping[int, int]) -> Cursor:
        """Not before half of what is ahead is used up, as most settlements need not bear it."""
        short = (p for p, end in self._sent.items() if self._recorded.get(p, 0) - end < self._ahead / 2)
        return {p: self._beyond(p, self._sent[p], tails) for p in short}

    def _beyond(self, partition: int, position: int, tails: Mapping[int, int]) -> int:
        """A backlog is put down as a whole: all of it is about to be sent."""
        return max(position, tails.get(partition, 0)) + self._ahead


def may_have_got(reach: Mapping[int, int], partition: int, first: Place | None) -> bool:
    """Whether a webhook of this reach may have been sent anything of a customer who stands in a partition at present, and whose
    first version stood at `first`, None if nobody knows.

    What was sent of a customer who has changed again lies anywhere between; before their first version nothing was.
    """
    if first is None or first.partition != partition:
        return bool(reach)
    return first.position <= reach.get(partition, 0)
