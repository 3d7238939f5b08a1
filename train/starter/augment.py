"""Augmentation on the training device: recoloured, mirrored and moved garments whose captions change along.

In: uint8 or float tensors and `ArticleRecord`s. Out: float tensors and captions. A colour change is one affine map
in YCbCr per sample, applied to the picture and to the measured colours alike, so that the words stay true.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from fashiondistill.config import GROUND
from fashiondistill.data.attributes import COLOURS, compose_caption
from fashiondistill.data.measure import name_colours
from fashiondistill.data.vitonhd import DRAWING, ArticleRecord

# ITU-R BT.601 full range, rows Y, Cb, Cr.
RGB_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
GROUND_VALUE = GROUND / 127.5 - 1


METALS = ("gold", "silver", "rose gold")  # details that name a colour


@dataclass(frozen=True)
class Change:
    """What was done to a picture, so that its words can follow."""

    recoloured: bool = False
    mirrored: bool = False


UNCHANGED = Change()


@dataclass(frozen=True, eq=False)
class ColourMaps:
    """Per-sample affine maps of RGB in [-1, 1]: matrix [B, 3, 3], offset [B, 3]; identity where nothing changes."""

    matrix: torch.Tensor
    offset: torch.Tensor

    @property
    def changed(self) -> list[bool]:
        """Whether the map of each sample changes anything."""
        same = (self.matrix == torch.eye(3, device=self.matrix.device)).all(-1).all(-1) & (self.offset == 0).all(-1)
        return (~same).tolist()

    def apply(self, images: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
        """Recolour images [B, 3, H, W] where alpha [B, 1, H, W] is 1; clipped to [-1, 1]."""
        changed = torch.einsum("bij,bjhw->bihw", self.matrix, images) + self.offset[:, :, None, None]
        return torch.lerp(images, changed.clamp(-1, 1), alpha)


def draw_colour_maps(records: list[ArticleRecord], generator: torch.Generator, *, share: float) -> ColourMaps:
    """Choose for `share` of the samples a turn of the hue or a new target colour of `COLOURS`; on the CPU.

    A target's lightness is kept within 0.45 of the garment's own (of a range of 2): black cloth turned white would
    show noise where folds should be.
    """
    count = len(records)
    random = torch.rand(count, 6, generator=generator).numpy()
    to_ycc = np.array(RGB_TO_YCC)
    to_rgb = np.linalg.inv(to_ycc)
    targets = np.array([c.rgb for c in COLOURS]) / 127.5 - 1
    matrices, offsets = np.tile(np.eye(3), (count, 1, 1)), np.zeros((count, 3))
    for index, record in enumerate(records):
        if random[index, 0] >= share:
            continue
        own = to_ycc @ (np.array(record.colour_rgb[0]) / 127.5 - 1)
        single = len(record.colours) == 1 and record.pattern in ("plain", "printed", "patterned")
        if single and random[index, 1] < 0.65:
            luma_gap = np.abs((targets @ to_ycc.T)[:, 0] - own[0])
            near = np.flatnonzero(luma_gap < 0.45)
            new = to_ycc @ targets[near[int(random[index, 2] * len(near))]]
            new = new + (random[index, 3:6] - 0.5) * (0.08, 0.05, 0.05)
            gain = np.clip((new[0] + 1.25) / (own[0] + 1.25), 0.75, 1.35)  # folds are deeper on light cloth
            ycc_map, ycc_offset = np.diag([gain, 0.9, 0.9]), new - np.array([gain, 0.9, 0.9]) * own
        else:
            turn, scale = 2 * math.pi * random[index, 2], 0.8 + 0.4 * random[index, 3]
            cos, sin = scale * math.cos(turn), scale * math.sin(turn)
            ycc_map = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
            ycc_offset = np.array([(random[index, 4] - 0.5) * 0.16, 0, 0])
        matrices[index] = to_rgb @ ycc_map @ to_ycc
        offsets[index] = to_rgb @ ycc_offset
    return ColourMaps(torch.from_numpy(matrices).float(), torch.from_numpy(offsets).float())


def recoloured_words(records: list[ArticleRecord], maps: ColourMaps) -> list[list[str]]:
    """The colour words of each record after its map, without repeats."""
    flat = [(index, rgb) for index, record in enumerate(records) for rgb in record.colour_rgb]
    where = torch.tensor([index for index, _ in flat])
    values = torch.tensor([rgb for _, rgb in flat], dtype=torch.float32) / 127.5 - 1
    changed = torch.einsum("nij,nj->ni", maps.matrix[where], values) + maps.offset[where]
    pixels = ((changed.clamp(-1, 1) + 1) * 127.5).round().numpy().astype(np.uint8)
    words: list[list[str]] = [[] for _ in records]
    for (index, _), word in zip(flat, name_colours(pixels), strict=True):
        if word not in words[index]:
            words[index].append(word)
    return words


def changes_of(maps: ColourMaps, mirrored: torch.Tensor) -> list[Change]:
    """One `Change` per sample from its colour map and whether it was mirrored, bool [B]."""
    return [Change(*pair) for pair in zip(maps.changed, mirrored.tolist(), strict=True)]


def details_of(record: ArticleRecord, change: Change) -> tuple[str, ...]:
    """The caption's phrases after the noun that still hold: no metal of another colour, left and right exchanged."""
    details = tuple(part for part in record.caption.split(", ")[1:])
    if change.recoloured:
        details = tuple(words for words in details if words not in METALS)
    return tuple(mirrored_words(words) for words in details) if change.mirrored else details


def medium_of(record: ArticleRecord) -> str:
    """How the picture was made, as a word of captions: "photo" or "drawing"."""
    return "drawing" if record.sender == DRAWING else "photo"


def mirrored_words(text: str) -> str:
    """The text with "left" and "right" exchanged, where they stand as words."""
    return re.sub(r"\b(left|right)\b", lambda found: {"left": "right", "right": "left"}[found[1]], text)


def caption_of(record: ArticleRecord, colours: list[str], variant: float, change: Change = UNCHANGED) -> str:
    """One of several ways to say the same; `variant` in [0, 1) chooses, below 0.5 it is the canonical sentence.

    From 0.25 on the sentence says how the picture was made, so that photos can be asked for (`medium_of`).
    """
    details, medium = details_of(record, change), medium_of(record)
    joined = " and ".join(colours)
    if variant < 0.5:
        told = details if variant < 0.25 else (*details, medium)
        return compose_caption(colours=colours, pattern=record.pattern, garment=record.garment, details=told)
    if variant < 0.57:
        return compose_caption(colours=colours, pattern=record.pattern, garment=record.garment)
    if variant < 0.65:  # one detail alone, as people ask
        one = details[int((variant - 0.57) / 0.08 * len(details)) :][:1]
        return ", ".join([f"{joined} {record.garment}", *one])
    if variant < 0.72:
        return f"{joined} {record.garment}"
    if variant < 0.8:
        return f"{record.pattern} {record.garment} in {joined}"
    if variant < 0.88:
        return f"a {medium} of a {joined} {record.pattern} {record.garment}"
    if variant < 0.94:
        return f"{record.garment}, {joined}, {record.pattern}"
    return f"{record.pattern} {record.garment}" if variant < 0.97 else record.garment


def draw_mirrored(records: list[ArticleRecord], generator: torch.Generator) -> torch.Tensor:
    """Bool [B]: half of the samples are mirrored, but no captioned lettering, which would stand the wrong way round."""
    random = torch.rand(len(records), generator=generator)
    readable = torch.tensor(["letter print" not in record.caption for record in records])
    return (random < 0.5) & readable


def move(
    tensors: list[torch.Tensor],
    fills: list[float],
    generator: torch.Generator,
    *,
    mirrored: torch.Tensor,
    max_shift: float,
    scale: tuple[float, float],
) -> list[torch.Tensor]:
    """Mirror (where bool [B] says so), scale and shift all tensors [B, C, H, W] alike; `fills` pad each one."""
    batch, device = tensors[0].shape[0], tensors[0].device
    random = torch.rand(batch, 4, generator=generator, device=generator.device).to(device)
    flip = torch.where(mirrored.to(device), -1.0, 1.0)
    zoom = 1 / (scale[0] + (scale[1] - scale[0]) * random[:, 1])
    theta = torch.zeros(batch, 2, 3, device=device)
    theta[:, 0, 0], theta[:, 1, 1] = flip * zoom, zoom
    theta[:, :, 2] = (random[:, 2:] - 0.5) * 2 * max_shift
    grid = F.affine_grid(theta, [batch, 1, *tensors[0].shape[2:]], align_corners=False)
    moved = []
    for tensor, fill in zip(tensors, fills, strict=True):
        moved.append(F.grid_sample(tensor - fill, grid, mode="bilinear", align_corners=False) + fill)
    return moved


def rough_sketch(sketches: torch.Tensor, masks: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Make extracted lines as varied as hand-drawn ones: outline only, missing parts, other widths, a wobble.

    Args:
        sketches: [B, 1, H, W] in [0, 1], 1 = stroke.
        masks: [B, 1, H, W] in [0, 1], 1 = garment.
    """
    batch, _, height, width = sketches.shape
    device = sketches.device
    random = torch.rand(batch, 5, generator=generator, device=generator.device).to(device)[:, :, None, None, None]
    solid = (masks > 0.5).float()
    outline = F.max_pool2d(solid, 3, 1, 1) - (1 - F.max_pool2d(1 - solid, 3, 1, 1))
    near_outline = F.max_pool2d(outline, 9, 1, 4)
    noise = torch.rand(batch, 1, 6, 5, generator=generator, device=generator.device).to(device)
    kept_region = (F.interpolate(noise, (height, width), mode="bilinear") > 0.42).float()
    inner = sketches * (1 - near_outline)
    drop_all, drop_some = random[:, 0] < 0.25, (random[:, 0] >= 0.25) & (random[:, 0] < 0.6)
    inner = torch.where(drop_all, torch.zeros_like(inner), torch.where(drop_some, inner * kept_region, inner))
    lines = torch.maximum(sketches * near_outline, inner)
    thick = F.max_pool2d(lines, 3, 1, 1)
    lines = torch.where(random[:, 1] < 0.3, thick, lines)
    lines = torch.where((random[:, 1] >= 0.3) & (random[:, 1] < 0.4), F.max_pool2d(thick, 3, 1, 1), lines)
    return _wobble(lines, amplitude=2.5 * (random[:, 2] < 0.35).float()[:, 0] * random[:, 3, 0], generator=generator)


def _wobble(lines: torch.Tensor, *, amplitude: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Displace strokes smoothly by up to `amplitude` [B, 1, 1] pixels, as an unsteady hand does."""
    batch, _, height, width = lines.shape
    field = torch.rand(batch, 2, 16, 12, generator=generator, device=generator.device).to(lines.device) * 2 - 1
    shift = F.interpolate(field, (height, width), mode="bicubic", align_corners=False) * amplitude[:, None]
    base = F.affine_grid(
        torch.eye(2, 3, device=lines.device).repeat(batch, 1, 1), [batch, 1, height, width], align_corners=False
    )
    pixel = torch.tensor([2 / width, 2 / height], device=lines.device)
    return F.grid_sample(lines, base + shift.permute(0, 2, 3, 1) * pixel, mode="bilinear", align_corners=False)
