"""The detail words of training captions by category, as the code that writes captions has them, and words in a prompt.

In: a category's folder, or a prompt. Out: `Detail`s; places of words. Photos' words come from `photos` and `cues`,
those of drawings from `vector.kinds`; colours and patterns are in `attributes`. What a model really reads is its
tokenizer's to say. Knows nothing of pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from fashiondistill.data.categories import PHOTO_LABELS, get_category
from fashiondistill.data.cues import ASKED_OF, SAID
from fashiondistill.data.photos import LENGTHS, SLEEVES
from fashiondistill.data.vector.kinds import KINDS, phrase


@dataclass(frozen=True)
class Detail:
    """A phrase that follows the noun of a caption.

    Attributes:
        words: for example "short sleeves".
        group: what it tells, for example "sleeve"; a garment has one of each.
        garments: nouns whose captions may have it.
    """

    words: str
    group: str
    garments: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """A word of a list at its place in a prompt: prompt[start:end]."""

    words: str
    start: int
    end: int


@lru_cache
def details_of(category: str) -> tuple[Detail, ...]:
    """The details of a category's captions, those of one group together; "" is never among them.

    Raises:
        ValueError: for an unknown category.
    """
    groups: dict[str, dict[str, list[str]]] = {}
    owner: dict[str, str] = {}  # words -> their group: "regular fit" tells one thing, whoever says it
    for garment, group, words in _said(get_category(category).folder):
        group = owner.setdefault(words, group)
        garments = groups.setdefault(group, {}).setdefault(words, [])
        if garment not in garments:
            garments.append(garment)
    return tuple(
        Detail(words, group, tuple(garments)) for group, own in groups.items() for words, garments in own.items()
    )


def _said(folder: str) -> Iterator[tuple[str, str, str]]:
    """Garment, group and words of all details that captions of a category may have."""
    nouns = [noun for own, noun in PHOTO_LABELS.values() if own == folder]
    for noun in nouns:
        if noun in SLEEVES:
            yield noun, "sleeve", SLEEVES[noun]
        if noun in ASKED_OF:
            yield from ((noun, "sleeve", words) for words in SAID)
        yield from ((noun, "length", words) for _, words in LENGTHS.get(noun, ()))
    for noun, kind in KINDS.items():
        if kind.category == folder:
            for trait in kind.said:
                values = (*kind.traits.get(trait, ()), *((kind.fixed[trait],) if trait in kind.fixed else ()))
                told = (phrase(trait, value) for value in dict.fromkeys(values))
                yield from ((noun, trait, words) for words in told if words)


@lru_cache
def garments_of(category: str) -> tuple[str, ...]:
    """The nouns of a category's captions.

    Raises:
        ValueError: for an unknown category.
    """
    folder = get_category(category).folder
    photographed = [noun for own, noun in PHOTO_LABELS.values() if own == folder]
    return tuple(dict.fromkeys((*photographed, *(noun for noun, kind in KINDS.items() if kind.category == folder))))


def find_words(prompt: str, words: Iterable[str]) -> tuple[Found, ...]:
    """Where words of a list stand in a prompt, whole, in order of place; of words within words the longest.

    "light blue" is not also "blue", and a "t-shirt" is no "shirt".
    """
    longest_first = sorted(words, key=len, reverse=True)
    if not longest_first:
        return ()
    known = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE)
    return tuple(Found(one[0].lower(), one.start(), one.end()) for one in known.finditer(prompt))
