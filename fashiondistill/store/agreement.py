"""How often the ranking would have picked what the designer picked. In: picks. Out: a rate with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fashiondistill.store.picks import Pick

Z = 1.959964  # standard normal quantile of 0.975: 95 % intervals


@dataclass(frozen=True)
class Agreement:
    """Share of winners scored above their losers, 0 to 1, mean over `num_picks` picks, with a 95 % interval."""

    rate: float
    low: float
    high: float
    num_picks: int


def agreement(picks: Sequence[Pick], *, score: str = "combined") -> Agreement | None:
    """Of picks with losers; None without a pick. A tie counts one half.

    The interval is Wilson's (1927) with one observation a pick, since pairs of one pick share their winner; a pick's
    mean over several losers spreads less than a single comparison, so the interval is rather too wide than too narrow.
    """
    shares = [_share(pick, score) for pick in picks if pick.losers]
    if not shares:
        return None
    rate = sum(shares) / len(shares)
    return Agreement(rate, *wilson(rate, len(shares)), len(shares))


def wilson(rate: float, count: int) -> tuple[float, float]:
    """95 % interval of a share `rate` (0 to 1) of `count` observations, 1 or more (Wilson 1927)."""
    centre = (rate + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z * math.sqrt(rate * (1 - rate) / count + Z**2 / (4 * count**2)) / (1 + Z**2 / count)
    return max(0.0, centre - half), min(1.0, centre + half)


def _share(pick: Pick, score: str) -> float:
    own = pick.winner.scores[score]
    wins = [1.0 if own > one.scores[score] else 0.5 if own == one.scores[score] else 0.0 for one in pick.losers]
    return sum(wins) / len(wins)
