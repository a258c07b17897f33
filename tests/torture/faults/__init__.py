"""The stage (a platform under torture), the faults that strike it, and how long it takes to recover from each.

    async with Stage.open(Plan(state=..., ports=shifted(26200), instances=2)) as stage:
        fault = draw(random.Random(seed), stage)
        await fault.strike()
        await asyncio.sleep(fault.seconds)
        await fault.heal()
        seconds = await recovered(stage, fault)
"""

from tests.torture.faults.fault import Fault

__all__ = ["Fault"]
