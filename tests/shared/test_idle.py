"""How much work that nobody waits for may take, by given readings of the machine."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from shared.idle import (
    LEAST,
    LOOK_SECONDS,
    MACHINE,
    SMALL,
    SPAN_SECONDS,
    Idle,
    Usage,
    Whose,
    of_groups,
    of_machine,
    unknown,
)

Reading = Callable[[], Mapping[Whose, Usage]]


def machine(busy: Iterable[float], cores: int = 2, every: float = SPAN_SECONDS, whose: Whose = MACHINE) -> Reading:
    """One that is read once in each span of time, and uses these parts of its CPU time in them; the last for ever."""
    parts, usage = list(busy), Usage(100.0, 1000.0, 400.0)

    def read() -> Mapping[Whose, Usage]:
        nonlocal usage
        now, part = usage, parts.pop(0) if len(parts) > 1 else parts[0]
        time = every * cores
        usage = Usage(now.at + every, now.total + time, now.idle + time * (1 - part))
        return {whose: now}

    return read


@pytest.mark.parametrize(
    ("busy", "share"), [(0.0, 0.25), (0.5, 0.25), (0.65, 0.1375), (0.8, 0.025), (0.9, 0.025), (1.0, 0.025)]
)
def test_the_share_is_whole_while_half_of_the_machine_is_idle_and_next_to_nothing_below_a_fifth(
    busy: float, share: float
) -> None:
    assert Idle(machine([busy])).share(0.25) == pytest.approx(share)


def test_what_takes_hardly_anything_is_left_what_it_has() -> None:
    crowded = Idle(machine([1.0]))
    assert [crowded.share(whole) for whole in (1.0, 0.2, 0.05, 0.01, 0.001)] == pytest.approx(
        [LEAST, 0.02, SMALL, 0.01, 0.001]
    )


def test_where_nothing_tells_it_the_share_is_whole() -> None:
    assert Idle(unknown).share(0.25) == 0.25


def test_a_burst_counts_for_its_part_of_the_time_and_a_change_is_known_in_two_spans() -> None:
    of_late = Idle(machine([0.2, 0.2, 0.8, 0.8, 0.8, 0.8, 0.2], every=SPAN_SECONDS / 2))
    assert [round(of_late.of_late(), 2) for _ in range(9)] == [0.8, 0.8, 0.6, 0.2, 0.2, 0.2, 0.4, 0.8, 0.8]


def test_readings_that_come_one_upon_the_other_are_of_one_span() -> None:
    """A thousand looks a second would else be about a millisecond each."""
    of_late = Idle(machine([*[1.0] * 50, 0.0], every=SPAN_SECONDS / 50))
    looks = [of_late.of_late() for _ in range(100)]
    assert looks[:49] == pytest.approx([0.0] * 49, abs=1e-9)
    assert looks == pytest.approx(sorted(looks), abs=1e-9)
    assert looks[-1] == pytest.approx(0.5, abs=0.02)


def test_clocks_that_stand_still_or_go_back_give_no_more_than_the_share() -> None:
    """The time that a processor waited for disks may become less, proc(5) says."""
    readings = iter([Usage(0.0, 10.0, 5.0), Usage(1.0, 10.0, 5.0), Usage(2.0, 12.0, 4.0), Usage(3.0, 13.0, 9.0)])
    still = Idle(lambda: {MACHINE: next(readings)})
    assert [still.share(0.25) for _ in range(3)] == [0.25, pytest.approx(0.025), 0.25]


async def test_on_a_machine_of_its_own_work_does_not_give_way_to_itself() -> None:
    """One processor, all of whose time the work takes."""
    spent = 0.0

    def read() -> Mapping[Whose, Usage]:
        return {MACHINE: Usage(spent, spent, 0.0)}

    alone = Idle(read, lambda: spent)
    for _ in range(20):
        async with alone.piece(1.0):
            spent += SPAN_SECONDS
        assert alone.share(1.0) == 1.0


async def test_what_the_process_does_between_pieces_is_others_work() -> None:
    spent = 0.0

    def read() -> Mapping[Whose, Usage]:
        return {MACHINE: Usage(spent, spent, 0.0)}

    shared = Idle(read, lambda: spent)
    for _ in range(20):
        async with shared.piece(1.0):
            spent += 1.0
        spent += 9.0
    assert shared.share(1.0) == LEAST


class Naps(list[float]):
    """How long was slept."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


async def test_after_a_piece_comes_the_rest_of_its_time() -> None:
    naps = Naps()
    await Idle(unknown, sleep=naps).rest(0.5, 0.25)
    assert naps == [1.5]


async def test_a_long_rest_ends_when_the_machine_becomes_idle() -> None:
    naps = Naps()
    await Idle(machine([1.0]), sleep=naps).rest(0.5, 0.25)
    assert sum(naps) == pytest.approx(19.5)
    assert max(naps) == LOOK_SECONDS
    naps.clear()
    await Idle(machine([1.0, 1.0, 1.0, 0.0]), sleep=naps).rest(0.5, 0.25)
    assert sum(naps) == 3 * LOOK_SECONDS


async def test_a_piece_that_fails_is_told_at_once() -> None:
    naps = Naps()
    with pytest.raises(LookupError):
        async with Idle(machine([1.0]), sleep=naps).piece(0.01):
            raise LookupError
    assert naps == []


async def test_who_rests_is_cancelled_at_once() -> None:
    rests = asyncio.Event()

    async def work() -> None:
        async with Idle(unknown).piece(1e-9):
            rests.set()

    working = asyncio.create_task(work())
    await rests.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


def test_what_has_the_least_left_decides() -> None:
    """A container may be at its bound on a machine that is idle, and far from it on one that is not."""
    host, own = machine([0.1, 0.1, 0.9]), machine([0.6, 0.6, 0.6], whose=("own", 0.5))
    both = Idle(lambda: {**host(), **own()})
    assert [round(both.of_late(), 2) for _ in range(4)] == [0.4, 0.4, 0.1, 0.1]


def test_a_limit_that_is_set_changed_or_lifted_counts_from_then_on() -> None:
    host, tight, wide = machine([0.1]), machine([1.0], whose=("own", 0.5)), machine([0.5], whose=("own", 1.0))
    limits: list[Reading] = []
    limited = Idle(lambda: {**host(), **(limits[0]() if limits else {})})
    looks = []
    for now in ([], [tight], [wide], []):
        limits[:] = now
        looks.append([round(limited.of_late(), 2) for _ in range(3)])
    assert looks == [[0.9, 0.9, 0.9], [0.9, 0.0, 0.0], [0.9, 0.5, 0.5], [0.9, 0.9, 0.9]]


def group(directory: Path, limit: str, used: int) -> None:
    """As the kernel writes it (cgroup-v2, CPU Interface Files)."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "cpu.max").write_text(f"{limit}\n")
    (directory / "cpu.stat").write_text(f"usage_usec {used}\nuser_usec {used}\nsystem_usec 0\nnr_periods 0\n")


def of_own(own: Path, groups: Path) -> dict[tuple[str, float], float]:
    """Who is bound, and the CPU time that it has used."""
    usages = of_groups(own, groups)
    return {
        (str(Path(name).relative_to(groups)), processors): round(usage.total - usage.idle, 6)
        for (name, processors), usage in usages.items()
    }


def test_of_a_container_its_limit_and_its_use_are_read(tmp_path: Path) -> None:
    (own := tmp_path / "cgroup").write_text("0::/\n")
    group(groups := tmp_path / "groups", "50000 100000", 3_250_000)
    assert of_own(own, groups) == {(".", 0.5): 3.25}


def test_of_groups_in_groups_each_that_has_a_limit_binds(tmp_path: Path) -> None:
    (own := tmp_path / "cgroup").write_text("2:cpuset:/elsewhere\n0::/pods/ours/rapport\n")
    groups = tmp_path / "groups"
    (groups / "pods").mkdir(parents=True)
    group(groups / "pods" / "ours", "150000 100000", 7_000_000)
    group(groups / "pods" / "ours" / "rapport", "max 100000", 5_000_000)
    group(groups / "pods" / "others", "10000 100000", 1_000_000)
    assert of_own(own, groups) == {("pods/ours", 1.5): 7.0}


@pytest.mark.parametrize("own", ["", "1:cpu:/\n", "0::/gone/away\n", "0::/../beyond\n"])
@pytest.mark.parametrize("limit", ["", "much", "max max", "0 0 0", "-", "10000"])
def test_what_cannot_be_read_binds_nobody(own: str, limit: str, tmp_path: Path) -> None:
    (path := tmp_path / "cgroup").write_text(own)
    group(groups := tmp_path / "groups", limit, 1)
    assert of_groups(path, groups) == {}
    assert of_groups(tmp_path / "none", tmp_path / "nowhere") == {}


def test_where_the_kernel_tells_no_use_nobody_is_bound(tmp_path: Path) -> None:
    group(tmp_path, "50000 100000", 1)
    for text in ("", "usage_usec\n", "usage_usec much\n", "nr_periods 1\n"):
        (tmp_path / "cpu.stat").write_text(text)
        assert of_groups(tmp_path / "none", tmp_path) == {}


def test_this_machine_tells_its_time() -> None:
    usage = of_machine()[MACHINE]
    assert 0 <= usage.idle <= usage.total


def test_a_system_that_does_not_tell_its_time_is_not_known(tmp_path: Path) -> None:
    for text in ("", "cpu 1 2 3\n", "cpu some text that is not one of numbers\n"):
        (stat := tmp_path / "stat").write_text(text)
        assert of_machine(stat) == {}
    assert of_machine(tmp_path / "none") == {}
