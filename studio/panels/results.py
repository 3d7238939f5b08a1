"""Right column: Generate, Cancel, the settings of a request and its candidates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import gradio as gr

from studio import boardcards, callbacks, cards, texts, trendboard
from studio.components import ResultCards
from studio.engine import DesignEngine
from studio.exporting import passports
from studio.library import Library
from studio.panels.events import quiet
from studio.panels.parts import CanvasParts, ContextParts, ResultParts, Visit
from studio.state import GenerateInputs, ResultsView, Stop, StudioError


def results_column(engine: DesignEngine) -> ResultParts:
    defaults, idle = engine.defaults.generate_config(), ResultsView("idle")
    with gr.Row(elem_id="run-row"):
        generate = gr.Button(texts.GENERATE, variant="primary", elem_id="generate")
        cancel = gr.Button(texts.CANCEL, interactive=False, elem_id="cancel")
    status = gr.HTML(cards.status_html(idle), elem_id="status")
    results = ResultCards(cards.results_html(idle, model=engine.model_id))
    picks = gr.HTML(elem_id="picks")
    with gr.Accordion(texts.MORE, open=False, elem_id="more"):
        with gr.Row():
            num_candidates = gr.Slider(
                1, 8, defaults.num_candidates, step=1, label=texts.NUM_CANDIDATES, info=texts.INFO_CANDIDATES
            )
            steps = gr.Slider(1, 100, defaults.num_inference_steps, step=1, label=texts.STEPS, info=texts.INFO_STEPS)
        with gr.Row():
            guidance = gr.Slider(
                1, 20, defaults.guidance_scale, step=0.5, label=texts.GUIDANCE, info=texts.INFO_GUIDANCE
            )
            influence = gr.Slider(
                0, 1, defaults.sketch_influence, step=0.05, label=texts.INFLUENCE, info=texts.INFO_INFLUENCE
            )
        with gr.Row(elem_id="seed-row"):
            seed = gr.Number(0, label=texts.SEED, precision=0, minimum=0, elem_id="seed", min_width=120)
            lock_seed = gr.Checkbox(False, label=texts.LOCK_SEED, elem_id="lock-seed", min_width=120)
            randomise = gr.Button(texts.RANDOMISE, size="sm", elem_id="randomise", min_width=90)
    return ResultParts(
        generate,
        cancel,
        status,
        num_candidates,
        steps,
        guidance,
        influence,
        seed,
        lock_seed,
        randomise,
        results,
        picks,
    )


def result_outputs(results: ResultParts, visit: Visit) -> list:
    """What `stream_results` writes."""
    shown = [results.status, results.results, results.seed, results.generate, results.cancel]
    return [*shown, visit.own, visit.latest, results.picks]


@dataclass(frozen=True, eq=False)
class Asked:
    """Whose request it is and how it came about.

    Attributes:
        seed: what the seed's field is to show, or gr.skip().
        own: the visitor's designs by category so far, for the map.
        kind, parent: as in the store.
    """

    user: str
    seed: object
    own: trendboard.OwnDesigns
    kind: str = "draw"
    parent: str = ""


def stream_results(library: Library, views: Iterator[ResultsView], asked: Asked) -> Iterator[tuple]:
    """Show each view of a request as it comes, and keep its candidates; errors become the status."""
    phase, problem, seed, model = "idle", "", asked.seed, library.engine.model_id
    said = ""
    try:
        with closing(library.recorded(views, asked.user, kind=asked.kind, parent=asked.parent)) as recorded:
            for view, kept in recorded:
                drawn = cards.results_html(view, model=model, kept=kept) if view.fresh else gr.skip()
                mapped = gr.skip()
                if view.phase == "ranked":
                    pictures = [one.design.image for one in view.designs]
                    mapped = trendboard.keep_designs(asked.own, view.request.category, pictures)
                pressable = (gr.skip(), gr.skip()) if view.phase == phase else _buttons(view.phase == "running")
                designs = gr.skip() if view.phase == phase == "running" else passports(view, model=model)
                line = cards.message_html(kept.problem) if kept.problem != problem else gr.skip()
                if view.phase == "ranked" and not kept.problem:
                    line = boardcards.line_html(library.picks_words(asked.user))
                status = cards.status_html(view)
                yield gr.skip() if status == said else status, drawn, seed, *pressable, mapped, designs, line
                # What stays is not sent again: the page would redraw it.
                seed, phase, problem, said = gr.skip(), view.phase, kept.problem, status
    except StudioError as error:
        yield cards.message_html(str(error)), gr.skip(), gr.skip(), *_buttons(False), *[gr.skip()] * 3


def _buttons(running: bool) -> tuple[dict, dict]:
    return gr.update(interactive=not running), gr.update(interactive=running)


def bind_generate(
    library: Library, context: ContextParts, canvas: CanvasParts, results: ResultParts, visit: Visit
) -> None:
    engine = library.engine

    def press_generate(  # not `generate`: gradio names endpoints by function, and that one is the API's
        user: str,
        category: str,
        week: str,
        prompt: str,
        sketch: str | None,
        num_candidates: int,
        steps: int,
        guidance: float,
        influence: float,
        seed: int,
        lock_seed: bool,
        mask: str,
        image: str,
        stop: Stop,
        own: trendboard.OwnDesigns,
    ) -> Iterator[tuple]:
        stop.asked = False
        seed = seed if lock_seed else callbacks.pick_seed()
        mask = mask if image else ""  # the canvas says that without a picture it is not used
        numbers = (num_candidates, steps, guidance, influence, seed)
        inputs = GenerateInputs(category, week, prompt, sketch, *numbers, mask, image)
        try:
            key = library.known(user)
        except StudioError as error:
            yield gr.skip(), cards.message_html(str(error)), *[gr.skip()] * 7
            return
        known = gr.skip() if key == user else key
        asked = Asked(key, gr.skip() if lock_seed else seed, own)
        with closing(callbacks.run(engine, inputs, stop)) as views:
            for values in stream_results(library, views, asked):
                yield known, *values
                known = gr.skip()

    def broken() -> tuple:
        return cards.message_html(texts.BROKEN), *_buttons(False)

    def ask_to_stop(stop: Stop) -> dict:
        stop.asked = True
        return gr.update(interactive=False)

    event = results.generate.click(
        press_generate,
        [
            visit.user,
            context.category,
            context.week,
            context.prompt,
            canvas.canvas,
            results.num_candidates,
            results.steps,
            results.guidance,
            results.influence,
            results.seed,
            results.lock_seed,
            canvas.mask,
            canvas.base,
            visit.stop,
            visit.own,
        ],
        [visit.user, *result_outputs(results, visit)],
        show_progress="hidden",
        concurrency_limit=None,  # they wait in `turns`
        trigger_mode="once",
        api_visibility="private",
    )
    event.failure(broken, None, [results.status, results.generate, results.cancel], **quiet())
    # Not by gradio's `cancels`: steps on their way would still come in and write over "Cancelled". The request ends
    # its own stream instead, so its last word is the last to arrive.
    results.cancel.click(ask_to_stop, visit.stop, results.cancel, queue=False, **quiet())
    results.randomise.click(callbacks.pick_seed, None, results.seed, **quiet())
