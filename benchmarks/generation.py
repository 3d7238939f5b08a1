"""python -m benchmarks.generation: four ranked candidates and a live preview, beside stock diffusers.

In: a model and the demo catalogue. Out: seconds (median, p95), CPU-seconds, their ratio to stock, peak memory. Stock is
the same weights as `from_pretrained` gives them: float32, diffusers' own modules, all candidates in one batch, no
ranking. All take their turns in one process, with the same seeds and steps, so that other load on the machine hits each
alike. While others work on it only ratios with OMP_NUM_THREADS=1 mean something: threads that wait for each other spin.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from fashiondistill.config import STARTER, GenerateConfig, StudioConfig
from fashiondistill.data.drawings import template_sketch
from fashiondistill.design import DesignRequest
from fashiondistill.diffusion.noise import candidate_generator
from fashiondistill.diffusion.pipeline import GarmentPipeline
from studio.engine import DesignEngine
from studio.pictures import jpeg_url

CATEGORY, WEEK, WORDS = "top5gub", "2020-W10", "navy striped t-shirt"
RANKED, DRAWN, LIVE = "four ranked candidates", "the same, drawn only", "live preview"
STOCK = "stock float32, drawn only"


def main() -> None:
    arguments = _arguments()
    engine = DesignEngine.open(StudioConfig(model=arguments.model, device=arguments.device))
    config = replace(
        engine.defaults.generate_config(),
        **({"num_inference_steps": arguments.num_inference_steps} if arguments.num_inference_steps else {}),
        **({"guidance_scale": arguments.guidance_scale} if arguments.guidance_scale else {}),
    )
    live = replace(config, num_candidates=1, num_inference_steps=arguments.live_steps or engine.defaults.live_steps)
    ways = studio_ways(engine, config, live)
    if arguments.memory:  # a process of its own, that has never held the stock pipeline
        for seed in range(2):
            for way in ways.values():
                way(seed)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)
        return
    ways[STOCK] = stock_way(arguments.model, engine, config)
    spent = in_turns(ways, arguments.rounds)
    report = {name: _figures(values) for name, values in spent.items()}
    for name in (DRAWN, RANKED):
        wall, cpu = (spent[STOCK][:, place] / spent[name][:, place] for place in (0, 1))
        report[f"stock / {name}"] = {"wall": _spread(wall), "CPU": _spread(cpu)}
    report["peak memory of the studio's part, MiB"] = round(_peak_memory(), 0)
    print(f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f} at the end")
    print(f"torch {torch.__version__}, {engine.pipeline.unet.dtype}, n = {arguments.rounds}")
    print(f"{config.num_inference_steps} steps, {live.num_inference_steps} live, guidance {config.guidance_scale:g}")
    for name, figures in report.items():
        print(f"{name}: {json.dumps(figures)}")


def studio_ways(engine: DesignEngine, config: GenerateConfig, live: GenerateConfig) -> dict[str, Callable[[int], None]]:
    """What the studio does with a seed, by name."""

    def draw(seed: int) -> None:
        for _ in engine.pipeline.stream(request_of(seed, config)):
            pass

    def rank(seed: int) -> None:
        for _ in engine.generate(request_of(seed, config)):
            pass

    def preview(seed: int) -> None:
        """After another stroke each time: nothing of the frame before can be taken over."""
        drawn = engine.draw_live(request_of(seed, live, stroke=seed + 1))
        assert drawn is not None
        jpeg_url(drawn.design.image)

    return {RANKED: rank, DRAWN: draw, LIVE: preview}


def stock_way(model: str, engine: DesignEngine, config: GenerateConfig) -> Callable[[int], None]:
    """The same weights by the book."""
    pipeline = GarmentPipeline.from_pretrained(model, dtype=torch.float32, local_files_only=True).to(
        engine.pipeline.device
    )
    pipeline.set_progress_bar_config(disable=True)

    def draw(seed: int) -> None:
        asked = request_of(seed, config)
        generators = [candidate_generator(seed, index) for index in range(config.num_candidates)]
        pipeline(
            asked.prompt,
            asked.sketch,
            num_inference_steps=config.num_inference_steps,
            guidance_scale=config.guidance_scale,
            generator=generators,
        )

    return draw


def request_of(seed: int, config: GenerateConfig, *, stroke: int = 0) -> DesignRequest:
    """The template, with a seam more at column `stroke`."""
    sketch = template_sketch(CATEGORY)
    if stroke:
        sketch = sketch.copy()
        sketch[200:300, 150 + stroke % 80] = 1
    return DesignRequest(CATEGORY, WEEK, WORDS, sketch, seed=seed, config=config)


def in_turns(ways: dict[str, Callable[[int], None]], rounds: int) -> dict[str, np.ndarray]:
    """Name -> [rounds, 2]: seconds and CPU-seconds; one round before them warms up."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for seed in range(rounds + 1):
        for name, way in ways.items():
            start, cpu = time.perf_counter(), time.process_time()
            way(seed)
            if seed:
                spent[name].append((time.perf_counter() - start, time.process_time() - cpu))
    return {name: np.array(values) for name, values in spent.items()}


def _figures(values: np.ndarray) -> dict[str, float]:
    wall, cpu = values.T
    return {
        "median s": round(float(np.median(wall)), 3),
        "p95 s": round(float(np.percentile(wall, 95)), 3),
        "median CPU-s": round(float(np.median(cpu)), 3),
    }


def _spread(ratios: np.ndarray) -> str:
    return f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"


def _peak_memory() -> float:
    """MiB of resident memory that a process needs which only does what the studio does."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.generation", *sys.argv[1:], "--memory"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=str(STARTER))
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--num_inference_steps", type=int, default=0, help="0 = as the model says")
    parser.add_argument("--guidance_scale", type=float, default=0, help="0 = as the model says; 1 = none")
    parser.add_argument("--live_steps", type=int, default=0, help="0 = as the model says")
    parser.add_argument(
        "--memory", action="store_true", help="print the peak memory of the studio's part and nothing else"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
