"""python -m fashiondistill.predict: next week's garments from a data set of weekly bestsellers.

In: a data set in the published layout and a model. Out: predictions/CATEGORY/ID_pred_NNNN.jpg and the published tables,
contact sheets per category and week, run.json. Two modes that are never mixed: forecast (the prompt comes from past
weeks only) and oracle (the true caption of the week to come, as published). The same command goes on where it stopped.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache, reduce
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Subset
from tqdm import tqdm

from fashiondistill.cli import run_command, write_run
from fashiondistill.config import DatasetConfig, PredictConfig
from fashiondistill.data.categories import get_category
from fashiondistill.data.dataset import GarmentDataset, GarmentSample
from fashiondistill.data.folders import open_folder
from fashiondistill.data.samplefiles import read_picture
from fashiondistill.diffusion.conditioning import Conditioning
from fashiondistill.diffusion.defaults import flag_defaults
from fashiondistill.diffusion.loading import add_lora, load_pipeline, prepare
from fashiondistill.diffusion.noise import candidate_noise
from fashiondistill.diffusion.past import Past, make_past
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.diffusion.sources import open_base
from fashiondistill.forecast.prompts import Prompts, Told, key_number
from fashiondistill.predictionfiles import (
    PROGRESS,
    TITLES,
    Prediction,
    note_done,
    read_done,
    write_picture,
    write_sheet,
    write_tables,
)
from fashiondistill.scoring import ClipScorer

OPTIONS = "options.json"  # what must not change when a run goes on
FREE = ("output_dir", "batch_size", "num_workers_test", "device")  # what may


def predict(config: PredictConfig) -> list[dict]:
    """Draw what is not drawn yet and write the tables; returns their rows.

    Raises:
        FileNotFoundError, ValueError: naming the flag, file or folder and the remedy.
    """
    dataset = GarmentDataset(
        Path(config.dataset_path),
        config.split,
        DatasetConfig(
            num_past_weeks=config.num_past_weeks,
            temporal_weight_decay=config.temporal_weight_decay,
            categories=config.categories,
        ),
    )
    pipeline = open_model(config)
    prompts = Prompts(dataset, config)
    out = Path(config.output_dir)
    _check_options(out, config)
    names = {number: _name(dataset, number) for number in range(len(dataset))}
    told = {number: prompts.of(number) for number in names}
    usable = [number for number in names if told[number] is not None]
    if not usable:
        raise ValueError(
            f"--split {config.split}: no picture has {'captions of past weeks' if config.mode == 'forecast' else ''}"
            f"{'a caption of the week to come' if config.mode == 'oracle' else ''}: choose another split or mode."
        )
    for number in usable:
        pipeline.check_prompt(told[number].prompt)
    past_of = past_reader(pipeline, dataset, config) if pipeline.trend is not None else None
    done = read_done(out)
    missing = [number for number in usable if names[number] not in done]
    loader = DataLoader(
        Subset(dataset, missing), config.batch_size, num_workers=config.num_workers_test, collate_fn=list
    )
    with tqdm(total=len(usable), initial=len(usable) - len(missing), desc="drawing", unit="picture") as bar:
        for places, samples in zip(_batches(missing, config.batch_size), loader, strict=True):
            pasts = [past_of(sample) for sample in samples] if past_of is not None else None
            pictures = draw(pipeline, samples, [told[number].prompt for number in places], config, pasts)
            rows = [
                _row(names[number], sample, told[number], dataset, number, config, pipeline.model_id)
                for number, sample in zip(places, samples, strict=True)
            ]
            for row, picture in zip(rows, pictures, strict=True):
                write_picture(out, row.prediction_file, picture)
            note_done(out, rows)
            bar.update(len(rows))
    done = read_done(out)
    rows = [done[names[number]] for number in usable]
    write_tables(out, rows, mode=config.mode)
    for (category, week), group in groupby(rows, key=lambda row: (row["category"], row["target_week"])):
        title = f"{config.mode.upper()}  {get_category(category).title}, {week}: base picture above, drawn below"
        write_sheet(out, list(group), name=f"{category}_{week}.png", title=title)
    write_run(out, config)
    return rows


def open_model(config: PredictConfig) -> GarmentPipeline:
    """The pipeline of --checkpoint_path, or the base pipeline with its UNet weights.

    Raises:
        FileNotFoundError, ValueError: a checkpoint that cannot be used never gives the base weights instead.
    """
    path = Path(config.checkpoint_path)
    if path.suffix in (".pth", ".pt", ".bin", ".ckpt"):
        raise ValueError(
            f"--checkpoint_path {path} is pickled, which could run code: save its tensors with safetensors first."
        )
    if not path.exists():
        raise FileNotFoundError(
            f"--checkpoint_path {path} does not exist: give a pipeline folder or .safetensors file."
        )
    if path.is_dir():
        pipeline = load_pipeline(path, config.device)
    elif (Path(config.pretrained_model_name_or_path) / "clip").is_dir():
        pipeline = load_pipeline(Path(config.pretrained_model_name_or_path), config.device)
        _load_unet(pipeline, path)
    else:  # Stable Diffusion: its UNet is given the file's channels
        pipeline = prepare(open_base(config.pretrained_model_name_or_path, unet=str(path)).pipeline, config.device)
        pipeline.model_id = f"{path.parent.name}/{path.name}"
    if config.lora:
        add_lora(pipeline, Path(config.lora))
    if config.mixed_precision == "fp16" and pipeline.device.type == "cpu":
        raise ValueError("--mixed_precision fp16 is not usable: processors have no fast fp16; choose bf16, no or auto.")
    if config.mixed_precision != "auto":
        kinds = {"no": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
        pipeline.to(dtype=kinds[config.mixed_precision])
    return pipeline


def _load_unet(pipeline: GarmentPipeline, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        pipeline.unet.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"--checkpoint_path {path} does not fit the UNet of --pretrained_model_name_or_path ({reason})."
        ) from error
    pipeline.model_id = f"{path.parent.name}/{path.name}"


def past_reader(
    pipeline: GarmentPipeline, dataset: GarmentDataset, config: PredictConfig
) -> Callable[[GarmentSample], Past]:
    """What gives a model with a trend encoder the past of a sample: up to its own week, before the one drawn."""
    folder = Path(config.checkpoint_path)
    folder = folder if folder.is_dir() else Path(config.pretrained_model_name_or_path)
    scorer = ClipScorer.load(folder / "clip", pipeline.device.type)
    paths = {item.article_id: item.image for item in open_folder(Path(config.dataset_path)).items}
    shape = dataset.config.shape

    @cache
    def embedding(article_id: str) -> np.ndarray:
        return scorer.embed_images([read_picture(paths[article_id], shape).pixels])[0]

    def past_of(sample: GarmentSample) -> Past:
        articles = dataset.articles_by_week(sample.category, sample.week)
        target = sample.week.shift(config.predict_future_weeks)
        embed = lambda ids: np.stack([embedding(one) for one in ids])  # noqa: E731
        return make_past(sample.category, target, articles, embed, pipeline.trend)

    return past_of


def draw(
    pipeline: GarmentPipeline,
    samples: Sequence[GarmentSample],
    prompts: Sequence[str],
    config: PredictConfig,
    pasts: Sequence[Past] | None = None,
) -> np.ndarray:
    """One picture for each sample, uint8 [B, 512, 384, 3]; what lies outside its mask stays.

    The noise of a sample depends on seed, week and article only, never on the batch. Repainting starts from noise alone
    (strength 1): started from the noised picture, as published, its colours would leak.
    """
    masks = [sample.mask.astype(np.float32) / 255 for sample in samples]
    conditions: list[Conditioning] = [
        pipeline.condition(prompt, sample.sketch.astype(np.float32) / 255, sample.image, mask, past)
        for prompt, sample, mask, past in zip(prompts, samples, masks, pasts or [None] * len(samples), strict=True)
    ]
    noise = torch.cat([candidate_noise(_seed_of(sample, config), 0, pipeline.layout.latents) for sample in samples])
    steps = pipeline.denoise(
        noise,
        reduce(Conditioning.cat, conditions),
        pipeline.encode_prompt("").to(pipeline.unet.dtype),
        num_inference_steps=config.num_inference_steps,
        guidance_scale=config.guidance_scale,
    )
    for latents in steps:  # noqa: B007 - the last latents are decoded
        pass
    drawn = pipeline.decode_latents(latents)
    pictures = [
        np.where((mask > 0.5)[..., None], one, sample.image)
        for one, mask, sample in zip(drawn, masks, samples, strict=True)
    ]
    return np.stack(pictures)


def _seed_of(sample: GarmentSample, config: PredictConfig) -> int:
    return key_number(f"{config.seed}/{sample.category}/{sample.week}/{sample.article_id}")


def _name(dataset: GarmentDataset, number: int) -> str:
    item = dataset.items[number]
    return f"predictions/{item.category}/{item.article_id}_pred_{number:04d}.jpg"


def _batches(places: list[int], size: int) -> Iterator[list[int]]:
    return (places[start : start + size] for start in range(0, len(places), size))


def _row(
    name: str,
    sample: GarmentSample,
    told: Told,
    dataset: GarmentDataset,
    number: int,
    config: PredictConfig,
    model_id: str,
) -> Prediction:
    return Prediction(
        prediction_file=name,
        style_prompt=told.prompt,
        base_style=sample.caption,
        base_image=str(dataset.items[number].image),
        temporal_weights=tuple(round(past.weight, 6) for past in sample.past),
        category=sample.category,
        product_id=sample.article_id,
        is_actual_next_week_text=config.mode == "oracle",
        mask_type="dataset",
        garment_category_detected=get_category(sample.category).title,
        pipeline_used=model_id,
        generation_method="inpainting from noise alone (strength 1.0)",
        evolution_source=told.source,
        evolution_base_text=told.base_text,
        base_text_for_evolution=told.base_text,
        actual_text_source_product=told.product,
        actual_text_source_week=told.week,
        mode=config.mode,
        week=sample.week.key,
        target_week=sample.week.shift(config.predict_future_weeks).key,
        seed=_seed_of(sample, config),
        sources=told.sources,
    )


def _check_options(out: Path, config: PredictConfig) -> None:
    """Keep the options with the run; a folder of a run with others is refused, or two modes would mix."""
    own = {key: value for key, value in dataclasses.asdict(config).items() if key not in FREE}
    own = json.loads(json.dumps(own))
    path = out / OPTIONS
    if path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = [key for key in own if before.get(key) != own[key]]
        if changed:
            raise ValueError(
                f"--output_dir {out} holds a run with --{changed[0]} {before.get(changed[0])}: give another folder, or "
                "the same options."
            )
    elif (out / PROGRESS).exists():
        raise ValueError(f"--output_dir {out} holds {PROGRESS} without {OPTIONS}: give another folder.")
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(own, indent=1) + "\n", encoding="utf-8")


def _report(config: PredictConfig) -> str:
    rows = predict(config)
    return f"{TITLES[config.mode]}\n{len(rows)} pictures: {config.output_dir}/predictions, contact_sheets, *.json"


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv,
        _report,
        PredictConfig,
        prog="python -m fashiondistill.predict",
        description=__doc__.splitlines()[0],
        defaults=flag_defaults("checkpoint_path", ""),
    )


if __name__ == "__main__":
    sys.exit(main())
