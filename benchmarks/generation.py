"""python -m benchmarks.generation: seconds per candidate, as the studio loads the model and as stock diffusers does.

Both draw the same requests in one process, in turns, so that other load on the machine hits both alike.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

import torch

from fashiondistill.config import STARTER, GenerateConfig
from fashiondistill.data.drawings import template_sketch
from fashiondistill.design import DesignRequest
from fashiondistill.diffusion.pipeline import GarmentPipeline, load_pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=str(STARTER))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    ours = load_pipeline(Path(arguments.model))
    stock = GarmentPipeline.from_pretrained(arguments.model, torch_dtype=torch.float32, local_files_only=True)
    seconds: dict[str, list[float]] = {"studio": [], "stock": []}
    for round_number in range(arguments.rounds + 1):
        for name, pipeline in (("studio", ours), ("stock", stock)):
            config = GenerateConfig(num_candidates=1)
            sketch = template_sketch("top5gub")
            request = DesignRequest(
                "top5gub", "2020-W10", "navy striped t-shirt", sketch, seed=round_number, config=config
            )
            start = time.monotonic()
            for _ in pipeline.stream(request):
                pass
            if round_number:  # the first round warms up
                seconds[name].append(time.monotonic() - start)
    ratios = [b / a for a, b in zip(seconds["studio"], seconds["stock"], strict=True)]
    print(f"{os.cpu_count()} cores, torch {torch.__version__}, {ours.unet.dtype} against {stock.unet.dtype}")
    for name, values in seconds.items():
        print(f"{name}: median {statistics.median(values):.2f} s per candidate (n = {len(values)})")
    print(f"stock / studio: median {statistics.median(ratios):.2f}, range {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
