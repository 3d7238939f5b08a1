"""Words for next week where there are captions but no sales: the most typical caption of the weeks that are known.

In: captions of past weeks with weights. Out: `TypicalCaption`: one of these captions, the article that it belongs to,
and for each of its words the articles that share it. Knows nothing of units, pictures or models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[a-z][a-z-]+")
_FILLER = frozenset("a an and are as at by for from in is it its of on or that the this to with".split())


@dataclass(frozen=True)
class WeightedCaption:
    """A caption of a past week's bestseller; weights need not add up to 1."""

    article_id: str
    week: str
    caption: str
    weight: float


@dataclass(frozen=True)
class TypicalCaption:
    """The caption that shares most words with all of them.

    Attributes:
        caption: as it stands in the data.
        article_id, week: where it comes from.
        sources: word of the caption -> articles of the known weeks whose captions hold it, heaviest first.
    """

    caption: str
    article_id: str
    week: str
    sources: tuple[tuple[str, tuple[str, ...]], ...]


def typical_caption(known: Sequence[WeightedCaption]) -> TypicalCaption:
    """The weighted medoid by shared words (Jaccard); the younger week, then the lower article id, among equals.

    Raises:
        ValueError: if nothing is known.
    """
    if not known:
        raise ValueError("no caption of a past week is known: give data with earlier weeks, or use --mode oracle.")
    words = [words_of(one.caption) for one in known]
    best = max(
        range(len(known)),
        key=lambda place: (
            round(sum(one.weight * _likeness(words[place], w) for one, w in zip(known, words, strict=True)), 9),
            known[place].week,
            tuple(-ord(letter) for letter in known[place].article_id),
        ),
    )
    chosen = known[best]
    order = sorted(range(len(known)), key=lambda place: (-known[place].weight, known[place].article_id))
    sources = tuple(
        (word, tuple(dict.fromkeys(known[place].article_id for place in order if word in words[place])))
        for word in sorted(words[best])
    )
    return TypicalCaption(chosen.caption, chosen.article_id, chosen.week, sources)


def words_of(caption: str) -> frozenset[str]:
    """Words in lower case, without those that every caption has."""
    return frozenset(_WORD.findall(caption.lower())) - _FILLER


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0
