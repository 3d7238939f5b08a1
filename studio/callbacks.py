"""What the page does: plain functions and generators from typed inputs to typed outputs.

In: a `DesignEngine` (or anything with its methods) and what the visitor gave, which `checks` reads. Out: dataclasses
of `state`, or the canvas's value. What goes wrong is a `StudioError`. Knows nothing of gradio or HTML.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np

from fashiondistill.data.photos import lines_from_photo
from fashiondistill.design import DesignRequest
from fashiondistill.images import sketch_from_edge_map
from studio import errortexts, texts
from studio.canvas import encode_canvas
from studio.checks import check_category, check_request, check_week, read_sketch, read_upload
from studio.engine import CandidateReady, DesignEngine, Ranked, StepDone
from studio.errortexts import capital
from studio.pictures import tile_picture
from studio.state import BestsellerTile, GenerateInputs, PageContext, Progress, ResultsView, Stop, StudioError
from studio.turns import LineFull, Turn
from studio.why import tell_why

MAX_SHOWN_SEED = 10**6  # seeds that we pick are short enough to read out; any up to 2**32 - 1 can be typed
UNCHANGED = 1.0  # strokes' difference, summed over the canvas, below which a sketch still is the template


def page_context(engine: DesignEngine, category: str, week: str) -> PageContext:
    """Bestsellers, headline and suggested prompt of a category and a week.

    Raises:
        StudioError: for an unknown category or week, or a product picture that is damaged.
    """
    category, week = check_category(category), check_week(engine, week)
    try:
        tiles = tuple(
            BestsellerTile(item.article_id, item.rank, item.units, item.name, item.caption, tile_picture(item.image))
            for item in engine.bestsellers(category, week)
        )
    except ValueError as error:
        raise StudioError(capital(str(error))) from error
    if not tiles:
        return PageContext(category, week, texts.NO_BESTSELLERS, (), "")
    prompt = engine.trend_prompt(category, week)
    return PageContext(category, week, engine.headline(category, week), tiles, prompt.text, prompt.phrases)


def template(engine: DesignEngine, category: str) -> str:
    """The category's silhouette as the canvas's value."""
    return encode_canvas(engine.template(check_category(category)))


def still_template(engine: DesignEngine, category: str, value: str | None) -> bool:
    """Whether the canvas is empty or shows the untouched template of `category`, so that it may be replaced."""
    sketch = read_sketch(value)
    return not sketch.any() or float(np.abs(sketch - engine.template(check_category(category))).sum()) < UNCHANGED


def sketch_from_edge_map_file(upload: str | bytes | None) -> str:
    """Uploaded edge map of either polarity -> the canvas's value."""
    image = read_upload(upload, texts.EDGE_MAP)
    try:
        return encode_canvas(sketch_from_edge_map(image))
    except ValueError as error:
        raise StudioError(capital(str(error))) from error


def sketch_from_photo_file(upload: str | bytes | None) -> str:
    """Uploaded photo of one garment -> its lines as the canvas's value."""
    image = read_upload(upload, texts.PHOTO)
    try:
        return encode_canvas(lines_from_photo(image))
    except ValueError as error:
        raise StudioError(capital(str(error))) from error


def pick_seed() -> int:
    """A new seed, short enough to read out."""
    return secrets.randbelow(MAX_SHOWN_SEED)


def run(engine: DesignEngine, inputs: GenerateInputs, stop: Stop | None = None) -> Iterator[ResultsView]:
    """Draw, score and rank; one view per step. Closing the iterator frees the model within one step.

    So does `stop`, whose last view is "cancelled" and holds the designs drawn so far.

    Raises:
        StudioError: for bad input, before anything is drawn; or when the model cannot go on.
    """
    yield from draw(engine, check_request(engine, inputs), stop)


def draw(engine: DesignEngine, request: DesignRequest, stop: Stop | None = None) -> Iterator[ResultsView]:
    """`run`, for a request that has been checked.

    Raises:
        StudioError: when too many requests wait, or the model cannot go on.
    """
    bestsellers = engine.bestsellers(request.category, request.week)
    names = tuple((item.article_id, texts.bestseller(item.rank, item.name)) for item in bestsellers)
    count, steps = request.config.num_candidates, request.config.num_inference_steps
    view = ResultsView(
        "running",
        request=request,
        num_expected=count,
        progress=Progress(1, count, 0, steps),
        article_names=names,
        references=tuple(item.article_id for item in bestsellers if item.image.is_file()),
    )
    try:
        with engine.turns.take(count * max(1, round(steps * request.strength))) as turn:
            for number, waiting in enumerate(turn.until_come()):
                if stop is not None and stop.asked:
                    yield replace(view, phase="cancelled", progress=None)
                    return
                yield replace(view, waiting=waiting, fresh=number == 0)
            yield from _drawn(engine, view, turn, stop)
    except LineFull as error:
        raise StudioError(errortexts.line_full(engine.turns.most, texts.GENERATE)) from error


def _drawn(engine: DesignEngine, view: ResultsView, turn: Turn, stop: Stop | None) -> Iterator[ResultsView]:
    """`draw`, once its turn has come."""
    request, started = view.request, time.monotonic()
    assert request is not None
    count = request.config.num_candidates
    yield view
    try:
        with closing(engine.generate(request)) as events:
            for event in events:
                view = replace(view, fresh=not isinstance(event, StepDone), seconds=time.monotonic() - started)
                match event:
                    case StepDone(candidate, step, total_steps, together):
                        ready = len(view.designs)
                        progress = Progress(candidate + 1, count, step, total_steps, together, ready)
                        view = replace(view, progress=progress)
                        turn.done(candidate * total_steps + step * together, count * total_steps)
                    case CandidateReady(scored):
                        designs = (*view.designs, scored)
                        progress = replace(view.progress, num_ready=len(designs))
                        view = replace(view, designs=designs, progress=progress)
                    case Ranked(designs, explanations):
                        whys = tell_why(engine, request, designs, explanations)
                        view = replace(view, phase="ranked", designs=designs, progress=None, whys=whys)
                        turn.finished()
                if stop is not None and stop.asked and view.phase == "running":
                    yield replace(view, phase="cancelled", progress=None, fresh=True)
                    return
                yield view
    except (ValueError, FileNotFoundError, MemoryError) as error:
        raise StudioError(capital(str(error))) from error
