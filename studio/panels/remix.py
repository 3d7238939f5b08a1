"""What the Board tab does with the model: open a design again, vary it, draw it across weeks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import gradio as gr

from fashiondistill.design import DesignRequest
from studio import boardcards, callbacks, cards
from studio.cardtools import STRENGTHS
from studio.library import Library
from studio.panels.board import failed
from studio.panels.events import quiet
from studio.panels.parts import BoardParts, CanvasParts, ContextParts, ResultParts, Visit
from studio.panels.results import Asked, result_outputs, stream_results
from studio.state import Stop, StudioError
from studio.trendboard import OwnDesigns

DESIGN_TAB = "design"  # id of the tab that a design is opened in


def bind_remix(
    library: Library,
    board: BoardParts,
    context: ContextParts,
    canvas: CanvasParts,
    results: ResultParts,
    visit: Visit,
) -> None:
    _bind_open(library, board, context, canvas, results, visit)
    for button, kind in ((board.vary_subtle, "vary_subtle"), (board.vary_strong, "vary_strong")):
        _bind_variation(library, board, results, visit, button, kind)
    _bind_weeks(library, board, visit)


def _bind_open(
    library: Library,
    board: BoardParts,
    context: ContextParts,
    canvas: CanvasParts,
    results: ResultParts,
    visit: Visit,
) -> None:
    def open_again(user: str, chosen: str) -> tuple:
        try:
            one = library.reopen(user, chosen)
        except StudioError as error:
            return *[gr.skip()] * 16, failed(error)
        return (
            gr.update(selected=DESIGN_TAB),
            one.category,
            one.week or gr.skip(),
            one.prompt,
            one.suggestion if one.week else gr.skip(),  # of that week, so that the events that follow keep the prompt
            one.canvas,
            one.mask,
            one.base,
            one.category,
            one.config.num_candidates,
            one.config.num_inference_steps,
            one.config.guidance_scale,
            one.config.sketch_influence,
            one.seed,
            True,
            cards.message_html(one.words, phase="idle"),
            "",
        )

    outputs = [
        board.tabs,
        context.category,
        context.week,
        context.prompt,
        context.suggestion,
        canvas.canvas,
        canvas.mask,
        canvas.base,
        canvas.template_of,
        results.num_candidates,
        results.steps,
        results.guidance,
        results.influence,
        results.seed,
        results.lock_seed,
        results.status,
        board.message,
    ]
    board.open_again.click(open_again, [visit.user, board.chosen], outputs, **quiet())


def _bind_variation(
    library: Library,
    board: BoardParts,
    results: ResultParts,
    visit: Visit,
    button: gr.Button,
    kind: str,
) -> None:
    def vary(user: str, chosen: str, stop: Stop, own: OwnDesigns) -> Iterator[tuple]:
        stop.asked = False
        tab = gr.update(selected=DESIGN_TAB)
        try:
            request = library.variation(user, chosen, strength=STRENGTHS[kind])
        except StudioError as error:
            yield *[gr.skip()] * len(result_outputs(results, visit)), gr.skip(), failed(error)
            return
        for values in stream_variation(library, request, Asked(user, request.seed, own, kind, chosen), stop):
            yield *values, tab, ""
            tab = gr.skip()

    button.click(
        vary,
        [visit.user, board.chosen, visit.stop, visit.own],
        [*result_outputs(results, visit), board.tabs, board.message],
        show_progress="hidden",
        concurrency_limit=None,  # they wait in `turns`
        trigger_mode="once",
        api_visibility="private",
    )


def stream_variation(library: Library, request: DesignRequest, asked: Asked, stop: Stop) -> Iterator[tuple]:
    """Draw a variation and show it as `stream_results` does."""
    with closing(callbacks.draw(library.engine, request, stop)) as views:
        yield from stream_results(library, views, asked)


def _bind_weeks(library: Library, board: BoardParts, visit: Visit) -> None:
    def across_weeks(user: str, chosen: str, stop: Stop) -> Iterator[tuple]:
        stop.asked = False
        found = []
        try:
            asked = library.across_weeks(user, chosen)
            yield boardcards.strip_html(library, found, total=len(asked), running=True), gr.update(visible=True), ""
            for request in asked:
                with closing(callbacks.draw(library.engine, request, stop)) as views:
                    recorded = library.recorded(views, user, kind="weeks", parent=chosen)
                    with closing(recorded):
                        for view, kept in recorded:
                            if kept.problem:
                                raise StudioError(kept.problem)
                            if view.waiting is not None or view.fresh:
                                line = cards.status_html(view) if view.waiting is not None else ""
                                yield gr.skip(), gr.skip(), line
                if stop.asked:
                    break
                found += [library.get(user, design) for _, design in kept.ids]
                strip = boardcards.strip_html(library, found, total=len(asked), running=len(found) < len(asked))
                yield strip, gr.skip(), gr.skip()
        except StudioError as error:
            yield gr.skip(), gr.update(visible=False), failed(error)
            return
        strip = boardcards.strip_html(library, found, total=len(found), running=False) if found else ""
        yield strip, gr.update(visible=False), gr.skip()

    def stop_weeks(stop: Stop) -> dict:
        stop.asked = True
        return gr.update(visible=False)

    # Its own, so that Stop here ends the strip and not a Generate that is drawn or waits beside it.
    asked_stop = gr.State(Stop())
    board.across.click(
        across_weeks,
        [visit.user, board.chosen, asked_stop],
        [board.extra, board.stop, board.message],
        show_progress="hidden",
        concurrency_limit=None,  # they wait in `turns`
        trigger_mode="once",
        api_visibility="private",
    )
    board.stop.click(stop_weeks, asked_stop, board.stop, queue=False, **quiet())
