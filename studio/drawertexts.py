"""English of what can be done with the garments behind a plot, made as `texts` is. In: plain values. Out: strings."""

from __future__ import annotations

import reprlib

from studio import texts

USE, TRACE = "Use as prompt", "Trace its edges"
USED = "The garment's words are your prompt now. Your drawing stays."
TRACED = "The garment's lines are on the canvas. Undo brings your drawing back."
NO_SUCH_GARMENT = "Garments: article {article} is not among those shown. Click a point of a plot again."
SOLD_SHARE, LEADS = "{units}, {share} %", "behind it"
PHRASES = "This week's suggestion comes from"
PHRASE_SHOW = "{word}, {share} % of units: show its bestsellers"
PHRASE_MOVED = "{word}: {before} to {now} % of {units} units in the four weeks before {week}. Sold with it in {week}:"
PHRASE_FIRST = "{word}: {now} % of {units} units in the four weeks before {week}. Sold with it in {week}:"
PHRASE_NOT_SOLD = "Nothing with it was sold in this week itself."
NO_SUCH_PHRASE = "Suggestion: {word} is not one of its phrases. Press one of those shown."
NO_PICTURE = "Garments: {name} has no picture to trace. Choose another one."


def sold(count: int, share: float | None) -> str:
    """Units of an article, with its share of the category's in the week where that is told."""
    units = texts.units(count)
    return units if share is None else SOLD_SHARE.format(units=units, share=percent(share))


def phrase_label(word: str, share: float) -> str:
    """What pressing a phrase of the suggestion does."""
    return PHRASE_SHOW.format(word=texts.word(word), share=percent(share))


def phrase_origin(word: str, before: float | None, now: float, *, units: str, week: str) -> str:
    """Where a phrase of the suggestion for a week comes from; shares as fractions, None = no data."""
    facts = {"word": texts.capital(texts.word(word)), "now": percent(now), "units": units, "week": week}
    return PHRASE_FIRST.format(**facts) if before is None else PHRASE_MOVED.format(**facts, before=percent(before))


def no_such_phrase(word: object) -> str:
    """Error for a word that is no phrase of the suggestion."""
    return NO_SUCH_PHRASE.format(word=reprlib.repr(word))


def percent(share: float) -> str:
    """A share in percent, with a digit after the point below ten."""
    value = 100 * share
    return f"{value:.0f}" if value >= 9.5 else f"{value:.1f}"


def no_such_garment(article_id: object) -> str:
    """Error for an article that is not among the garments shown."""
    return NO_SUCH_GARMENT.format(article=reprlib.repr(article_id))


def no_picture(name: str) -> str:
    """Error for a garment without a picture to trace."""
    return NO_PICTURE.format(name=name)
