"""Live mode: one quick candidate of the latest drawing, never in the way of Generate.

In: a `DesignEngine` and what the page gave. Out: scored designs. Knows nothing of gradio.
"""

from __future__ import annotations

import os
from dataclasses import replace

from fashiondistill.data.weeks import Week
from fashiondistill.design import ScoredDesign
from studio import errortexts, texts
from studio.checks import check_request
from studio.engine import DesignEngine
from studio.state import GenerateInputs, StudioError

METERED = "SPACES_ZERO_GPU"  # set where every second of compute is taken from the visitor's quota


def is_offered() -> bool:
    """Whether Live may be switched on: not where compute is metered."""
    return not os.environ.get(METERED)


def draw(engine: DesignEngine, inputs: GenerateInputs) -> ScoredDesign | None:
    """One candidate with few steps, whatever `inputs` says of both; None while Generate has the model.

    Raises:
        StudioError: for bad input, or when the model cannot go on.
    """
    steps = engine.defaults.live_steps
    request = check_request(engine, replace(inputs, num_candidates=1, num_inference_steps=steps))
    try:
        return engine.draw_live(request)
    except (ValueError, FileNotFoundError, MemoryError) as error:
        raise StudioError(errortexts.capital(str(error))) from error


def article_names(engine: DesignEngine, designs: tuple[ScoredDesign, ...]) -> dict[str, str]:
    """Article id -> how the page calls that bestseller, for all weeks of the designs that these sales hold."""
    requests = [one.design.request for one in designs]
    asked = {(one.category, one.week) for one in requests if Week.parse(one.week) in engine.weeks}
    sold = [item for category, week in sorted(asked) for item in engine.bestsellers(category, week)]
    return {item.article_id: texts.bestseller(item.rank, item.name) for item in sold}
