"""Right column: Generate, Cancel, the settings of a request and its candidates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import gradio as gr

from fashiondistill.config import GenerateConfig
from studio import callbacks, cards, texts, trendboard
from studio.engine import DesignEngine
from studio.exporting import passports
from studio.panels.events import MODEL, quiet
from studio.panels.parts import CanvasParts, ContextParts, ResultParts
from studio.state import GenerateInputs, ResultsView, Stop, StudioError


def results_column(engine: DesignEngine) -> ResultParts:
    defaults, idle = GenerateConfig(), ResultsView("idle")
    with gr.Row(elem_id="run-row"):
        generate = gr.Button(texts.GENERATE, variant="primary", elem_id="generate")
        cancel = gr.Button(texts.CANCEL, interactive=False, elem_id="cancel")
    status = gr.HTML(cards.status_html(idle), elem_id="status")
    results = gr.HTML(cards.results_html(idle, model=engine.model_id), elem_id="results")
    with gr.Accordion(texts.MORE, open=False, elem_id="more"):
        with gr.Row():
            num_candidates = gr.Slider(
                1, 8, defaults.num_candidates, step=1, label=texts.NUM_CANDIDATES, info=texts.INFO_CANDIDATES
            )
            steps = gr.Slider(2, 100, defaults.num_inference_steps, step=1, label=texts.STEPS, info=texts.INFO_STEPS)
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
        generate, cancel, status, num_candidates, steps, guidance, influence, seed, lock_seed, randomise, results
    )


def bind_generate(
    engine: DesignEngine,
    context: ContextParts,
    canvas: CanvasParts,
    results: ResultParts,
    *,
    own: gr.State,
    latest: gr.State,
) -> None:
    """`own` keeps the visitor's designs by category, for the map; `latest` those of the last request, as passports."""
    model = engine.model_id

    def buttons(running: bool) -> tuple[dict, dict]:
        return gr.update(interactive=not running), gr.update(interactive=running)

    def press_generate(  # not `generate`: gradio names endpoints by function, and that one is the API's
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
        kept: trendboard.OwnDesigns,
    ) -> Iterator[tuple]:
        stop.asked = False
        seed = seed if lock_seed else callbacks.pick_seed()
        mask = mask if image else ""  # the canvas says that without a picture it is not used
        numbers = (num_candidates, steps, guidance, influence, seed)
        inputs = GenerateInputs(category, week, prompt, sketch, *numbers, mask, image)
        shown_seed, phase = gr.skip() if lock_seed else seed, "idle"
        try:
            with closing(callbacks.run(engine, inputs, stop)) as views:
                for view in views:
                    drawn = cards.results_html(view, model=model) if view.fresh else gr.skip()
                    mapped = gr.skip()
                    if view.phase == "ranked":
                        mapped = trendboard.keep_designs(kept, category, [one.design.image for one in view.designs])
                    pressable = (gr.skip(), gr.skip()) if view.phase == phase else buttons(view.phase == "running")
                    drawing = view.phase == phase == "running"
                    designs = gr.skip() if drawing else passports(view, model=model)
                    yield cards.status_html(view), drawn, shown_seed, *pressable, mapped, designs
                    shown_seed, phase = gr.skip(), view.phase  # what stays is not sent again: the page would redraw it
        except StudioError as error:
            yield cards.message_html(str(error)), gr.skip(), gr.skip(), *buttons(False), gr.skip(), gr.skip()

    def broken() -> tuple:
        return cards.message_html(texts.BROKEN), *buttons(False)

    def ask_to_stop(stop: Stop) -> dict:
        stop.asked = True
        return gr.update(interactive=False)

    stop = gr.State(Stop())

    event = results.generate.click(
        press_generate,
        [
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
            stop,
            own,
        ],
        [results.status, results.results, results.seed, results.generate, results.cancel, own, latest],
        show_progress="hidden",
        concurrency_id=MODEL,
        concurrency_limit=1,
        trigger_mode="once",
        api_visibility="private",
    )
    event.failure(broken, None, [results.status, results.generate, results.cancel], **quiet())
    # Not by gradio's `cancels`: steps on their way would still come in and write over "Cancelled". The request ends
    # its own stream instead, so its last word is the last to arrive.
    results.cancel.click(ask_to_stop, stop, results.cancel, queue=False, **quiet())
    results.randomise.click(callbacks.pick_seed, None, results.seed, **quiet())
