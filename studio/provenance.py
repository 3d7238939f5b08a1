"""Where the week's suggestion comes from: its phrases, and the bestsellers behind each.

In: an engine, and a phrase that was pressed. Out: HTML of the phrases, which static/phrases.js listens to; the garments
behind one. The suggestion for a week is made from the four weeks before it; what is shown sold in the week itself, and
says which articles the phrase was made from. Knows nothing of gradio.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

from studio import cards, drawertexts, texts, trendboard, trendtexts
from studio.drawer import Clicked
from studio.engine import DesignEngine
from studio.state import BestsellerTile, PageContext, StudioError

if TYPE_CHECKING:
    from fashiondistill.trends import TrendPhrase


@dataclass(frozen=True)
class Behind:
    """What stands behind a phrase: a heading, where it comes from, and what sold with it in the week, best first."""

    clicked: Clicked
    title: str
    note: str
    tiles: tuple[BestsellerTile, ...]


def phrases_html(context: PageContext) -> str:
    """The suggestion's phrases as buttons; "" without a suggestion."""
    if not context.phrases:
        return ""
    buttons = "".join(_button(one) for one in context.phrases)
    label = escape(drawertexts.PHRASES)
    return (
        f'<div class="fd-phrase-line" role="group" aria-label="{label}"><span aria-hidden="true">{label}</span>'
        f"{buttons}</div>"
    )


def _button(phrase: TrendPhrase) -> str:
    label = escape(drawertexts.phrase_label(phrase.words, phrase.share_now))
    return (
        f'<button type="button" class="fd-chip" data-phrase="{escape(phrase.words)}" aria-expanded="false" '
        f'aria-label="{label}" title="{label}">{escape(texts.word(phrase.words))}</button>'
    )


def behind(engine: DesignEngine, category: str, week: str, word: object) -> Behind:
    """The garments behind a phrase; category, week and word come from the page and are not to be trusted.

    Raises:
        StudioError: for an unknown category or week, a word that is no phrase, or a damaged picture.
    """
    category, week = trendboard.check_category(category), trendboard.check_week(engine, week)
    phrase = next((one for one in engine.trend_prompt(category, week).phrases if one.words == word), None)
    if phrase is None:
        raise StudioError(drawertexts.no_such_phrase(word))
    title, shown = trendboard.pictures(engine, category, phrase.attribute, week, phrase.words)
    total = engine.units_sold(category, week)
    tiles = tuple(replace(one, share=one.units / total, leads=one.article_id in phrase.article_ids) for one in shown)
    note = drawertexts.phrase_origin(
        phrase.words, phrase.share_before, phrase.share_now, units=trendtexts.UNITS[category], week=week
    )
    return Behind(Clicked(category, phrase.attribute, week, phrase.words), title, note, tiles)


def behind_html(found: Behind) -> str:
    """`behind` as the drawer that plots have, too."""
    return cards.drawer_html(found.title, found.tiles, note=found.note, none=drawertexts.PHRASE_NOT_SOLD)
