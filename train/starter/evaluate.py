"""python -m train.starter.evaluate: the figures of the model card, on photos of senders that no stage has seen.

In: a pipeline folder and a prepared data set. Out: OUT/figures.json, OUT/grid.jpg (sketch, photo, first candidate).
One candidate per sketch, first seed: nothing is ranked or chosen before it is measured.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from tqdm import tqdm

from fashiondistill.cli import run_command, write_run
from fashiondistill.config import GenerateConfig, option, require
from fashiondistill.design import Design, DesignRequest
from fashiondistill.diffusion.pipeline import GarmentPipeline, load_pipeline
from fashiondistill.images import tile
from fashiondistill.scoring import ClipScorer
from train.starter.clip import recall_at_1
from train.starter.common import StarterData, load_split
from train.starter.figures import Figure, autoencoder_figures, figure, iou, mask_on_ground

POOL = 200  # pictures and captions that compete in recall@1


@dataclass(frozen=True)
class EvaluateConfig:
    """What is measured on what."""

    model: str = option("", "pipeline folder with clip/")
    dataset_path: str = option("", "prepared data set")
    out: str = option("", "folder for figures.json and grid.jpg")
    num_photos: int = option(100, "test photos, spread over the split, for reconstructions and generated designs")
    device: str = option("cuda", "where to run", choices=("cuda", "cpu"))

    def __post_init__(self) -> None:
        for name in ("model", "dataset_path", "out"):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), "give a folder.")
        require(self.num_photos >= 2, "num_photos", self.num_photos, "choose at least 2.")


def generated_figures(
    pipeline: GarmentPipeline, scorer: ClipScorer, data: StarterData, settings: GenerateConfig
) -> tuple[dict[str, Figure], np.ndarray]:
    """CLIP-T of first candidates and of the real photos, outline IoU, and a picture of both, one row a photo."""
    rows: dict[str, list[float]] = {
        "clip_t_generated": [],
        "clip_t_real": [],
        "outline_iou": [],
        "outline_iou_real": [],
    }
    strips = []
    for index, record in enumerate(tqdm(data.records, desc="drawing test sketches")):
        sketch = data.sketches[index, 0].cpu().numpy().astype(np.float32) / 255
        real = data.images[index].permute(1, 2, 0).cpu().numpy()
        inside = data.masks[index, 0].cpu().numpy() > 0
        request = DesignRequest(record.category, "2020-W10", record.caption, sketch, config=settings)
        designs = [event for event in pipeline.stream(request) if isinstance(event, Design)]
        text = scorer.embed_texts([record.caption])[0]
        generated, photo = scorer.embed_images([designs[0].image, real]) @ text
        rows["clip_t_generated"].append(float(generated))
        rows["clip_t_real"].append(float(photo))
        rows["outline_iou"].append(iou(mask_on_ground(designs[0].image), inside))
        rows["outline_iou_real"].append(iou(mask_on_ground(real), inside))
        paper = np.repeat(np.round(255 - sketch * 255).astype(np.uint8)[..., None], 3, axis=2)
        strips.append(np.concatenate([paper, real, designs[0].image], axis=1)[::2, ::2])
    figures = {name: figure(values) for name, values in rows.items()}
    ratio = np.array(rows["clip_t_generated"]).mean() / np.array(rows["clip_t_real"]).mean()
    figures["clip_t_ratio"] = Figure(round(float(ratio), 4), *_ratio_interval(rows), len(data))
    return figures, tile(strips, columns=4)


def _ratio_interval(rows: dict[str, list[float]]) -> tuple[float, float]:
    """95 % bootstrap interval of the ratio of means, over photos."""
    top, bottom = np.array(rows["clip_t_generated"]), np.array(rows["clip_t_real"])
    draws = np.random.default_rng(0).integers(len(top), size=(2000, len(top)))
    low, high = np.percentile(top[draws].mean(axis=1) / bottom[draws].mean(axis=1), (2.5, 97.5))
    return round(float(low), 4), round(float(high), 4)


def evaluate(config: EvaluateConfig) -> dict[str, Figure]:
    """Measure everything and write it."""
    out, model = Path(config.out), Path(config.model)
    out.mkdir(parents=True, exist_ok=True)
    root = Path(config.dataset_path)
    few = load_split(root, "test", device=config.device, photos_only=True, limit=config.num_photos)
    pool = load_split(root, "test", device=config.device, photos_only=True, limit=POOL)
    vae = AutoencoderKL.from_pretrained(model / "vae", torch_dtype=torch.float32).to(config.device)
    figures = {f"autoencoder_{name}": value for name, value in autoencoder_figures(vae, few).items()}
    scorer = ClipScorer.load(model / "clip", config.device)
    for name, hits in recall_at_1(scorer.model, scorer.tokenizer, pool, count=POOL).items():
        figures[f"clip_{name}"] = figure(hits)
    settings = GenerateConfig(num_candidates=1)
    more, grid = generated_figures(load_pipeline(model, config.device), scorer, few, settings)
    figures |= more
    record = {name: dataclasses.asdict(value) for name, value in figures.items()}
    (out / "figures.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    Image.fromarray(grid).save(out / "grid.jpg", quality=88)
    write_run(out, config, settings)
    return figures


def _report(config: EvaluateConfig) -> str:
    return "\n".join(f"{name:40} {value}" for name, value in evaluate(config).items())


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv, _report, EvaluateConfig, prog="python -m train.starter.evaluate", description=__doc__.splitlines()[0]
    )


if __name__ == "__main__":
    sys.exit(main())
