"""What a model in training draws of the validation split: a grid to look at, and predictions to evaluate.

In: `TrainingModels` with averaged weights, samples of the validation split. Out: samples/step_N.jpg (sketch, real
picture, drawn); predictions/ with captions_used.txt and ref_image/ in the published layout, which train.evaluate
reads. The same noise each time, keyed by the sample; nothing is ranked or chosen. The words are the item's own, so this
is neither the published forecast nor its oracle: fashiondistill's own prediction command is another thing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from fashiondistill.data.dataset import GarmentDataset, SampleFacts, SampleKey
from fashiondistill.data.folders import open_folder
from fashiondistill.diffusion.caches import cache_states
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.images import from_model, tile
from train.candidates import candidate_seed
from train.data import Place, TrainingSet, stack
from train.drawing import decode_pixels, draw_latents, noise_of
from train.files import save_text
from train.models import TrainingModels
from train.objectives import Autocast, conditions_of
from train.settings import TrainConfig, cache_folder
from train.tables import ArticleTable

CHUNK = 4
APPROACH = "sketch, own words and past weeks of validation items, drawn while training"


def with_modules(models: TrainingModels, modules: dict[str, nn.Module]) -> TrainingModels:
    """The same models with other UNet and trend encoder."""
    pipeline = models.pipeline
    if "unet" in modules:
        pipeline = GarmentPipeline(**{**pipeline.components, "unet": modules["unet"]}, **pipeline.settings)
    return replace(models, pipeline=pipeline, trend=modules.get("trend", models.trend))


class Validation:
    """A few samples of the validation split, spread over it, encoded once.

    Raises:
        FileNotFoundError: if the split is empty.
    """

    def __init__(
        self, models: TrainingModels, dataset: GarmentDataset, table: ArticleTable, config: TrainConfig
    ) -> None:
        self.models, self.config, self.table = models, config, table
        with_next = [i for i in range(len(dataset)) if dataset.facts(i).next_ids]
        known = with_next or list(range(len(dataset)))  # a reference to compare with, where the split has weeks
        few = dataset.subset(known[int(i)] for i in np.linspace(0, len(known) - 1, min(config.num_samples, len(known))))
        cached = cache_states(few, models.pipeline, cache_folder(config), size=tuple(config.image_size))
        self.data, self.few = TrainingSet(cached, table), few

    def draw(self, modules: dict[str, nn.Module], autocast: Autocast) -> Iterator[tuple[SampleFacts, np.ndarray]]:
        """Facts and uint8 picture [H, W, 3] of each sample."""
        models = with_modules(self.models, modules)
        with models.adapter.holding(modules["adapter"]) if "adapter" in modules else nullcontext():
            yield from self._drawn(models, autocast)

    def _drawn(self, models: TrainingModels, autocast: Autocast) -> Iterator[tuple[SampleFacts, np.ndarray]]:
        for start in range(0, len(self.few), CHUNK):
            rows = range(start, min(start + CHUNK, len(self.few)))
            facts = [self.few.facts(row) for row in rows]
            batch = stack([self.data[Place(0, SampleKey(row))] for row in rows]).to(models.device)
            with torch.no_grad():
                conditioning = conditions_of(batch, models, self.table.embeddings)
            noise = noise_of([candidate_seed(self.config.seed, 0, one, 0) for one in facts], batch.latents.shape[1:])
            latents = draw_latents(models, conditioning, noise, self.config, autocast)
            pictures = from_model(decode_pixels(models, latents, autocast).cpu().numpy())
            yield from zip(facts, pictures, strict=True)

    def write_grid(self, path: Path, modules: dict[str, nn.Module], autocast: Autocast) -> None:
        """Sketch, real picture and what the averaged model draws, one strip a sample."""
        strips = []
        for row, (_, drawn) in enumerate(self.draw(modules, autocast)):
            sample = self.few[row]
            paper = np.repeat((255 - sample.sketch)[..., None], 3, axis=2)
            size = (drawn.shape[1], drawn.shape[0])
            beside = [np.asarray(Image.fromarray(one).resize(size)) for one in (paper, sample.image)]
            strips.append(np.concatenate([*beside, drawn], axis=1)[::2, ::2])
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        Image.fromarray(tile(strips, columns=min(4, len(strips)))).save(part, format="JPEG", quality=88)
        part.replace(path)

    def write_predictions(self, out: Path, modules: dict[str, nn.Module], autocast: Autocast) -> int:
        """predictions/{category}/{id}_pred_{n:04d}.jpg, captions_used.txt, ref_image/{category}/{id}_{ref}.jpg."""
        paths = {item.article_id: item.image for item in open_folder(Path(self.config.dataset_path)).items}
        lines, count = [], 0
        for number, (facts, drawn) in enumerate(self.draw(modules, autocast)):
            name = f"{facts.article_id}_pred_{number:04d}.jpg"
            _save_picture(drawn, out / "predictions" / facts.category / name)
            if facts.next_picked is not None:
                real = Image.open(paths[facts.next_picked]).convert("RGB")
                target = out / "ref_image" / facts.category / f"{facts.article_id}_{facts.next_picked}.jpg"
                _save_picture(np.asarray(real), target)
            lines += _caption_lines(name, facts)
            count += 1
        title = ["Captions used for the predictions", "=" * 50, *lines, f"Total images: {count}"]
        save_text(out / "predictions" / "captions_used.txt", "\n".join(title) + "\n")
        return count


def _caption_lines(name: str, facts: SampleFacts) -> Sequence[str]:
    """The published lines of a prediction."""
    values = {
        "Image": name,
        "Product ID": facts.article_id,
        "Category": facts.category,
        "Approach": APPROACH,
        "Pipeline": "GarmentPipeline",
        "Generation Method": "inpainting from noise",
        "Mask Type": "garment mask of the data set",
        "Detected Garment Category": facts.category,
        "Base Style (for reference only)": facts.caption,
        "Final Generation Prompt": facts.caption,
        "Temporal Weights": [round(past.weight, 4) for past in facts.past],
        "Evolution Source": "none",
        "Evolution Base Text": "none",
        "Text Used for Evolution": "none",
        "Actual Text Source Product": facts.article_id,
        "Actual Text Source Week": facts.week.key if facts.week else "undated",
    }
    return [*(f"{key}: {value}" for key, value in values.items()), "-" * 40]


def _save_picture(picture: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path, quality=95)
