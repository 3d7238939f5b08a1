"""English of the words beside the prompt and of the palette, made as `texts` is. In: plain values. Out: strings."""

from __future__ import annotations

import reprlib

from studio import texts, trendtexts

TITLE = "Words for your prompt"
COLOURS, PATTERNS, DETAILS = "Colour", "Pattern", "Details"
SECOND, SECOND_HINT = "Add a second", "Add the next colour to the one in your prompt; so does Shift"
PALETTE = "Any colour"
NEAREST = "{colour}: the nearest word that the model knows is {word}. It reads words, not colours."
LEGEND = "\u25b2 rising, \u25bc falling: share of units, last four weeks against the four before"
WITH_TREND = "{word}, {trend}"
NO_SUCH_WORD = "Prompt: {word} is none of the words offered. Press one of those shown, or type it."
NO_SUCH_COLOUR = "Palette: {colour} is no colour. Give one as #rrggbb."


def nearest(colour: str, word: str) -> str:
    """What became of a colour that was picked."""
    return NEAREST.format(colour=colour, word=texts.word(word))


def word_label(word: str, stage: str) -> str:
    """A word and whether it is "rising" or "falling"; "" for neither."""
    shown = texts.word(word)
    return WITH_TREND.format(word=shown, trend=trendtexts.STAGES[stage]) if stage else shown


def no_such_word(word: object) -> str:
    """Error for a word that is not offered."""
    return NO_SUCH_WORD.format(word=reprlib.repr(word))


def no_such_colour(colour: object) -> str:
    """Error for what is no colour."""
    return NO_SUCH_COLOUR.format(colour=reprlib.repr(colour))
