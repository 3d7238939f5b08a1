"""Trends tab: plots that follow category and week, and the pictures behind a point."""

from __future__ import annotations

import gradio as gr

from studio import cards, texts, trendboard, trendtexts
from studio.components import TrendBoard
from studio.engine import ATTRIBUTES, DesignEngine
from studio.panels.events import following, quiet
from studio.panels.parts import ContextParts, TrendParts
from studio.plots import PLOTLY_JS
from studio.state import StudioError


def trends_tab(tab: gr.Tab, *, others: gr.Tab) -> TrendParts:
    attribute = gr.Radio(
        [(texts.ATTRIBUTE_LABELS[name], name) for name in ATTRIBUTES],
        value=ATTRIBUTES[0],
        label=texts.ATTRIBUTE,
        elem_id="attribute",
    )
    words = gr.HTML(elem_id="trend-words")
    board = TrendBoard(PLOTLY_JS)
    pictures = gr.HTML(f"<p>{cards.escape(trendtexts.PICTURES_HINT)}</p>", elem_id="trend-pictures")
    return TrendParts(tab, others, attribute, words, board, pictures, gr.Checkbox(False, visible="hidden"))


def bind_trends(engine: DesignEngine, context: ContextParts, trends: TrendParts, own: gr.State) -> None:
    def draw(category: str, attribute: str, week: str, own: trendboard.OwnDesigns) -> tuple:
        try:
            plots, words = trendboard.board(engine, category, attribute, week, trendboard.designs_of(own, category))
        except StudioError as error:
            return gr.skip(), cards.message_html(str(error)), True
        return plots, f"<p>{cards.escape(words)}</p>", True

    def follow(category: str, attribute: str, week: str, own: trendboard.OwnDesigns, shown: bool) -> tuple:
        return draw(category, attribute, week, own) if shown else (gr.skip(), gr.skip(), gr.skip())

    def show_pictures(category: str, attribute: str, event: gr.EventData) -> str:
        given = event._data if isinstance(event._data, dict) else {}  # comes from the page: not to be trusted
        try:
            found = trendboard.pictures(engine, category, attribute, given.get("week"), given.get("word"))
        except StudioError as error:
            return cards.message_html(str(error))
        return cards.drawer_html(*found)

    inputs = [context.category, trends.attribute, context.week, own]
    outputs = [trends.board, trends.words, trends.shown]
    trends.tab.select(draw, inputs, outputs, **following())
    trends.others.select(fn=None, inputs=None, outputs=trends.shown, js="() => false", **quiet())
    # While the tab is hidden its plots would only keep the cores from the model; they are drawn when it is opened.
    triggers = [trends.attribute.change, context.category.change, context.week.change]
    gr.on(triggers, follow, [*inputs, trends.shown], outputs, **following())
    trends.board.click(show_pictures, [context.category, trends.attribute], trends.pictures, **quiet())
