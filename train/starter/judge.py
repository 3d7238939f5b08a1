"""python -m train.starter.judge: a second CLIP that only evaluates, so that no figure comes from the CLIP that ranks.

In: a prepared data set. Out: OUTPUT_DIR/clip in open_clip's local layout, log.jsonl, state.safetensors. It shares with
`train.starter.clip` the training photos and the vocabulary's recipe; image tower, loss, seed, augmentations and weights
are its own. The studio never loads it. It knows the words of captions and nothing else; `train.starter.judging` says
how far it can be trusted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from tqdm import tqdm
from transformers import CLIPTokenizer

from fashiondistill.cli import run_command
from fashiondistill.config import StageConfig, option, require
from fashiondistill.data.attributes import COLOURS
from fashiondistill.data.vitonhd import ArticleRecord, read_article, read_manifest
from fashiondistill.scoring import ClipScorer
from train.starter.augment import GROUND_VALUE, ColourMaps, recoloured_words
from train.starter.clip import save_clip
from train.starter.common import Clock, Ema, StageState, log_line, random_generator, run_stage, set_up
from train.starter.judging import read_judge
from train.starter.latents import share_weights
from train.starter.splits import held_out_splits
from train.starter.tokens import stage_tokenizer

CONTEXT = 40  # tokens; captions of the data set have at most 20
# The two below are those of Zhai et al. 2023, section 3.2, for about one match in ten instead of one in a batch.
LOGIT_SCALE, LOGIT_BIAS = float(np.log(10)), -4.0
PERMUTATIONS = ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))  # of red, green and blue
GAIN = (0.45, 2.2)  # of a channel; beyond, dyed cloth loses its folds or shows the camera's noise


@dataclass(frozen=True)
class JudgeConfig(StageConfig):
    """The judge: small enough to be trained on two CPU cores, of another family than the CLIP that ranks."""

    max_minutes: float = option(30.0, "wall time after which the stage saves and ends; the schedule is spread over it")
    batch_size: int = option(64, "image-caption pairs a step")
    learning_rate: float = option(1e-3, "peak learning rate of AdamW")
    seed: int = option(4711, "seed of weights, order and augmentation; not that of the CLIP that ranks")
    compile: bool = option(False, "torch.compile the image tower (about a minute once)")
    vision_model: str = option("mobilenetv2_050", "timm model of the image tower; not that of the CLIP that ranks")
    image_height: int = option(192, "height of the pictures that the image tower sees; the width is 3/4 of it")
    drawing_share: float = option(0.35, "share of the samples that are drawings, where there are both")
    embed_dim: int = option(96, "size of the shared embedding")
    text_width: int = option(128, "width of the text tower")
    text_layers: int = option(2, "layers of the text tower")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("embed_dim", "text_layers"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "choose at least 1.")
        require(self.text_width > 0 and self.text_width % 64 == 0, "text_width", self.text_width, "choose 64, 128, ...")
        height = self.image_height
        require(32 <= height <= 512 and height % 16 == 0, "image_height", height, "choose a multiple of 16, 32 to 512.")


@dataclass(frozen=True, eq=False)
class SmallData:
    """Articles at the judge's size: uint8 images [N, 3, h, w] and masks [N, 1, h, w] on one device."""

    records: list[ArticleRecord]
    images: torch.Tensor
    masks: torch.Tensor


@dataclass(frozen=True)
class Words:
    """What one training text says; an empty field says nothing."""

    colours: tuple[str, ...]
    pattern: str
    garment: str

    @property
    def text(self) -> str:
        """The sentence, in the order of the captions."""
        return " ".join(part for part in (" and ".join(self.colours), self.pattern, self.garment) if part)


def model_config(config: JudgeConfig, vocab_size: int) -> dict:
    """open_clip's model_cfg."""
    return {
        "embed_dim": config.embed_dim,
        "init_logit_scale": LOGIT_SCALE,
        "init_logit_bias": LOGIT_BIAS,
        "vision_cfg": {
            "timm_model_name": config.vision_model,
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
            "image_size": [config.image_height, config.image_height * 3 // 4],
        },
        "text_cfg": {
            "context_length": CONTEXT,
            "vocab_size": vocab_size,
            "width": config.text_width,
            "heads": config.text_width // 64,
            "layers": config.text_layers,
        },
    }


def load_small(config: JudgeConfig) -> SmallData:
    """Read the training split, reduced picture by picture, so that memory never holds it at full size.

    Raises:
        FileNotFoundError, ValueError: if the folder, a file or the whole split is missing.
    """
    root, height = Path(config.dataset_path), config.image_height
    records = [record for record in read_manifest(root) if record.split == "train"]
    if config.max_records:
        records = records[:: max(1, len(records) // config.max_records)][: config.max_records]
    if not records:
        raise ValueError(f"--dataset_path {root} has no articles in its train split. Run prepare on more photos.")

    def read(record: ArticleRecord) -> tuple[np.ndarray, np.ndarray]:
        pictures, size = read_article(root, record), (height * 3 // 4, height)
        return tuple(cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (pictures.image, pictures.mask))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pairs = list(tqdm(pool.map(read, records), total=len(records), desc="reading train"))
    images = torch.from_numpy(np.stack([image for image, _ in pairs])).permute(0, 3, 1, 2).contiguous()
    masks = torch.from_numpy(np.stack([mask for _, mask in pairs]))[:, None]
    return SmallData(records, images.to(config.device), masks.to(config.device))


def draw_dyes(records: list[ArticleRecord], generator: torch.Generator) -> ColourMaps:
    """A third as photographed, a third with their channels exchanged, a third dyed: each channel times a gain.

    The CLIP that ranks learns from turned hues and shifted colours instead. Words follow the measured colours, so they
    stay true where a gain is clipped.
    """
    count = len(records)
    random = torch.rand(count, 3, generator=generator).numpy()
    matrices, offsets = np.tile(np.eye(3), (count, 1, 1)), np.zeros((count, 3))
    for index, record in enumerate(records):
        if random[index, 0] < 1 / 3:
            continue
        if random[index, 0] < 2 / 3:
            matrices[index] = np.eye(3)[list(PERMUTATIONS[int(random[index, 1] * len(PERMUTATIONS))])]
            continue
        target = np.array(COLOURS[int(random[index, 1] * len(COLOURS))].rgb, float)
        gain = np.clip((target + 8) / (np.array(record.colour_rgb[0], float) + 8), *GAIN)
        matrices[index], offsets[index] = np.diag(gain), gain - 1  # gain x (x + 1) - 1 in [-1, 1]
    return ColourMaps(torch.from_numpy(matrices).float(), torch.from_numpy(offsets).float())


def draw_words(records: list[ArticleRecord], colours: list[list[str]], generator: torch.Generator) -> list[Words]:
    """One text for each: everything (a half), or only some of colours, pattern and garment."""
    kept = torch.rand(len(records), generator=generator).tolist()
    words = []
    for record, own, share in zip(records, colours, kept, strict=True):
        whole = Words(tuple(own), record.pattern, record.garment)
        if share < 0.5:
            words.append(whole)
        elif share < 0.7:
            words.append(Words((own[0],), "", record.garment))
        elif share < 0.9:
            words.append(Words((), record.pattern, record.garment))
        else:
            words.append(Words((), "", record.garment))
    return words


def true_of(words: list[Words], records: list[ArticleRecord], colours: list[list[str]]) -> torch.Tensor:
    """Float [B, B]: 1 where the text of column j is true of the garment of row i, else 0."""
    said = np.array([(w.garment, w.pattern, *_two(w.colours)) for w in words])[None]
    seen = np.array([(r.garment, r.pattern, *_two(own)) for r, own in zip(records, colours, strict=True)])[:, None]
    same = said == seen  # [B, B, 4]
    no_pattern, no_colour = said[..., 1] == "", said[..., 2] == ""
    # A text that says pattern and colours is a whole caption: it must not leave a second colour out.
    second = same[..., 3] | no_colour | no_pattern & (said[..., 3] == "")
    true = same[..., 0] & (same[..., 1] | no_pattern) & (same[..., 2] | no_colour) & second
    return torch.from_numpy(true.astype(np.float32))


def _two(colours: Sequence[str]) -> list[str]:
    """The first two words, with "" for what is missing."""
    return [*colours, "", ""][:2]


def sigmoid_loss(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Zhai et al. 2023, equation 1, with several matches a row; logits and truth [B, B] -> scalar."""
    return F.binary_cross_entropy_with_logits(logits, truth, reduction="sum") / len(logits)


def vary_pictures(images: torch.Tensor, alphas: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Other light ground, turn, zoom, stretch, mirror, one patch painted over, some blur; [B, 3, h, w] in [-1, 1]."""
    batch, _, height, width = images.shape
    device = images.device
    random = torch.rand(batch, 13, generator=generator).to(device)
    light, other_ground, patched, softened = (random[:, 9:].T)[:, :, None, None, None]
    ground = torch.where(other_ground < 0.5, 0.75 + 0.25 * light, GROUND_VALUE).expand_as(images)
    images = torch.lerp(ground, images, alphas)
    turn = (random[:, 2] - 0.5) * 0.5  # radians
    zoom = 0.8 + 0.4 * random[:, 3]
    stretch = 0.9 + 0.2 * random[:, 4]
    flip = torch.where(random[:, 5] < 0.5, -1.0, 1.0)
    cos, sin, ratio = turn.cos() * zoom, turn.sin() * zoom, height / width
    theta = torch.zeros(batch, 2, 3, device=device)
    theta[:, 0, 0], theta[:, 0, 1] = flip * cos * stretch, -sin * ratio
    theta[:, 1, 0], theta[:, 1, 1] = flip * sin * stretch / ratio, cos
    theta[:, :, 2] = (random[:, 6:8] - 0.5) * 0.25
    place = random[:, [8, 6]]  # of the patch
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    level = ground[:, :, :1, :1]
    moved = F.grid_sample(images - level, grid, mode="bilinear", align_corners=False) + level
    rows, columns = torch.arange(height, device=device) / height, torch.arange(width, device=device) / width
    near = (rows - place[:, :1]).abs() < 0.12, (columns - place[:, 1:]).abs() < 0.15
    moved = torch.where((near[0][:, None, :, None] & near[1][:, None, None]) & (patched < 0.4), level, moved)
    soft = F.avg_pool2d(moved, 3, 1, 1, count_include_pad=False)
    return torch.where(softened < 0.25, soft, moved)


class JudgeStage:
    """Model, vocabulary and data of the stage, and the loss of a step."""

    def __init__(self, config: JudgeConfig, data: SmallData, tokenizer: CLIPTokenizer) -> None:
        self.config, self.data, self.tokenizer = config, data, tokenizer
        self.model_cfg = model_config(config, len(self.tokenizer))
        self.model = open_clip.CLIP(**self.model_cfg).to(config.device, memory_format=torch.channels_last)
        self.see = torch.compile(self.model.encode_image) if config.compile else self.model.encode_image
        patterns = [record.pattern for record in data.records]
        rarity = torch.tensor([patterns.count(pattern) ** -0.5 for pattern in patterns])
        self.weights = share_weights(data.records, config.drawing_share) * rarity
        decayed = [p for p in self.model.parameters() if p.ndim >= 2]
        plain = [p for p in self.model.parameters() if p.ndim < 2]
        groups = [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.95))

    def loss(self, number: int) -> torch.Tensor:
        """Loss of draw `number`; everything drawn at random is keyed by (seed, number)."""
        config, data = self.config, self.data
        generator = random_generator("cpu", config.seed, number)
        chosen = torch.multinomial(self.weights, config.batch_size, replacement=True, generator=generator)
        records = [data.records[i] for i in chosen.tolist()]
        where = chosen.to(config.device)
        images, alphas = data.images[where].float() / 127.5 - 1, data.masks[where].float() / 255
        dyes = draw_dyes(records, generator)
        colours = recoloured_words(records, dyes)
        dyes = ColourMaps(dyes.matrix.to(config.device), dyes.offset.to(config.device))
        images = vary_pictures(dyes.apply(images, alphas), alphas, generator)
        words = draw_words(records, colours, generator)
        ids = self.tokenizer([w.text for w in words], padding="max_length", max_length=CONTEXT, return_tensors="pt")
        with torch.autocast(config.device, torch.bfloat16, enabled=config.device == "cuda"):
            seen = self.see(images.contiguous(memory_format=torch.channels_last), normalize=True)
            read = self.model.encode_text(ids.input_ids.to(config.device), normalize=True)
        logits = self.model.logit_scale.exp() * seen.float() @ read.float().T + self.model.logit_bias
        return sigmoid_loss(logits, true_of(words, records, colours).to(config.device))


def train(config: JudgeConfig) -> None:
    """Run, or go on with, the stage; prints how well it reads photos of senders that it has not seen.

    It reads the held-out splits that the data set holds; one without any is refused before training.
    """
    clock, (out, ranks) = Clock(config), set_up(config)
    held_out, data = held_out_splits(Path(config.dataset_path)), load_small(config)
    stage = JudgeStage(config, data, stage_tokenizer(out, ranks, (record.caption for record in data.records)))
    modules = {"clip": stage.model}
    state = StageState(out, modules, stage.optimizer, Ema(modules, decay=0.998))

    def write_models(folder: Path) -> None:
        save_clip(state.ema.averaged("clip"), stage.model_cfg, stage.tokenizer, folder / "clip")

    step = run_stage("judge", config, clock, ranks, state, stage.loss, write_models)
    if not ranks.leads:
        return
    print(f"judge: {step} steps of {config.batch_size} in {clock.spent:.0f} s -> {out / 'clip'}")
    scorer, root = ClipScorer.load(out / "clip", config.device), Path(config.dataset_path)
    for split, records in held_out.items():
        read, _ = read_judge(scorer, root, records[: config.max_records or None])
        log_line(out, step=step, split=split, seconds=round(clock.spent, 1), **{n: v.mean for n, v in read.items()})
        print("\n".join(f"{split:5} {name:34} {value}" for name, value in read.items()))


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv, train, JudgeConfig, prog="python -m train.starter.judge", description=__doc__.splitlines()[0]
    )


if __name__ == "__main__":
    sys.exit(main())
