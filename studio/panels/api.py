"""Typed endpoints for gradio_client and tools for assistants (MCP), beside the page's own private events.

The docstrings are what programs and assistants read: gradio makes the tools' descriptions of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from studio import callbacks, service
from studio.engine import DesignEngine
from studio.state import GenerateInputs, StudioError

RANKING = "ranking"  # concurrency group of CLIP alone, which need not wait for the model


def bind_api(engine: DesignEngine) -> None:
    """generate, rank, bestsellers, trends, forecast."""
    _bind_generate(engine)

    def rank(images: list[str], category: str, week: str, prompt: str = "") -> dict:
        """Rank garment pictures, best first, by how well they fit what sold in a week: "rank these for 2020-W10".

        CLIP-I is the mean cosine similarity to the week's five bestsellers of the category, CLIP-T that to the words;
        combined = 0.6 CLIP-I + 0.4 CLIP-T, or CLIP-I alone without words. Example: images=["data:image/png;base64,..."],
        category="top5gub", week="2020-W10", prompt="navy striped t-shirt".

        Args:
            images: 1 to 24 pictures of one garment each, as data URLs (data:image/png;base64,... or jpeg, webp), or paths that POST /gradio_api/upload answered
            category: top5gub (upper body), top5glb (lower body), top5gfb (full body), top5shoe, top5acc or top5underwear
            week: ISO week with sales data, for example 2020-W10
            prompt: what the pictures should show, in words; leave out to rank by the bestsellers alone

        Returns:
            ranking, best first: place in the list (image, from 1), combined, clip_i, clip_t, and the similarity to each bestseller with its name
        """  # noqa: E501 - gradio reads each argument from one line
        with _as_gradio_error():
            return service.rank_json(engine, images, category, week, prompt, uploads=Path(get_upload_folder()))

    def bestsellers(category: str, week: str) -> dict:
        """What sold best in a week, a sentence on it, and a prompt made of it.

        Example: category="top5gfb", week="2020-W10".

        Args:
            category: top5gub (upper body), top5glb (lower body), top5gfb (full body), top5shoe, top5acc or top5underwear
            week: ISO week with sales data, for example 2020-W10

        Returns:
            bestsellers with article_id, rank, units, name and caption; headline; suggested_prompt
        """  # noqa: E501
        with _as_gradio_error():
            return service.bestsellers_json(callbacks.page_context(engine, category, week))

    def trends(category: str, attribute: str, week: str) -> dict:
        """Weekly shares of units sold by colour, garment type or pattern, and what they say about the week.

        Example: category="top5gub", attribute="colour", week="2020-W10".

        Args:
            category: top5gub (upper body), top5glb (lower body), top5gfb (full body), top5shoe, top5acc or top5underwear
            attribute: colour, type or pattern
            week: ISO week with sales data, for example 2020-W10

        Returns:
            text, a sentence; shares by week and word, 0 to 1
        """  # noqa: E501
        with _as_gradio_error():
            return service.trends_json(engine, category, attribute, week)

    def forecast(category: str, attribute: str, week: str) -> dict:
        """The eight weeks after a week, forecast from what was known at its end, with the error such forecasts had.

        Example: category="top5gub", attribute="colour", week="2020-W10".

        Args:
            category: top5gub (upper body), top5glb (lower body), top5gfb (full body), top5shoe, top5acc or top5underwear
            attribute: colour, type or pattern
            week: ISO week with sales data, for example 2020-W10; nothing after it is read

        Returns:
            shares by word (mean, 80 % interval, method), their backtest (skill above 0 beats "as last week"), next week's expected bestsellers, and a description in words
        """  # noqa: E501
        with _as_gradio_error():
            return service.forecast_json(engine, category, attribute, week)

    gr.api(rank, api_name="rank", concurrency_id=RANKING, concurrency_limit=1)
    gr.api(bestsellers, api_name="bestsellers")
    gr.api(trends, api_name="trends")
    gr.api(forecast, api_name="forecast")


def _bind_generate(engine: DesignEngine) -> None:
    defaults = engine.defaults.generate_config()

    def generate(
        category: str,
        week: str,
        prompt: str,
        sketch: str = "",
        num_candidates: int = defaults.num_candidates,
        steps: int = defaults.num_inference_steps,
        guidance: float = defaults.guidance_scale,
        influence: float = defaults.sketch_influence,
        seed: int = 0,
        pictures: bool = True,
        mask: str = "",
        image: str = "",
    ) -> Iterator[dict]:
        """Draw garment designs over a sketch and rank them against what sold in a week and the words.

        The same seed gives the same pictures. Example: category="top5gub", week="2020-W10", prompt="navy striped
        t-shirt", num_candidates=2, pictures=False.

        Args:
            category: top5gub (upper body), top5glb (lower body), top5gfb (full body), top5shoe, top5acc or top5underwear
            week: ISO week with sales data, for example 2020-W10
            prompt: the garment in words, for example navy striped t-shirt
            sketch: PNG data URL of dark strokes on white; empty for the category's template
            num_candidates: designs to draw, 1 to 8; each takes seconds on a CPU
            steps: denoising steps, 1 to 100
            guidance: how strictly words and sketch are followed, 1 to 20; 1 is off
            influence: share of the steps that see the sketch, 0 to 1
            seed: 0 to 4294967295
            pictures: with a PNG data URL of about 110 kB in each design; an assistant that only needs scores says false
            mask: PNG data URL of 384 x 512, white where image is to be repainted; empty to draw the whole design
            image: PNG data URL of 384 x 512, the picture that mask belongs to

        Returns:
            progress from 0 to 1 while drawing (requests_ahead while others are drawn first), at the end designs, best first, with combined, clip_i, clip_t and nearest_article_id
        """  # noqa: E501
        with _as_gradio_error():
            drawn = callbacks.template(engine, category) if sketch == "" else sketch
            numbers = (num_candidates, steps, guidance, influence, seed)
            inputs = GenerateInputs(category, week, prompt, drawn, *numbers, mask, image)
            with closing(callbacks.run(engine, inputs)) as views:
                for view in views:
                    if view.phase == "ranked":
                        yield service.ranking_json(view, model=engine.model_id, pictures=pictures)
                    elif view.waiting is not None:
                        yield {"progress": 0.0, "requests_ahead": view.waiting.ahead}
                    elif view.progress is not None:
                        yield {"progress": round(view.progress.fraction, 4)}

    gr.api(generate, api_name="generate", concurrency_limit=None)  # they wait in `turns`


class _as_gradio_error:  # noqa: N801 - reads as the statement it is in
    """Inside it, a StudioError becomes the gr.Error that API clients are shown."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, StudioError):
            raise gr.Error(str(error), print_exception=False) from error
