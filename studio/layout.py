"""The page: where things stand and which callback answers which event.

In: an engine. Out: gr.Blocks. Only here (and in components, theme) does the studio know gradio: a `StudioError` of the
callbacks becomes a message in the status line, next to Generate; the canvas keeps its drawing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import gradio as gr

from fashiondistill.config import GenerateConfig
from studio import callbacks, cards, texts, trendboard, trendtexts
from studio.components import SketchCanvas, TrendBoard
from studio.engine import ATTRIBUTES, DesignEngine
from studio.plots import PLOTLY_JS
from studio.state import GenerateInputs, ResultsView, Stop, StudioError
from studio.theme import CSS_PATH, studio_theme

MODEL = "model"  # concurrency group of everything that occupies the model
IMAGE_TYPES = [".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"]
MAX_UPLOAD = "20mb"

# Ctrl+Enter (Cmd+Enter) presses Generate, wherever the cursor is, while the button can be seen.
HEAD = """
<script>
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const button = document.querySelector("#generate");
  if (button && !button.disabled && button.offsetParent) { event.preventDefault(); button.click(); }
}, true);
</script>
"""

LAUNCH_OPTIONS = {
    "footer_links": [],
    "run_history": False,  # it would keep every picture of every run in the browser
    "enable_monitoring": False,
    "ssr_mode": False,
    "pwa": False,
    "show_error": True,
    "max_file_size": MAX_UPLOAD,
}


@dataclass(frozen=True)
class ContextParts:
    """Left column."""

    category: gr.Dropdown
    week: gr.Dropdown
    headline: gr.HTML
    bestsellers: gr.HTML
    prompt: gr.Textbox
    suggestion: gr.Textbox
    use_suggestion: gr.Button


@dataclass(frozen=True)
class CanvasParts:
    """Centre column; `template_of` is the category whose silhouette was placed last."""

    canvas: gr.HTML
    template: gr.Button
    edge_map: gr.UploadButton
    photo: gr.UploadButton
    template_of: gr.Textbox


@dataclass(frozen=True)
class ResultParts:
    """Right column."""

    generate: gr.Button
    cancel: gr.Button
    status: gr.HTML
    num_candidates: gr.Slider
    steps: gr.Slider
    guidance: gr.Slider
    influence: gr.Slider
    seed: gr.Number
    lock_seed: gr.Checkbox
    randomise: gr.Button
    results: gr.HTML


@dataclass(frozen=True)
class TrendParts:
    """Trends tab."""

    tab: gr.Tab
    others: gr.Tab
    attribute: gr.Radio
    words: gr.HTML
    board: gr.HTML
    pictures: gr.HTML
    shown: gr.Checkbox


def build_page(engine: DesignEngine) -> gr.Blocks:
    """The whole page, filled for the first category and the latest week."""
    with gr.Blocks(title=texts.TITLE, analytics_enabled=False, fill_width=True, delete_cache=(3600, 86400)) as page:
        gr.HTML(cards.header_html())
        with gr.Row(elem_id="workspace"):
            with gr.Column(elem_id="context"):
                context = _context_column(engine)
            with gr.Column(elem_id="stage"), gr.Tabs():
                with gr.Tab(texts.TAB_DESIGN) as design, gr.Row(elem_id="design-row"):
                    with gr.Column(elem_id="canvas-column"):
                        canvas = _canvas_column(engine)
                    with gr.Column(elem_id="results-column"):
                        results = _results_column(engine)
                with gr.Tab(texts.TAB_TRENDS) as tab:
                    trends = _trends_tab(tab, others=design)
        own = gr.State([])  # the visitor's latest designs, for the map
        _bind_context(engine, context, canvas, results)
        _bind_canvas(engine, context, canvas, results)
        _bind_generate(engine, context, canvas, results, own)
        _bind_trends(engine, context, trends, own)
        _bind_api(engine)
    page.queue(max_size=engine.config.max_queue, default_concurrency_limit=4)
    return page


def launch_options() -> dict:
    """What gradio 6 takes in `launch` rather than in `Blocks`."""
    return LAUNCH_OPTIONS | {"theme": studio_theme(), "css_paths": [CSS_PATH], "head": HEAD}


def _context_column(engine: DesignEngine) -> ContextParts:
    first = callbacks.page_context(engine, engine.categories[0].folder, engine.weeks[-1].key)
    category = gr.Dropdown(
        [(one.title, one.folder) for one in engine.categories],
        value=first.category,
        label=texts.CATEGORY,
        elem_id="category",
    )
    week = gr.Dropdown(
        [(texts.week_label(one), one.key) for one in reversed(engine.weeks)],
        value=first.week,
        label=texts.WEEK,
        elem_id="week",
    )
    headline = gr.HTML(cards.headline_html(first), elem_id="headline")
    bestsellers = gr.HTML(cards.bestsellers_html(first), elem_id="bestsellers")
    prompt = gr.Textbox(
        first.suggestion, label=texts.PROMPT, lines=3, max_lines=5, elem_id="prompt", placeholder=texts.PROMPT_HINT
    )
    use = gr.Button(texts.USE_SUGGESTION, size="sm", elem_id="use-suggestion")
    # In the page, not in gr.State: the prompt is compared with the suggestion that was shown together with it.
    suggestion = gr.Textbox(first.suggestion, visible="hidden")
    return ContextParts(category, week, headline, bestsellers, prompt, suggestion, use)


def _canvas_column(engine: DesignEngine) -> CanvasParts:
    category = engine.categories[0].folder
    canvas = SketchCanvas(callbacks.template(engine, category))
    with gr.Row(elem_id="sketch-tools"):
        template = gr.Button(texts.TEMPLATE, size="sm", elem_id="template")
        edge_map = gr.UploadButton(texts.EDGE_MAP, size="sm", file_types=IMAGE_TYPES, elem_id="edge-map")
        photo = gr.UploadButton(texts.PHOTO, size="sm", file_types=IMAGE_TYPES, elem_id="photo")
    return CanvasParts(canvas, template, edge_map, photo, gr.Textbox(category, visible="hidden"))  # as `suggestion`


def _results_column(engine: DesignEngine) -> ResultParts:
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


def _trends_tab(tab: gr.Tab, *, others: gr.Tab) -> TrendParts:
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


def _bind_context(engine: DesignEngine, context: ContextParts, canvas: CanvasParts, results: ResultParts) -> None:
    def context_changed(category: str, week: str, prompt: str, suggestion: str) -> tuple:
        try:
            shown = callbacks.page_context(engine, category, week)
        except StudioError as error:
            return gr.skip(), gr.skip(), gr.skip(), gr.skip(), cards.message_html(str(error))
        untouched = not prompt.strip() or prompt == suggestion
        return (
            cards.headline_html(shown),
            cards.bestsellers_html(shown),
            shown.suggestion if untouched else gr.skip(),
            shown.suggestion,
            gr.skip(),
        )

    def category_changed(category: str, template_of: str, value: str | None) -> tuple:
        try:
            if callbacks.still_template(engine, template_of, value):
                return callbacks.template(engine, category), category
        except StudioError as error:
            gr.Warning(cards.escape(str(error)))
        return gr.skip(), gr.skip()

    outputs = [context.headline, context.bestsellers, context.prompt, context.suggestion, results.status]
    inputs = [context.category, context.week, context.prompt, context.suggestion]
    gr.on([context.category.change, context.week.change], context_changed, inputs, outputs, **_following())
    context.category.change(
        category_changed,
        [context.category, canvas.template_of, canvas.canvas],
        [canvas.canvas, canvas.template_of],
        **_following(),
    )
    context.use_suggestion.click(lambda text: text, context.suggestion, context.prompt, **_quiet())


def _bind_canvas(engine: DesignEngine, context: ContextParts, canvas: CanvasParts, results: ResultParts) -> None:
    def place(make: Callable[[], str], done: str) -> tuple:
        try:
            return make(), cards.message_html(done, phase="idle")
        except StudioError as error:
            return gr.skip(), cards.message_html(str(error))

    def place_template(category: str) -> tuple:
        return *place(lambda: callbacks.template(engine, category), texts.TEMPLATE_DONE), category

    def place_edge_map(upload: str | None) -> tuple:
        return place(lambda: callbacks.sketch_from_edge_map_file(upload), texts.EDGE_MAP_DONE)

    def place_photo(upload: str | None) -> tuple:
        return place(lambda: callbacks.sketch_from_photo_file(upload), texts.PHOTO_DONE)

    outputs = [canvas.canvas, results.status]
    canvas.template.click(place_template, context.category, [*outputs, canvas.template_of], **_quiet())
    canvas.edge_map.upload(place_edge_map, canvas.edge_map, outputs, **_quiet())
    canvas.photo.upload(place_photo, canvas.photo, outputs, **_quiet())


def _bind_generate(
    engine: DesignEngine, context: ContextParts, canvas: CanvasParts, results: ResultParts, own: gr.State
) -> None:
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
        stop: Stop,
    ) -> Iterator[tuple]:
        stop.asked = False
        seed = seed if lock_seed else callbacks.pick_seed()
        inputs = GenerateInputs(category, week, prompt, sketch, num_candidates, steps, guidance, influence, seed)
        shown_seed, phase = gr.skip() if lock_seed else seed, "idle"
        try:
            with closing(callbacks.run(engine, inputs, stop)) as views:
                for view in views:
                    drawn = cards.results_html(view, model=engine.model_id) if view.fresh else gr.skip()
                    pictures = [one.design.image for one in view.designs] if view.phase == "ranked" else gr.skip()
                    pressable = (gr.skip(), gr.skip()) if view.phase == phase else buttons(view.phase == "running")
                    yield cards.status_html(view), drawn, shown_seed, *pressable, pictures
                    shown_seed, phase = gr.skip(), view.phase  # what stays is not sent again: the page would redraw it
        except StudioError as error:
            yield cards.message_html(str(error)), gr.skip(), gr.skip(), *buttons(False), gr.skip()

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
            stop,
        ],
        [results.status, results.results, results.seed, results.generate, results.cancel, own],
        show_progress="hidden",
        concurrency_id=MODEL,
        concurrency_limit=1,
        trigger_mode="once",
        api_visibility="private",
    )
    event.failure(broken, None, [results.status, results.generate, results.cancel], **_quiet())
    # Not by gradio's `cancels`: steps on their way would still come in and write over "Cancelled". The request ends
    # its own stream instead, so its last word is the last to arrive.
    results.cancel.click(ask_to_stop, stop, results.cancel, queue=False, **_quiet())
    results.randomise.click(callbacks.pick_seed, None, results.seed, **_quiet())


def _bind_trends(engine: DesignEngine, context: ContextParts, trends: TrendParts, own: gr.State) -> None:
    def draw(category: str, attribute: str, week: str, designs: list) -> tuple:
        try:
            plots, words = trendboard.board(engine, category, attribute, week, designs)
        except StudioError as error:
            return gr.skip(), cards.message_html(str(error)), True
        return plots, f"<p>{cards.escape(words)}</p>", True

    def follow(category: str, attribute: str, week: str, designs: list, shown: bool) -> tuple:
        return draw(category, attribute, week, designs) if shown else (gr.skip(), gr.skip(), gr.skip())

    def show_pictures(category: str, attribute: str, event: gr.EventData) -> str:
        given = event._data if isinstance(event._data, dict) else {}  # comes from the page: not to be trusted
        try:
            found = trendboard.pictures(engine, category, attribute, given.get("week"), given.get("word"))
        except StudioError as error:
            return cards.message_html(str(error))
        return cards.drawer_html(*found)

    inputs = [context.category, trends.attribute, context.week, own]
    outputs = [trends.board, trends.words, trends.shown]
    trends.tab.select(draw, inputs, outputs, **_following())
    trends.others.select(fn=None, inputs=None, outputs=trends.shown, js="() => false", **_quiet())
    # While the tab is hidden its plots would only keep the cores from the model; they are drawn when it is opened.
    triggers = [trends.attribute.change, context.category.change, context.week.change]
    gr.on(triggers, follow, [*inputs, trends.shown], outputs, **_following())
    trends.board.click(show_pictures, [context.category, trends.attribute], trends.pictures, **_quiet())


def _bind_api(engine: DesignEngine) -> None:
    """Typed endpoints for gradio_client, beside the page's own private events."""
    defaults = GenerateConfig()

    def generate(
        category: str,
        week: str,
        prompt: str,
        sketch: str,
        num_candidates: int = defaults.num_candidates,
        steps: int = defaults.num_inference_steps,
        guidance: float = defaults.guidance_scale,
        influence: float = defaults.sketch_influence,
        seed: int = 0,
    ) -> Iterator[dict]:
        """Sketch (PNG data URL, dark on white) -> ranked designs; yields progress, then the ranking with pictures."""
        inputs = GenerateInputs(category, week, prompt, sketch, num_candidates, steps, guidance, influence, seed)
        with _as_gradio_error(), closing(callbacks.run(engine, inputs)) as views:
            for view in views:
                if view.phase == "ranked":
                    yield callbacks.ranking_json(view, model=engine.model_id)
                elif view.progress is not None:
                    yield {"progress": round(view.progress.fraction, 4)}

    def bestsellers(category: str, week: str) -> dict:
        """Bestsellers, headline and suggested prompt of a category and a week such as 2020-W10."""
        with _as_gradio_error():
            return callbacks.bestsellers_json(callbacks.page_context(engine, category, week))

    def trends(category: str, attribute: str, week: str) -> dict:
        """Weekly shares of units by colour, type or pattern, and what they say about the week."""
        with _as_gradio_error():
            return callbacks.trends_json(engine, category, attribute, week)

    gr.api(generate, api_name="generate", concurrency_id=MODEL, concurrency_limit=1)
    gr.api(bestsellers, api_name="bestsellers")
    gr.api(trends, api_name="trends")


class _as_gradio_error:  # noqa: N801 - reads as the statement it is in
    """Inside it, a StudioError becomes the gr.Error that API clients are shown."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StudioError):
            raise gr.Error(str(error), print_exception=False) from error


def _quiet() -> dict:
    """Options of events that answer at once and are no part of the API."""
    return {"show_progress": "hidden", "api_visibility": "private"}


def _following() -> dict:
    """Options of events that follow a choice: each choice counts, in turn, so that the last one stays.

    Not trigger_mode "always_last", and `.change` rather than `.input`: in gradio 6.31 a dropdown's `.input` fires
    twice, and three deferred listeners of one dropdown then trigger each other without end (40 requests a second).
    """
    return _quiet() | {"trigger_mode": "multiple", "concurrency_limit": 1}
