"""The stage (a platform under torture), the faults that strike it, and how long it takes to recover from each.

async with Stage.open(Plan(state=Path("var/torture/7/stage"), base=26200, instances=2)) as stage:
    fault = draw(random.Random(7), stage)
    await fault.strike()
    await asyncio.sleep(fault.seconds)
    await fault.heal()
    seconds = await recovered(stage, fault)
"""

from tests.torture.faults.drawing import KINDS, draw
from tests.torture.faults.fault import Fault
from tests.torture.faults.plan import Plan
from tests.torture.faults.recovery import NotRecovered, recovered
from tests.torture.faults.stage import Sender, Stage

__all__ = ["KINDS", "Fault", "NotRecovered", "Plan", "Sender", "Stage", "draw", "recovered"]
