"""What temporal and preference training share around the loop: opening, cached data, final model.

In: settings. Out: `Workplace`, and OUTPUT_DIR/final_model with unet.pth, training_config.json and pipeline/, a folder
that the studio opens. Knows nothing of objectives.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from fashiondistill.cli import write_run
from fashiondistill.config import DatasetConfig
from fashiondistill.data.dataset import GarmentDataset
from fashiondistill.diffusion.caches import cache_states, weights_id
from fashiondistill.diffusion.published import save_unet_pth
from train.data import TrainingSet
from train.files import is_disk_full
from train.loop import Trainer, World, open_world
from train.models import TrainingModels, averaged_unet, clip_folder, load_models, save_pipeline
from train.objectives import Objective
from train.samples import Validation
from train.settings import TrainConfig, cache_folder
from train.tables import ArticleTable, embed_articles


@dataclass(frozen=True, eq=False)
class Workplace:
    """Everything that stands before training begins.

    Attributes:
        world: this process.
        models: as loaded; a .pth to start from is already inside.
        data, table: the training split and CLIP embeddings of its articles.
        validation: samples to draw, or None.
        identity: ids of base weights and data, which a resumed run must share.
    """

    world: World
    models: TrainingModels
    data: TrainingSet
    table: ArticleTable
    validation: Validation | None
    identity: dict[str, str]


def open_workplace(config: TrainConfig, *, trend_tokens: int | None = None, learn_channels: bool = True) -> Workplace:
    """Load models, read and encode the data set.

    Args:
        config: settings.
        trend_tokens, learn_channels: see `train.models.load_models`.

    Raises:
        FileNotFoundError, ValueError: naming what is missing or damaged; a corrupt picture stops here, before training.
    """
    root = Path(config.dataset_path)
    if not root.is_dir():
        raise FileNotFoundError(f"--dataset_path {root} does not exist. Make it with python -m fashiondistill.prepare.")
    world = open_world(config)
    models = load_models(config, world.device.type, trend_tokens=trend_tokens, learn_channels=learn_channels)
    cache = cache_folder(config)
    with world.accelerator.main_process_first():
        dataset = _dataset(config, models, "train")
        cached = cache_states(dataset, models.pipeline, cache, size=tuple(config.image_size))
        last = "val" if config.num_samples else "train"  # what is drawn of validation looks back over its own weeks
        table = embed_articles(root, last, models.scorer, cache, shape=config.shape)
    validation = None
    if config.num_samples and world.leads:
        try:
            validation = Validation(models, _dataset(config, models, "val"), table, config)
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{error} Or draw no samples of it, with --num_samples 0.") from error
    data_id = hashlib.sha256(json.dumps([cached.keys, sorted(cached.text_keys.items())]).encode()).hexdigest()
    base = [models.unet, *([models.trend] if models.trend is not None else [])]
    base_id = hashlib.sha256("".join(weights_id(module, "") for module in base).encode()).hexdigest()
    identity = {"data": data_id, "base_weights": base_id, "clip_weights": weights_id(models.scorer.model, "")}
    data = TrainingSet(cached, table, in_memory=config.in_memory)
    return Workplace(world, models, data, table, validation, identity)


def run_training(config: TrainConfig, place: Workplace, objective: Objective) -> str:
    """Train, export, draw; returns what to print."""
    out = Path(config.output_dir)
    world, validation = place.world, place.validation
    if world.leads:
        out.mkdir(parents=True, exist_ok=True)
        write_run(out, config)
    sample: Callable[[int, dict[str, nn.Module]], None] | None = None
    if validation is not None:

        def sample(step: int, modules: dict[str, nn.Module]) -> None:
            validation.write_grid(out / "samples" / f"step_{step:06d}.jpg", modules, world.autocast)

    trainer = Trainer(config, world, objective, place.data, identity=place.identity, sample=sample)
    steps = trainer.run()
    if world.leads:
        averaged = trainer.averaged()
        export(config, place.models, averaged, out)
        if validation is not None:
            sample(steps, averaged)
            validation.write_predictions(out, averaged, world.autocast)
    world.accelerator.wait_for_everyone()
    world.accelerator.end_training()
    return f"{steps} updates -> {out} (final_model/, losses.jsonl, curves.png)" if world.leads else ""


def export(config: TrainConfig, models: TrainingModels, averaged: dict[str, nn.Module], out: Path) -> None:
    """Write final_model/: unet.pth and training_config.json as published, and pipeline/ beside them."""
    part, target = out / ".final_model.part", out / "final_model"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    unet = averaged_unet(models, averaged)
    save_unet_pth(unet, part / "unet.pth")
    if "adapter" in averaged:
        averaged["adapter"].save(part)
    settings = json.dumps(dataclasses.asdict(config), indent=2) + "\n"
    for folder in (part, out):
        (folder / "training_config.json").write_text(settings, encoding="utf-8")
    save_pipeline(models, unet, averaged, clip_folder(config, models.folder), part / "pipeline")
    aside = out / ".final_model.old"
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(target, aside)
    os.rename(part, target)
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def disk_errors() -> Iterator[None]:
    """A full disk outside the loop is bad input like any other: one line that names the file."""
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise ValueError(f"--output_dir: {error}") from error


def _dataset(config: TrainConfig, models: TrainingModels, split: str) -> GarmentDataset:
    options = DatasetConfig(
        num_past_weeks=config.num_past_weeks,
        temporal_weight_decay=config.temporal_weight_decay,
        categories=config.categories,
        incomplete=config.incomplete,
        shape=config.shape,
        seed=config.seed,
    )
    tokenizer = models.pipeline.tokenizer
    count = lambda text: len(tokenizer(text, verbose=False).input_ids)  # noqa: E731 - of this model's vocabulary
    return GarmentDataset(Path(config.dataset_path), split, options, count_tokens=count)
