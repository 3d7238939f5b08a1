"""Words for next week where there are captions but no sales: the most typical caption of the weeks that are known; and
a shop's captions in the words that the bundled model was trained on.

In: captions of past weeks with weights. Out: `TypicalCaption`: one of these captions, the article that it belongs to,
and for each of its words the articles that share it. Knows nothing of units, pictures or models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fashiondistill.data.attributes import COLOUR_OF_HM_GROUP, PATTERN_OF_HM_APPEARANCE, compose_caption
from fashiondistill.data.shop import NOUN_OF_PRODUCT_TYPE

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


def in_training_words(caption: str) -> str:
    """A shop's caption as the training captions would say it: "Shirt in cotton. Dark yellow, check. Shirt." becomes
    "mustard checked shirt".

    The sentence with the colour is found from the end, since descriptions name colours too; the garment stands after
    it, or before it where the description was nothing but the garment. A caption without a colour of H&M's stays.
    """
    sentences = [sentence.strip() for sentence in re.split(r"[.!?](?:\s+|$)", caption) if sentence.strip()]
    colours = {_caption_word(group): colour.word for group, colour in COLOUR_OF_HM_GROUP.items()}
    patterns = {_caption_word(name): word for name, word in PATTERN_OF_HM_APPEARANCE.items()}
    nouns = {name.lower().partition("/")[0]: noun for name, noun in NOUN_OF_PRODUCT_TYPE.items()}
    for place in reversed(range(len(sentences))):
        colour, _, pattern = (part.strip().lower() for part in sentences[place].partition(","))
        if colour in colours and len(sentences) > 1:
            garment = sentences[place + 1 if place + 1 < len(sentences) else 0].lower()
            return compose_caption(
                colours=[colours[colour]],
                pattern=patterns.get(pattern, "plain" if not pattern else "patterned"),
                garment=nouns.get(garment, garment),
            )
    return caption


def _caption_word(name: str) -> str:
    """H&M's name as captions have it: "Other Green" is a green."""
    return name.lower().removeprefix("other ")
