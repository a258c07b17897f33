"""The story the demo plays: history until autumn, a campaign from live scores, the rest of the year, the judgement."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from demo.channels import CHANNELS, Channels, issue_key
from demo.emitters.history import DATA, events
from demo.emitters.plan import Step, gone_quiet, plan, tally, until
from demo.emitters.player import Player
from demo.emitters.senders import HttpSender, KafkaSender
from demo.emitters.systems import SYSTEMS
from demo.finance import Finance
from demo.latency import latency
from demo.ledger.accounts import Accounts, accounts
from demo.ledger.campaign import Campaign, compare_campaign
from demo.ledger.compare import Books, Holdings, compare
from demo.ledger.decisions import folded, forgotten, together
from demo.ledger.difference import Difference
from demo.ledger.forgotten import Gone, compare_forgotten, mentions
from demo.ledger.people import Document, households
from demo.marketing import Marketing
from demo.platform import Platform
from demo.result import ChannelResult, Pace, Result
from demo.settling import Settling
from demo.show import Show
from demo.stage import Stage
from demo.steward import Steward

LAUNCH_DAY = datetime(2017, 10, 1, tzinfo=UTC)
STEADY_SHARE = 0.25
STEADY_RATES = (50.0, 1000.0)
STEADY_SECONDS = 15
"""The last events are played for so long at a share of the pace that this machine has just shown, within limits:
latency says something only where there is no queue."""


class Performance:
    """One run on one stage."""

    def __init__(self, stage: Stage, show: Show, folder: Path, share: float) -> None:
        self._stage, self._show = stage, show
        self._steps = plan(events(share=share))
        self._accounts = accounts(DATA, share)
        self._channels = Channels(folder)
        self._platform = Platform(stage.base_url, stage.admin_key)
        self._settling = Settling(self._platform, self._channels)
        self._marketing = Marketing(self._platform)
        self._finance = Finance(self._platform, DATA, share)
        self._steward = Steward(self._platform, DATA, share)
        self._senders: dict[str, HttpSender] = {}

    async def run(self) -> Result:
        began = time.perf_counter()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._platform)
            stack.push_async_callback(self._channels.stop)
            with self._show.step("Two channels register and start listening"):
                await self._channels.start(self._platform)
            with self._show.step("The company says what things cost (made up)"):
                await self._finance.tell_costs()
            player = await self._player(stack)
            pace = await self._until_autumn(player)
            with self._show.step("A steward merges whom the platform takes for one"):
                await self._steward.review()
            campaign_id = await self._campaign()
            pace.steady_rate = await self._rest_of_the_year(player, pace)
            return await self._judge(player, pace, campaign_id, began)

    async def _player(self, stack: AsyncExitStack) -> Player:
        producer = KafkaSender.producer(self._stage.bootstrap)
        await producer.start()
        stack.push_async_callback(producer.stop)
        for system in SYSTEMS:
            if system.transport == "http":
                key = await issue_key(self._platform, system.name, "events:write")
                url = f"{self._platform.base_url}/v1/events"
                self._senders[system.name] = HttpSender(self._platform.session, url, key)
        return Player(self._senders, KafkaSender(producer, self._stage.namespace))

    async def _until_autumn(self, player: Player) -> Pace:
        steps = self._steps[: until(self._steps, LAUNCH_DAY)]
        began = time.perf_counter()
        with self._show.step("Channel systems tell January to September", len(steps)) as bar:
            sending = await player.play(steps, bar.advance)
        complete = await self._drained(steps)
        return Pace(len(steps), sending, time.perf_counter() - began, complete=complete)

    async def _drained(self, steps: Sequence[Step]) -> bool:
        with self._show.step("Every event takes its effects, up to the channels") as bar:
            gone = sum(len(account.orders) for account in self._forgotten().values())
            return await self._settling.drained(tally(steps), bar.reach, gone)

    def _forgotten(self) -> Accounts:
        return forgotten(self._accounts, self._steward.decisions)

    async def _campaign(self) -> str:
        with self._show.step("The models are fitted on what has come in"):
            await self._marketing.refit()
        with self._show.step("A campaign goes to the valuable who slip away"):
            return await self._marketing.launch()

    async def _rest_of_the_year(self, player: Player, pace: Pace) -> float:
        """Returns the rate of the steady part, in events a second."""
        rest = self._steps[until(self._steps, LAUNCH_DAY) :]
        rate = steady_rate(pace)
        cut = len(rest) - min(len(rest) // 2, int(rate * STEADY_SECONDS))
        with self._show.step("October to December", cut) as bar:
            await player.play(rest[:cut], bar.advance)
        pace.complete &= await self._drained(self._steps[: len(self._steps) - len(rest) + cut])
        with self._show.step("A merge is taken back, a customer forgotten"):
            await self._put_right()
        with self._show.step(f"The last days at a steady {rate:.0f} events/s", len(rest) - cut) as bar:
            seconds = await player.play_steadily(rest[cut:], rate, bar.advance)
        pace.complete &= await self._drained(self._steps)
        return round((len(rest) - cut) / seconds, 1)

    async def _put_right(self) -> None:
        """Whoever asks to be forgotten has not been seen since autumn: their cards are nobody's afterwards."""
        await self._steward.put_right()
        household = gone_quiet(self._steps, until(self._steps, LAUNCH_DAY))
        if household is not None:
            await self._steward.forget(household)

    async def _judge(self, player: Player, pace: Pace, campaign_id: str, began: float) -> Result:
        with self._show.step("The models are fitted on the whole year"):
            await self._marketing.refit()
        with self._show.step("Both channels catch up"):
            views, stale = await self._settling.settled()
        with self._show.step("The ledger counts everything again"):
            held = await self._platform.holdings(sum((s.rejected for s in self._senders.values()), Counter()))
            campaign = await self._platform.campaign(campaign_id)
            mismatches = await asyncio.to_thread(self._compare, held, campaign)
            mismatches += [*self._steward.wrong(), *await self._ask_for_the_erased()]
        with self._show.step("Books and contracts are looked through, and counted again"):
            findings = await self._finance.look(held.customers, self._steward.decisions)
        leaving = await self._marketing.leaving()
        return Result(
            broker=self._stage.broker,
            households=len({step.event.household for step in self._steps}),
            planned=tally(self._steps),
            held=held,
            mismatches=[*mismatches, *findings.differences],
            channels=self._channel_results(player, views, stale),
            campaign=campaign.effect,
            model=await self._marketing.model(),
            segments=await self._marketing.segments(),
            valuable=await self._marketing.most_valuable(),
            leaving=leaving,
            wishes=await self._marketing.wishes(leaving),
            findings=findings,
            stewardship=self._steward.told(),
            names=households(views),
            pace=pace,
            seconds=time.perf_counter() - began,
        )

    def _compare(self, held: Holdings, campaign: Campaign) -> list[Difference]:
        counted = tally(self._steps)
        books = Books(
            folded(self._accounts, self._steward.decisions),
            {
                "contacts": counted.twice["contacts"],
                "interactions": sum(counted.twice[kind] for kind in ("sales", "interactions", "contracts")),
            },
            counted.dead_letters,
            counted.rejected,
            sum(sender.sent_again for sender in self._senders.values()),
            self._forgotten(),
        )
        return [*compare(books, held), *compare_campaign(books.accounts, held.customers, campaign)]

    async def _ask_for_the_erased(self) -> list[Difference]:
        """Every place once more, by all ids and identifiers that they had."""
        if not (parts := self._forgotten()):
            return []
        account = together(parts.values())
        kept = {channel.name: self._channels.kept(channel) for channel in CHANNELS}
        named = {name: sum(map(partial(mentions, account), found.bodies.values())) for name, found in kept.items()}
        gone = Gone(
            await self._steward.receipts(),
            await self._steward.asked(account.identifiers),
            {name: found.erased for name, found in kept.items()},
            named,
        )
        return compare_forgotten(account, gone)

    def _channel_results(
        self, player: Player, views: Sequence[Document], stale: dict[str, list[Difference]]
    ) -> dict[str, ChannelResult]:
        results, whose = {}, households(views)
        # Of whoever has several ids, or had, it cannot be said by which count of orders a sale has arrived.
        sendings = [one for one in player.sendings if one.household not in self._steward.touched]
        for channel in CHANNELS:
            kept = self._channels.kept(channel)
            measured = latency(sendings, kept.arrivals, whose)
            results[channel.name] = ChannelResult(len(kept.bodies), stale[channel.name], kept.counts, measured)
        return results


def steady_rate(pace: Pace) -> float:
    """In whole fifties, so that two runs on one machine can be compared."""
    least, most = STEADY_RATES
    return min(most, max(least, pace.events_per_second * STEADY_SHARE // 50 * 50))
