"""English of what a candidate's card offers beyond heart, repaint and why, made as `texts` is.

In: plain values. Out: strings, not escaped.
"""

from __future__ import annotations

import reprlib

COMPARE, VARY, SUBTLY, STRONGLY = "Compare", "Vary", "Subtly", "Strongly"
REUSE_SEED = "Reuse this seed"
CLOSE_COMPARISON = "Close the comparison"
SEED_SHOWN = "Seed {seed}"
SEED_KEPT = "Seed {seed} is kept for your next designs. Keep this seed, under More settings, lets go of it."
NO_SUCH_SEED = "Seed: {seed} is not one. Type a whole number from 0 to {most} under More settings."
NO_SUCH_CHANGE = "Vary: {how} is unknown. Press Vary on a design and choose one of the two."


def seed_shown(seed: int) -> str:
    """The seed on a card."""
    return SEED_SHOWN.format(seed=seed)


def seed_kept(seed: int) -> str:
    """What the status says when a card's seed is to be used again."""
    return SEED_KEPT.format(seed=seed)


def no_such_seed(seed: object, most: int) -> str:
    """Error for what is no seed."""
    return NO_SUCH_SEED.format(seed=reprlib.repr(seed), most=most)


def no_such_change(how: object) -> str:
    """Error for a way to vary that does not exist."""
    return NO_SUCH_CHANGE.format(how=reprlib.repr(how))
