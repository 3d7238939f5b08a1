"""Words beside the prompt: colours as swatches, patterns and details as chips, a palette that names the nearest word.

In: an engine, category and week; what was pressed. Out: HTML, escaped, that static/words.js listens to; the prompt. The
looks are in static/words.css. Knows nothing of gradio.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

import numpy as np

from fashiondistill.data.attributes import COLOUR_BY_WORD, PATTERNS
from fashiondistill.data.measure import name_colours
from fashiondistill.data.vocabulary import Detail, details_of
from studio import promptwords, texts, wordtexts
from studio.checks import check_category, check_week
from studio.engine import DesignEngine
from studio.state import StudioError

MOVING = ("rising", "falling")  # stages of `signals.STAGES` that a word shows


@dataclass(frozen=True)
class Picked:
    """A colour of the palette in words: the prompt, what is said of it, and the named colour as CSS has it."""

    prompt: str
    words: str
    swatch: str


def words_html(engine: DesignEngine, category: str, week: str) -> str:
    """All words that are offered for a category, with what rises and falls in a week.

    Raises:
        StudioError: for an unknown category or week.
    """
    category, week = check_category(category), check_week(engine, week)
    stages = {
        attribute: {one.word: one.stage for one in engine.signals(category, attribute, week) if one.stage in MOVING}
        for attribute in ("colour", "pattern")
    }
    swatches = "".join(
        _button("colour", word, stages["colour"].get(word, ""), swatch=_css(colour.rgb))
        for word, colour in COLOUR_BY_WORD.items()
    )
    patterns = "".join(_button("pattern", word, stages["pattern"].get(word, "")) for word in PATTERNS)
    details = "".join(_button("detail", one.words, "", garments=one.garments) for one in details_read(engine, category))
    moving = any(stages.values())
    legend = f'<p class="fd-note">{escape(wordtexts.LEGEND)}</p>' if moving else ""
    return (
        f'<details class="fd-wordbook" open><summary>{escape(wordtexts.TITLE)}</summary>'
        f"{_bar(wordtexts.COLOURS, swatches, kind='swatches')}{_palette()}"
        f"{_bar(wordtexts.PATTERNS, patterns, kind='chips')}{_bar(wordtexts.DETAILS, details, kind='chips')}{legend}"
        "</details>"
    )


def details_read(engine: DesignEngine, category: str) -> tuple[Detail, ...]:
    """The details of the category's captions that the model's own vocabulary has whole."""
    return tuple(one for one in details_of(category) if engine.reads(one.words))


def _bar(label: str, buttons: str, *, kind: str) -> str:
    """A toolbar: one stop of the Tab key, arrows within; see static/words.js."""
    if not buttons:
        return ""
    return (
        f'<div class="fd-bar"><h3 aria-hidden="true">{escape(label)}</h3>'
        f'<div class="fd-{kind}" role="toolbar" aria-label="{escape(label)}">{buttons}</div></div>'
    )


def _button(kind: str, word: str, stage: str, *, swatch: str = "", garments: tuple[str, ...] = ()) -> str:
    label = escape(wordtexts.word_label(word, stage))
    shown = "" if swatch else escape(texts.word(word))
    looks = f'class="fd-swatch" style="--swatch: {swatch}"' if swatch else 'class="fd-chip"'
    trend = f' data-trend="{stage}"' if stage else ""
    own = f' data-garments="{escape("|".join(garments))}"' if garments else ""
    return (
        f'<button type="button" {looks} data-word="{kind}:{escape(word)}"{trend}{own} aria-label="{label}" '
        f'title="{label}" aria-pressed="false">{shown}</button>'
    )


def _palette() -> str:
    hint = escape(wordtexts.SECOND_HINT)
    return (
        f'<div class="fd-palette"><label><input type="color" value="#246b58">{escape(wordtexts.PALETTE)}</label>'
        f'<button type="button" class="fd-chip" data-second aria-pressed="false" title="{hint}">'
        f"{escape(wordtexts.SECOND)}</button></div>"
        '<p class="fd-picked" role="status"><i aria-hidden="true"></i><span></span></p>'
    )


def put(prompt: object, category: str, key: object, *, also: bool) -> str:
    """The prompt after a word was pressed; `key` is "kind:word" and comes from the page.

    Raises:
        StudioError: for an unknown category, or a word that is not offered.
    """
    category = check_category(category)
    kind, _, word = key.partition(":") if isinstance(key, str) else ("", "", "")
    if not isinstance(prompt, str) or word not in promptwords.words_of(kind, category):
        raise StudioError(wordtexts.no_such_word(word or key))
    return promptwords.put_word(prompt, kind, word, category=category, also=also)


def pick(prompt: object, category: str, colour: object, *, also: bool) -> Picked:
    """The prompt with the word nearest to a colour, "#rrggbb", by CIEDE2000.

    Raises:
        StudioError: for an unknown category, or what is no colour.
    """
    category = check_category(category)
    if not isinstance(prompt, str) or not isinstance(colour, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise StudioError(wordtexts.no_such_colour(colour))
    (word,) = name_colours(np.uint8([list(bytes.fromhex(colour[1:]))]))
    put_in = promptwords.put_word(prompt, "colour", word, category=category, also=also, keep=True)
    return Picked(put_in, wordtexts.nearest(colour.lower(), word), _css(COLOUR_BY_WORD[word].rgb))


def marks(prompt: object, category: str) -> tuple[list[str], str]:
    """The words of the lists that stand in a prompt, as keys, and its garment; both arguments come from the page."""
    category = check_category(category)
    told = prompt if isinstance(prompt, str) else ""
    return list(promptwords.present(told, category)), promptwords.garment_in(told, category)


def _css(rgb: tuple[int, int, int]) -> str:
    return f"rgb({rgb[0]} {rgb[1]} {rgb[2]})"
