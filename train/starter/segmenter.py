"""python -m train.starter.segmenter: learn where a photo's garment is from the masks that GrabCut got right.

In: a set of prepare photos and the photos it was made of. Out: segmenter.safetensors (1.2 MB, half precision), read by
`data.learned`. A thin U-Net (Ronneberger, Fischer, Brox, MICCAI 2015; skips are added, not concatenated) with binary
cross-entropy and soft Dice. Photos of the test and val senders are kept aside; their IoU is what the command prints.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from fashiondistill.cli import add_flags, config_from
from fashiondistill.config import SegmenterConfig
from fashiondistill.data.learned import DEEP, NET_SIZE, SEGMENTER_WEIGHTS, WIDTHS, net_input
from fashiondistill.data.masks import iou
from train.starter.segmenterdata import Example, changed, read_examples


def convolution(channels_in: int, channels_out: int, *, stride: int = 1) -> nn.Sequential:
    """3 x 3 convolution, batch norm, ReLU."""
    conv = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True))


class Segmenter(nn.Module):
    """float [N, 3, 192, 144] of `net_input` -> garment logits [N, 1, 96, 72]."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, *WIDTHS)
        levels = range(len(WIDTHS))
        self.down = nn.ModuleList(convolution(widths[i], widths[i + 1], stride=2) for i in levels)
        self.same = nn.ModuleList(convolution(width, width) for width in WIDTHS)
        self.deep = nn.ModuleList(convolution(WIDTHS[-1], WIDTHS[-1]) for _ in range(DEEP))
        self.up = nn.ModuleList(nn.Conv2d(WIDTHS[i + 1], WIDTHS[i], 1) for i in levels[:-1])
        self.out = nn.ModuleList(convolution(WIDTHS[i], WIDTHS[i]) for i in levels[:-1])
        self.head = nn.Conv2d(WIDTHS[0], 1, 1)

    def forward(self, values: Tensor) -> Tensor:
        skips = []
        for down, same in zip(self.down, self.same, strict=True):
            values = same(down(values))
            skips.append(values)
        for deep in self.deep:
            values = values + deep(values)
        for level in reversed(range(len(self.up))):
            lower = F.interpolate(self.up[level](values), scale_factor=2, mode="nearest")
            values = self.out[level](F.relu(lower + skips[level]))
        return self.head(values)


def exported(model: Segmenter) -> dict[str, np.ndarray]:
    """Weights as `data.learned` wants them: batch norm folded in, [9 * in, out], float16."""
    made = {}
    for group in ("down", "same", "deep", "out"):
        for index, (conv, norm, _) in enumerate(getattr(model, group)):
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            folded = (conv.weight * scale[:, None, None, None]).permute(2, 3, 1, 0)
            made[f"{group}{index}.weight"] = folded.reshape(-1, folded.shape[-1])
            made[f"{group}{index}.bias"] = norm.bias - norm.running_mean * scale
    for name, conv in [*((f"up{i}", conv) for i, conv in enumerate(model.up)), ("head", model.head)]:
        made[f"{name}.weight"], made[f"{name}.bias"] = conv.weight[:, :, 0, 0].T, conv.bias
    return {name: np.ascontiguousarray(value.detach().numpy().astype(np.float16)) for name, value in made.items()}


def loss_of(logits: Tensor, truth: Tensor) -> Tensor:
    """Binary cross-entropy plus soft Dice, of logits [N, 1, 96, 72] and masks [N, 1, 192, 144] in [0, 1]."""
    logits = F.interpolate(logits, size=NET_SIZE, mode="bilinear", align_corners=False)
    chance = logits.sigmoid()
    overlap = (2 * (chance * truth).sum((1, 2, 3)) + 1) / (chance.sum((1, 2, 3)) + truth.sum((1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(logits, truth) + (1 - overlap).mean()


def fit(examples: list[Example], config: SegmenterConfig) -> Segmenter:
    """Train on the CPU for `config.max_train_steps`, AdamW with a one-cycle learning rate."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    model = Segmenter().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=config.max_train_steps, pct_start=0.1
    )
    began, bar = time.monotonic(), tqdm(range(config.max_train_steps), desc="segmenter", unit="step", mininterval=10)
    for step in bar:
        chosen = rng.choice(len(examples), config.batch_size, replace=False)
        pairs = [changed(examples[i], examples[int(rng.integers(len(examples)))], rng) for i in chosen]
        images, truth = to_tensors(pairs)
        loss = loss_of(model(images), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(f"step {step} loss {loss.item():.4f} {time.monotonic() - began:.0f} s", flush=True)
    return model.eval()


def to_tensors(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[Tensor, Tensor]:
    """Images float [N, 3, 192, 144] and masks [N, 1, 192, 144] from uint8 pairs."""
    images = torch.from_numpy(net_input(np.stack([image for image, _ in pairs]))).permute(0, 3, 1, 2)
    return images, torch.from_numpy(np.stack([mask for _, mask in pairs])).float()[:, None] / 255


@torch.no_grad()
def overlaps(model: Segmenter, examples: list[Example]) -> np.ndarray:
    """IoU of each example's mask and the network's at 0.5."""
    found = []
    for first in range(0, len(examples), 64):
        part = examples[first : first + 64]
        images, truth = to_tensors([(example.image, example.mask) for example in part])
        logits = F.interpolate(model(images), size=NET_SIZE, mode="bilinear", align_corners=False)
        pairs = zip(logits[:, 0].numpy() > 0, truth[:, 0].numpy() > 0.5, strict=True)
        found += [iou(mine.astype(np.uint8), theirs.astype(np.uint8)) for mine, theirs in pairs]
    return np.array(found)


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m train.starter.segmenter", description=__doc__.splitlines()[0])
    add_flags(parser, SegmenterConfig)
    config = config_from(parser.parse_args(argv), SegmenterConfig)
    cv2.setNumThreads(1)
    examples = read_examples(Path(config.dataset_path), Path(config.photos), num_workers=config.num_workers)
    model = fit([example for example in examples if example.split == "train"], config)
    save_file(exported(model), Path(config.out) / SEGMENTER_WEIGHTS)
    held_out = overlaps(model, [example for example in examples if example.split != "train"])
    low, middle = np.quantile(held_out, (0.05, 0.5))
    print(f"IoU on {len(held_out)} photos of other senders: mean {held_out.mean():.3f}, median {middle:.3f}, "
          f"5th percentile {low:.3f}; {Path(config.out) / SEGMENTER_WEIGHTS}")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
