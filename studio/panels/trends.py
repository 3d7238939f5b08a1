"""Trends tab: plots that follow category and week, and the pictures behind a point."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from studio import cards, drawer, provenance, texts, trendboard, trendtexts
from studio.components import TrendBoard, TrendPictures
from studio.engine import ATTRIBUTES, DesignEngine
from studio.panels.events import following, quiet
from studio.panels.parts import CanvasParts, ContextParts, ResultParts, TrendParts
from studio.panels.remix import DESIGN_TAB
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
    pictures = TrendPictures(f"<p>{cards.escape(trendtexts.PICTURES_HINT)}</p>")
    return TrendParts(tab, others, attribute, words, board, pictures, gr.Checkbox(False, visible="hidden"))


def bind_trends(
    engine: DesignEngine,
    page: tuple[ContextParts, CanvasParts, ResultParts],
    trends: TrendParts,
    tabs: gr.Tabs,
    own: gr.State,
) -> None:
    context, clicked = page[0], gr.State(None)
    _bind_pictures(engine, page, trends, tabs, clicked)

    def draw(category: str, attribute: str, week: str, own: trendboard.OwnDesigns) -> tuple:
        try:
            plots, words = trendboard.board(engine, category, attribute, week, trendboard.designs_of(own, category))
        except StudioError as error:
            return gr.skip(), cards.message_html(str(error)), True
        return plots, f"<p>{cards.escape(words)}</p>", True

    def follow(category: str, attribute: str, week: str, own: trendboard.OwnDesigns, shown: bool) -> tuple:
        return draw(category, attribute, week, own) if shown else (gr.skip(), gr.skip(), gr.skip())

    inputs = [context.category, trends.attribute, context.week, own]
    outputs = [trends.board, trends.words, trends.shown]
    trends.tab.select(draw, inputs, outputs, **following())
    trends.others.select(fn=None, inputs=None, outputs=trends.shown, js="() => false", **quiet())
    # While the tab is hidden its plots would only keep the cores from the model; they are drawn when it is opened.
    triggers = [trends.attribute.change, context.category.change, context.week.change]
    gr.on(triggers, follow, [*inputs, trends.shown], outputs, **following())


def _bind_pictures(
    engine: DesignEngine,
    page: tuple[ContextParts, CanvasParts, ResultParts],
    trends: TrendParts,
    tabs: gr.Tabs,
    clicked: gr.State,
) -> None:
    context = page[0]

    def show_pictures(category: str, attribute: str, event: gr.EventData) -> tuple:
        given = event._data if isinstance(event._data, dict) else {}  # comes from the page: not to be trusted
        try:
            found = trendboard.pictures(engine, category, attribute, given.get("week"), given.get("word"))
        except StudioError as error:
            return cards.message_html(str(error)), None
        return cards.drawer_html(*found), drawer.Clicked(category, attribute, given["week"], given["word"])

    def again(shown: drawer.Clicked) -> str:
        return cards.drawer_html(*trendboard.pictures(engine, *vars(shown).values()))

    trends.board.click(show_pictures, [context.category, trends.attribute], [trends.pictures, clicked], **quiet())
    bind_take(engine, page, (tabs, trends.shown), (trends.pictures, clicked), again)


def bind_phrases(
    engine: DesignEngine, page: tuple[ContextParts, CanvasParts, ResultParts], trends: TrendParts, tabs: gr.Tabs
) -> None:
    """The phrases of the week's suggestion, and the garments behind the one that is pressed."""
    context, clicked = page[0], gr.State(None)

    def show_behind(category: str, week: str, event: gr.EventData) -> tuple:
        word = event._data.get("word") if isinstance(event._data, dict) else None
        if word == "":
            return "", None
        try:
            found = provenance.behind(engine, category, week, word)
        except StudioError as error:
            return cards.message_html(str(error)), None
        return provenance.behind_html(found), found.clicked

    def again(shown: drawer.Clicked) -> str:
        return provenance.behind_html(provenance.behind(engine, shown.category, shown.week, shown.word))

    context.phrases.phrase(show_behind, [context.category, context.week], [context.behind, clicked], **quiet())
    bind_take(engine, page, (tabs, trends.shown), (context.behind, clicked), again)


def bind_take(
    engine: DesignEngine,
    page: tuple[ContextParts, CanvasParts, ResultParts],
    left: tuple[gr.Tabs, gr.Checkbox],
    garments: tuple[gr.HTML, gr.State],
    again: Callable[[drawer.Clicked], str],
) -> None:
    """What is taken from a garment goes onto the Design tab.

    Args:
        engine, page: of the page.
        left: the tabs, and whether the Trends tab is shown, which it then is not.
        garments: what shows them, and what they were shown for.
        again: draws them once more.
    """
    context, canvas, results = page
    pictures, clicked = garments

    def take_garment(shown: drawer.Clicked | None, event: gr.EventData) -> tuple:
        given = event._data if isinstance(event._data, dict) else {}
        try:
            taken = drawer.take(engine, shown, given.get("article"), given.get("how"))
        except StudioError as error:
            said = cards.message_html(str(error))  # where the designer looks: above the garments, which stay
            return *[gr.skip()] * 4, said + (again(shown) if shown else ""), gr.skip()
        return (
            gr.update(selected=DESIGN_TAB),
            taken.prompt or gr.skip(),
            taken.sketch or gr.skip(),
            cards.message_html(taken.message, phase="idle"),
            gr.skip(),
            False,
        )

    outputs = [left[0], context.prompt, canvas.canvas, results.status, pictures, left[1]]
    pictures.take(take_garment, clicked, outputs, **quiet())
