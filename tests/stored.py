"""Designs to keep, for the tests of the store: flat pictures with scores that are known.

In: plain values. Out: requests and scored designs. Run as a program it writes designs into a store until it is killed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from fashiondistill.config import GROUND, GenerateConfig
from fashiondistill.design import Design, DesignRequest, ScoredDesign
from fashiondistill.store import Store, new_id
from fashiondistill.store.designs import Origin

CATEGORY, WEEK, MODEL = "top5gub", "2020-W10", "tiny-0"
RED, NAVY, BLACK = (190, 40, 46), (36, 43, 68), (28, 28, 30)


def sketch(*, size: int = 60) -> np.ndarray:
    """A box on paper, with every grey level in its lines."""
    paper = np.zeros((512, 384), np.float32)
    paper[100 : 100 + size, 80:280] = np.linspace(0, 1, 200, dtype=np.float32)
    return paper


def request(**changes: object) -> DesignRequest:
    """Three candidates of a red t-shirt."""
    fields = {"category": CATEGORY, "week": WEEK, "prompt": "Red plain T-shirt", "sketch": sketch(), "seed": 7}
    fields["config"] = GenerateConfig(num_candidates=3)
    return DesignRequest(**(fields | changes))


def scored(asked: DesignRequest, index: int, *, rank: int = 0, rgb: tuple[int, int, int] = RED) -> ScoredDesign:
    """Candidate `index`: a box in one colour; the pictures of two candidates differ."""
    image = np.full((512, 384, 3), GROUND, np.uint8)
    image[120:400, 100:280] = rgb
    image[0, 0] = index
    return ScoredDesign(Design(image, index, asked), 0.5, 0.25, 0.4, "0123456789", rank)


def keep(store: Store, user: str, asked: DesignRequest | None = None, **changes: object) -> list[str]:
    """All candidates of a request, ranked; returns their ids in order of arrival."""
    asked = asked or request()
    request_id = store.designs.begin(asked, Origin(user, MODEL))
    drawn = [scored(asked, index, **changes) for index in range(asked.config.num_candidates)]
    ids = [store.designs.add(request_id, one, model=MODEL) for one in drawn]
    ranked = [scored(asked, one.design.index, rank=place, **changes) for place, one in enumerate(reversed(drawn), 1)]
    store.designs.finish(request_id, ranked, status="ranked", model=MODEL)
    return ids


def make_user(store: Store) -> str:
    """A user that the store knows."""
    user = new_id()
    store.welcome(user)
    return user


if __name__ == "__main__":
    opened = Store.open(Path(sys.argv[1]))
    opened.welcome(sys.argv[2])
    for number in range(int(sys.argv[3])):
        keep(opened, sys.argv[2], request(seed=number, config=GenerateConfig(num_candidates=1)))
        print(number, flush=True)
