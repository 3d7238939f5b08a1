"""python -m train.starter.clip: the small CLIP that ranks candidates, from scratch.

In: a prepared data set. Out: OUTPUT_DIR/clip (open_clip_config.json, open_clip_model.safetensors, tokenizer/).
Contrastive loss of Radford et al. 2021 with several positives: pairs whose captions are equal all count as matches,
since hundreds of the photos are "black plain t-shirt".
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from fashiondistill.cli import run_command
from fashiondistill.config import ClipConfig
from fashiondistill.data.vitonhd import ArticleRecord
from train.starter.augment import (
    GROUND_VALUE,
    caption_of,
    changes_of,
    draw_colour_maps,
    draw_mirrored,
    move,
    recoloured_words,
)
from train.starter.common import Clock, Ema, StageState, log_line, random_generator, run_stage, set_up
from train.starter.splits import StarterData, held_out_splits, load_split
from train.starter.tokens import MAX_LENGTH, encode, stage_tokenizer

IMAGE_SIZE = (256, 192)
MEAN = STD = (0.5, 0.5, 0.5)


def model_config(config: ClipConfig, vocab_size: int) -> dict:
    """open_clip's model_cfg."""
    return {
        "embed_dim": config.embed_dim,
        "vision_cfg": {
            "timm_model_name": config.vision_model,
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
            "image_size": list(IMAGE_SIZE),
        },
        "text_cfg": {
            "context_length": MAX_LENGTH,
            "vocab_size": vocab_size,
            "width": config.text_width,
            "heads": config.text_width // 64,
            "layers": config.text_layers,
        },
    }


def contrastive_loss(
    images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, groups: torch.Tensor
) -> torch.Tensor:
    """Normalised embeddings [B, D] and caption groups [B] -> scalar; equal groups are all positives."""
    logits = scale * images @ texts.T
    positive = (groups[:, None] == groups[None]).float()
    target = positive / positive.sum(dim=1, keepdim=True)
    by_image = -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()
    by_text = -(target * logits.T.log_softmax(dim=1)).sum(dim=1).mean()
    return (by_image + by_text) / 2


def shrink(data: StarterData) -> StarterData:
    """The data set at the size that the image tower sees."""

    def smaller(pictures: torch.Tensor) -> torch.Tensor:
        parts = [F.interpolate(part.float(), IMAGE_SIZE, mode="area").round() for part in pictures.split(256)]
        return torch.cat([part.to(torch.uint8) for part in parts])

    return StarterData(data.records, smaller(data.images), smaller(data.sketches), smaller(data.masks))


def draw_batch(data: StarterData, config: ClipConfig, step: int) -> tuple[torch.Tensor, list[str], torch.Tensor]:
    """From shrunk data: pictures [B, 3, 256, 192], one caption each, and the number of each canonical caption."""
    generator = random_generator("cpu", config.seed, step)
    device = data.images.device
    chosen = torch.randint(len(data), (config.batch_size,), generator=generator)
    records = [data.records[i] for i in chosen.tolist()]
    where = chosen.to(device)
    images, alphas = data.images[where].float() / 127.5 - 1, data.masks[where].float() / 255
    maps = draw_colour_maps(records, generator, share=0.5)
    words, mirrored = recoloured_words(records, maps), draw_mirrored(records, generator)
    changes = changes_of(maps, mirrored)
    maps = dataclasses.replace(maps, matrix=maps.matrix.to(device), offset=maps.offset.to(device))
    images = maps.apply(images, alphas)
    (images,) = move([images], [GROUND_VALUE], generator, mirrored=mirrored, max_shift=0.08, scale=(0.75, 1.12))
    noise = torch.randn(images.shape, generator=random_generator(str(device), config.seed, step, 1), device=device)
    amount = torch.rand(len(records), 1, 1, 1, generator=generator).to(device)
    images = images + 0.06 * amount * noise
    variants = torch.rand(len(records), generator=generator).tolist()
    captions = [caption_of(*told) for told in zip(records, words, variants, changes, strict=True)]
    canonical = [caption_of(r, w, 0.0, c) for r, w, c in zip(records, words, changes, strict=True)]
    numbers = {text: n for n, text in enumerate(dict.fromkeys(canonical))}
    return images, captions, torch.tensor([numbers[text] for text in canonical], device=device)


def train(config: ClipConfig) -> None:
    """Run, or go on with, the stage."""
    clock, (out, ranks) = Clock(config), set_up(config)
    root = Path(config.dataset_path)
    drawn, limit = config.max_drawings, config.max_records
    data = shrink(load_split(root, "train", device=config.device, max_drawings=drawn, limit=limit))
    split = next(iter(held_out_splits(root)))  # val, or test where only that one is there
    held_out = load_split(root, split, device=config.device, max_drawings=0, limit=config.max_records)
    tokenizer = stage_tokenizer(out, ranks, (record.caption for record in data.records))
    model_cfg = model_config(config, len(tokenizer))
    model = open_clip.CLIP(**{k: v for k, v in model_cfg.items()}).to(config.device)
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    plain = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.2}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98))
    state = StageState(out, {"clip": model}, optimizer, Ema({"clip": model}, decay=0.995))

    def loss_of(step: int) -> torch.Tensor:
        images, captions, numbers = draw_batch(data, config, step)
        ids = encode(tokenizer, captions).to(config.device)
        with torch.autocast(config.device, torch.bfloat16):
            image_features = model.encode_image(images, normalize=True)
            text_features = model.encode_text(ids, normalize=True)
        scale = model.logit_scale.exp().clamp(max=100)
        return contrastive_loss(image_features.float(), text_features.float(), scale, numbers)

    def write_models(folder: Path) -> None:
        save_clip(state.ema.averaged("clip"), model_cfg, tokenizer, folder / "clip")

    step = run_stage("clip", config, clock, ranks, state, loss_of, write_models)
    if not ranks.leads:
        return
    averaged = state.ema.averaged("clip")
    recall = {name: round(float(hits.mean()), 4) for name, hits in recall_at_1(averaged, tokenizer, held_out).items()}
    log_line(out, step=step, seconds=round(clock.spent, 1), **recall)
    print(f"clip: {step} steps in {clock.spent:.0f} s, {split} {recall} -> {out / 'clip'}")


def save_clip(model: nn.Module, model_cfg: dict, tokenizer, folder: Path) -> None:  # noqa: ANN001 - CLIPTokenizer
    """Write open_clip's local layout with fp16 weights."""
    folder.mkdir(parents=True, exist_ok=True)
    preprocess = {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "squash"}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": model_cfg, "preprocess_cfg": preprocess}, indent=2) + "\n", encoding="utf-8"
    )
    weights = {
        k: v.half().contiguous().cpu() if v.is_floating_point() else v.cpu() for k, v in model.state_dict().items()
    }
    save_file(weights, folder / "open_clip_model.safetensors")
    tokenizer.save_pretrained(folder / "tokenizer")


@torch.no_grad()
def recall_at_1(model: nn.Module, tokenizer, data: StarterData, *, count: int = 200) -> dict[str, np.ndarray]:  # noqa: ANN001
    """Whether the best match of each of `count` held-out garments has the right caption (1 or 0), both ways.

    Garments with equal captions count as matches of one another; the pool is the same `count` garments. The model
    must be in eval mode.
    """
    chosen = np.random.default_rng(0).permutation(len(data))[:count]
    records: list[ArticleRecord] = [data.records[i] for i in chosen]
    device = data.images.device
    small = [F.interpolate(_pixels(data.images[i : i + 1]), IMAGE_SIZE, mode="bicubic", antialias=True) for i in chosen]
    pixels = torch.cat(small)
    images = torch.cat([model.encode_image(batch, normalize=True) for batch in pixels.split(50)]).float()
    texts = model.encode_text(encode(tokenizer, [r.caption for r in records]).to(device), normalize=True).float()
    similarity = (images @ texts.T).cpu().numpy()
    captions = np.array([r.caption for r in records])
    by_image = (captions[similarity.argmax(1)] == captions).astype(float)
    by_text = (captions[similarity.argmax(0)] == captions).astype(float)
    return {"recall_at_1_image_to_text": by_image, "recall_at_1_text_to_image": by_text}


def _pixels(images: torch.Tensor) -> torch.Tensor:
    return images.float() / 127.5 - 1


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv, train, ClipConfig, prog="python -m train.starter.clip", description=__doc__.splitlines()[0]
    )


if __name__ == "__main__":
    sys.exit(main())
