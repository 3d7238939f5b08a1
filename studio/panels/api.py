"""Typed endpoints for gradio_client, beside the page's own private events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import gradio as gr

from fashiondistill.config import GenerateConfig
from studio import callbacks
from studio.engine import DesignEngine
from studio.panels.events import MODEL
from studio.state import GenerateInputs, StudioError


def bind_api(engine: DesignEngine) -> None:
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
        mask: str = "",
        image: str = "",
    ) -> Iterator[dict]:
        """Sketch (PNG data URL, dark on white) -> ranked designs; yields progress, then the ranking with pictures.

        With `image` and `mask` (PNG data URLs of 384 x 512) only what is white in the mask is repainted in the image.
        """
        numbers = (num_candidates, steps, guidance, influence, seed)
        inputs = GenerateInputs(category, week, prompt, sketch, *numbers, mask, image)
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
