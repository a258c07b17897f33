"""A campaign's customers who were found to be one are one person: counted once, with all that the person has bought."""

from decimal import Decimal

from services.campaigns.domain.campaign import Campaign, drawn
from services.campaigns.domain.effect import add_up, no_figures
from services.campaigns.handlers.campaigns import Response, Selection
from services.campaigns.handlers.persons import Persons
from shared.clock import WallClock
from shared.contracts.fact import Fact
from tests.campaigns.facts import customer, day, order, received
from tests.campaigns.handlers.test_profiles import UNIT
from tests.campaigns.memory import MemoryProfiles, following
from tests.campaigns.test_campaign import DRAFT
from tests.links import MemoryLinks, link

ANN, BOB, CAT, DAN = PEOPLE = tuple(customer(number) for number in range(4))
CAMPAIGN: Campaign = drawn(DRAFT, day(10), treated=2, held_out=1)
NOBODY = (0, Decimal(0))


class World:
    """Ann and Cat are to be contacted, Bob is held out, Dan is not in the campaign."""

    def __init__(self) -> None:
        self.profiles, self.links = MemoryProfiles(), MemoryLinks()
        self.rows = [Selection(ANN, "treatment"), Selection(BOB, "control"), Selection(CAT, "treatment")]
        self.persons = Persons(self, self.profiles, self.links)

    async def selected(self, campaign_id: str, customer_ids: object) -> list[Selection]:
        assert campaign_id == CAMPAIGN.campaign_id
        return [row for row in self.rows if row.customer_id in customer_ids]  # type: ignore[operator]

    async def hear(self, *facts: Fact) -> None:
        events = [received(fact, offset) for offset, fact in enumerate(facts)]
        await following(self.profiles, self.links, WallClock()).fold(UNIT, events)

    async def responses(self) -> list[Response]:
        return await self.persons.responses(CAMPAIGN, self.rows)


async def test_what_a_person_bought_under_any_id_is_their_response() -> None:
    world = World()
    await world.hear(order(1, ANN, day(11), "10"), order(2, DAN, day(12), "5"), order(3, DAN, day(9), "99"))
    assert (await world.responses())[0] == Response(ANN, "treatment", 1, Decimal(10))
    for survivor, absorbed in ((DAN, ANN), (ANN, DAN)):
        await world.hear(link(absorbed, survivor, 1))
        assert (await world.responses())[0] == Response(ANN, "treatment", 2, Decimal(15))
        await world.hear(link(absorbed, survivor, 2))
        assert (await world.responses())[0] == Response(ANN, "treatment", 1, Decimal(10))


async def test_a_person_who_was_drawn_twice_counts_once_in_the_arm_of_the_first_registered() -> None:
    world = World()
    await world.hear(order(1, ANN, day(11), "10"), order(2, BOB, day(12), "5"), order(3, CAT, day(12), "1"))
    for survivor, absorbed in ((BOB, CAT), (CAT, BOB)):
        await world.hear(link(absorbed, survivor, 1))
        assert await world.responses() == [
            Response(ANN, "treatment", 1, Decimal(10)),
            Response(BOB, "control", 2, Decimal(6)),
            Response(CAT, "treatment", *NOBODY, counted_with=BOB),
        ]
        await world.hear(link(absorbed, survivor, 2))
    assert [one.counted_with for one in await world.responses()] == [None, None, None]


async def test_the_effect_counts_persons() -> None:
    world = World()
    await world.hear(order(1, ANN, day(11), "10"), order(2, BOB, day(12), "5"), link(BOB, ANN, 1))
    figures = no_figures()
    add_up(figures, await world.responses())
    assert (figures["treatment"].customers, figures["treatment"].orders) == (2, 2)
    assert figures["treatment"].revenue == Decimal(15)
    assert figures["control"].customers == 0


async def test_wherever_a_page_ends_a_person_counts_once() -> None:
    world = World()
    await world.hear(order(2, BOB, day(12), "5"), link(CAT, ANN, 1))
    pages = [await world.persons.responses(CAMPAIGN, [row]) for row in world.rows]
    assert [response for page in pages for response in page] == await world.responses()
