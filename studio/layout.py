"""The page: where things stand and which callback answers which event.

In: an engine. Out: gr.Blocks, its parts made and bound in `panels`. Only here, there, and in components and theme does
the studio know gradio: a `StudioError` of the callbacks becomes a message in the status line, next to Generate; the
canvas keeps its drawing.
"""

from __future__ import annotations

import gradio as gr

from studio import blindtexts, boardcards, boardtexts, cards, texts
from studio.components import STATIC
from studio.engine import DesignEngine
from studio.library import Library
from studio.panels.api import bind_api
from studio.panels.blind import bind_blind, blind_tab
from studio.panels.board import bind_board, board_tab
from studio.panels.canvas import bind_canvas, canvas_column
from studio.panels.cardtools import bind_cards, comparison_row
from studio.panels.context import bind_context, context_column
from studio.panels.events import quiet
from studio.panels.exports import bind_exports, drop_script, exports_row
from studio.panels.live import bind_live, kept_cards, live_column
from studio.panels.modelcard import model_card
from studio.panels.parts import LiveParts, ResultParts, Visit
from studio.panels.remix import DESIGN_TAB, bind_remix
from studio.panels.results import bind_generate, results_column
from studio.panels.trends import bind_phrases, bind_trends, trends_tab
from studio.state import Stop, StudioError
from studio.theme import CSS_PATH, studio_theme

MAX_UPLOAD = "20mb"

LAUNCH_OPTIONS = {
    "footer_links": [],
    "run_history": False,  # it would keep every picture of every run in the browser
    "enable_monitoring": False,
    "ssr_mode": False,
    "pwa": False,
    "show_error": True,
    "max_file_size": MAX_UPLOAD,
}


def build_page(engine: DesignEngine, library: Library) -> gr.Blocks:
    """The whole page, filled for the first category and the latest week."""
    with gr.Blocks(title=texts.TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 86400)) as page:
        gr.HTML(cards.header_html())
        with gr.Row(elem_id="workspace"):
            with gr.Column(elem_id="context"):
                context = context_column(engine)
            with gr.Column(elem_id="stage"), gr.Tabs() as tabs:
                with gr.Tab(texts.TAB_DESIGN, id=DESIGN_TAB) as design, gr.Row(elem_id="design-row"):
                    with gr.Column(elem_id="canvas-column"):
                        canvas = canvas_column(engine)
                    with gr.Column(elem_id="results-column"):
                        results = results_column(engine)
                        exports = exports_row()
                        live = live_column()
                        comparison = comparison_row()
                with gr.Tab(texts.TAB_TRENDS) as tab:
                    trends = trends_tab(tab, others=design)
                with gr.Tab(boardtexts.TAB_BOARD, id="board") as tab:
                    board = board_tab(engine, tab, tabs)
                blind = None
                if engine.compared:
                    with gr.Tab(blindtexts.TAB_BLIND, id="blind") as tab:
                        blind = blind_tab(tab)
        if engine.card is not None:
            model_card(engine.card)
        visit = _visit()
        bind_context(engine, context, canvas, results)
        bind_canvas(engine, context, canvas, results)
        bind_generate(library, context, canvas, results, visit)
        bind_exports(library, context, canvas, results, exports, visit)
        bind_live(library, context, canvas, results, live, visit)
        bind_cards(library, results, live, comparison, visit)
        bind_trends(engine, (context, canvas, results), trends, tabs, visit.own)
        bind_phrases(engine, (context, canvas, results), trends, tabs)
        bind_board(library, board, results, live, visit)
        bind_remix(library, board, context, canvas, results, visit)
        if blind is not None:
            bind_blind(library, blind, context, canvas, results, visit)
        bind_api(engine)
        _bind_welcome(library, page, results, live, visit)
    page.queue(max_size=engine.config.max_queue, default_concurrency_limit=4)
    return page


def _visit() -> Visit:
    """The key is all that the browser holds: the designs are on the server."""
    user = gr.BrowserState("", storage_key="fashiondistill-user", secret="fashiondistill-user")
    return Visit(user, own=gr.State({}), latest=gr.State(()), stop=gr.State(Stop()))


def _bind_welcome(library: Library, page: gr.Blocks, results: ResultParts, live: LiveParts, visit: Visit) -> None:
    def welcome(user: str) -> tuple:
        try:
            key = library.known(user)
            return key, boardcards.line_html(library.picks_words(key))
        except StudioError as error:
            return gr.skip(), cards.message_html(str(error))

    def show_kept(user: str) -> tuple:
        try:
            return kept_cards(library, user), gr.skip()
        except StudioError as error:
            return gr.skip(), cards.message_html(str(error))

    welcomed = page.load(welcome, visit.user, [visit.user, results.picks], queue=False, **quiet())
    # Not with the page: the pictures of all that was kept must not hold up the first stroke.
    welcomed.then(show_kept, visit.user, [live.kept, results.picks], queue=False, **quiet())


def launch_options(language: str) -> dict:
    """What gradio 6 takes in `launch` rather than in `Blocks`; `language` is what screen readers are told."""
    sheets = [CSS_PATH, *(STATIC / f"{name}.css" for name in ("board", "blind", "cards", "words"))]
    looks = {"theme": studio_theme(), "css_paths": sheets}
    return LAUNCH_OPTIONS | looks | {"head": _head(language)}


def _head(language: str) -> str:
    """What listens to the page as a whole: its language, keys, the rail that orders the cards, files dropped on it."""
    scripts = [(STATIC / name).read_text(encoding="utf-8") for name in ("language.js", "keys.js", "ranking.js")]
    scripts[0] = scripts[0].replace("{language}", language)
    return "".join(f"<script>{script}</script>" for script in scripts) + drop_script()
