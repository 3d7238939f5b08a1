"""Live mode: one quick candidate of the latest drawing, never in the way of Generate.

In: a `DesignEngine` and what the page gave. Out: scored designs. Knows nothing of gradio.
"""

from __future__ import annotations

import os
from dataclasses import replace

from fashiondistill.design import ScoredDesign
from studio import callbacks, texts
from studio.engine import DesignEngine
from studio.state import GenerateInputs, StudioError

METERED = "SPACES_ZERO_GPU"  # set where every second of compute is taken from the visitor's quota
MAX_KEPT = 8  # frames; a card with its PNG is about half a megabyte of page


def is_offered() -> bool:
    """Whether Live may be switched on: not where compute is metered."""
    return not os.environ.get(METERED)


def draw(engine: DesignEngine, inputs: GenerateInputs) -> ScoredDesign | None:
    """One candidate with few steps, whatever `inputs` says of both; None while Generate has the model.

    Raises:
        StudioError: for bad input, or when the model cannot go on.
    """
    steps = engine.defaults.live_steps
    request = callbacks.check_request(engine, replace(inputs, num_candidates=1, num_inference_steps=steps))
    try:
        return engine.draw_live(request)
    except (ValueError, FileNotFoundError, MemoryError) as error:
        raise StudioError(callbacks.capital(str(error))) from error


def keep(frame: ScoredDesign | None, kept: tuple[ScoredDesign, ...]) -> tuple[ScoredDesign, ...]:
    """The frames kept so far and this one; the oldest beyond `MAX_KEPT` goes."""
    return (*kept, frame)[-MAX_KEPT:] if frame is not None else kept


def article_names(engine: DesignEngine, designs: tuple[ScoredDesign, ...]) -> dict[str, str]:
    """Article id -> how the page calls that bestseller, for all weeks and categories of the designs."""
    asked = {(one.design.request.category, one.design.request.week) for one in designs}
    sold = [item for category, week in sorted(asked) for item in engine.bestsellers(category, week)]
    return {item.article_id: texts.bestseller(item.rank, item.name) for item in sold}
