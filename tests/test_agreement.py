"""How often the ranking would have picked what was picked."""

from __future__ import annotations

from pathlib import Path

import pytest

from fashiondistill.store.agreement import agreement
from fashiondistill.store.picks import Pick, PickedDesign


def pick(own: float, *others: float) -> Pick:
    sides = [PickedDesign(f"{n}", n, {"combined": value}, Path("x.png")) for n, value in enumerate((own, *others))]
    plain = {"category": "top5gub", "week": "2020-W10", "prompt": "shirt", "seed": 1, "model": "m", "kind": "generate"}
    files = {"sketch": Path("s.png"), "image": None, "mask": None}
    return Pick(time=0.0, **plain, settings={}, **files, winner=sides[0], losers=tuple(sides[1:]))


def test_pairs_of_a_pick_count_as_one():
    found = agreement([pick(0.5, 0.4, 0.6, 0.5), pick(0.5, 0.1)])
    assert found.rate == pytest.approx((0.5 + 1) / 2) and found.num_picks == 2


def test_the_interval_is_wilsons_and_narrows():
    found = agreement([pick(0.5, 0.1)] * 8 + [pick(0.1, 0.5)] * 2)
    assert (found.rate, found.low, found.high) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)
    more = agreement(([pick(0.5, 0.1)] * 8 + [pick(0.1, 0.5)] * 2) * 10)
    assert found.low < more.low < 0.8 < more.high < found.high
    always = agreement([pick(0.5, 0.1)] * 3)
    assert always.rate == always.high == 1 and 0.4 < always.low < 0.5


def test_nothing_to_agree_with():
    assert agreement([]) is None and agreement([pick(0.5)]) is None
