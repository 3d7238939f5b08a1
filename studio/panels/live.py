"""Live mode: its preview beside the canvas, and the frames that were kept."""

from __future__ import annotations

import time

import gradio as gr

from studio import callbacks, cards, live, singles, texts
from studio.components import ResultCards
from studio.library import Library
from studio.panels.events import quiet
from studio.panels.parts import CanvasParts, ContextParts, LiveParts, ResultParts, Visit
from studio.state import GenerateInputs, StudioError


def live_column() -> LiveParts:
    with gr.Row(elem_id="live-panel"):  # shown while Live is on: static/studio.css
        picture = gr.HTML(elem_id="live-picture")
        with gr.Column(elem_id="live-side"):
            words = gr.HTML(cards.live_words_html(texts.LIVE_WAITS), elem_id="live-words")
            keep = gr.Button(texts.KEEP, size="sm", interactive=False, elem_id="live-keep")
    kept = ResultCards("", elem_id="live-kept")
    return LiveParts(picture, words, keep, kept)


def kept_cards(library: Library, user: str) -> str:
    """The frames that the store holds, as cards.

    Raises:
        StudioError: if the store cannot be read.
    """
    found = singles.frames(library, user)
    return cards.kept_html(found, names=live.article_names(library.engine, tuple(one.scored for one in found)))


def bind_live(
    library: Library,
    context: ContextParts,
    canvas: CanvasParts,
    results: ResultParts,
    shown: LiveParts,
    visit: Visit,
) -> None:
    engine = library.engine
    if not live.is_offered():
        return
    frame, live_seed = gr.State(None), gr.State(None)

    def draw_live(
        category: str,
        week: str,
        prompt: str,
        sketch: str | None,
        mask: str,
        image: str,
        guidance: float,
        influence: float,
        seed: int | None,
    ) -> tuple:
        started = time.monotonic()
        new_seed = callbacks.pick_seed() if seed is None else gr.skip()  # not at load: each page would ask for it
        seed = new_seed if seed is None else seed
        inputs = GenerateInputs(
            category, week, prompt, sketch, 1, 2, guidance, influence, seed, mask if image else "", image
        )
        try:
            drawn = live.draw(engine, inputs)
        except StudioError as error:
            return gr.skip(), cards.live_words_html(str(error)), gr.skip(), new_seed, gr.skip()
        if drawn is None:
            return gr.skip(), cards.live_words_html(texts.LIVE_BUSY), gr.skip(), new_seed, gr.skip()
        words = texts.live_frame(seed, time.monotonic() - started)
        return cards.live_html(drawn), cards.live_words_html(words), drawn, new_seed, gr.update(interactive=True)

    def keep_frame(drawn, user: str) -> tuple:  # noqa: ANN001 - ScoredDesign or None
        if drawn is None:
            return (gr.skip(),) * 4
        try:
            singles.keep_frame(library, user, drawn)
            html = kept_cards(library, user)
        except StudioError as error:
            return gr.skip(), gr.skip(), gr.skip(), cards.live_words_html(str(error))
        return html, callbacks.pick_seed(), gr.update(interactive=False), gr.skip()

    canvas.canvas.live(
        draw_live,
        [
            context.category,
            context.week,
            context.prompt,
            canvas.canvas,
            canvas.mask,
            canvas.base,
            results.guidance,
            results.influence,
            live_seed,
        ],
        [shown.picture, shown.words, frame, live_seed, shown.keep],
        trigger_mode="always_last",  # while a frame is drawn only the latest drawing waits
        **quiet(),
    )
    outputs = [shown.kept, live_seed, shown.keep, shown.words]
    shown.keep.click(keep_frame, [frame, visit.user], outputs, **quiet())
