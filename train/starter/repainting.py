"""Repainting a part of a garment: is what lies outside the mask left alone, and does the part become what was asked?

In: test photos, and masks as a hand draws them (a blob around a side, the top or the middle). Out: PSNR outside the
mask, how much changed inside it, and whether the asked colour came out there.
"""

from __future__ import annotations

import cv2
import numpy as np

from fashiondistill.data.attributes import compose_caption
from fashiondistill.data.measure import measure_colours
from train.starter.bench import Bench, Case, PartResult, Task, spread
from train.starter.figures import compare_pictures, figure, psnr, share
from train.starter.sheets import cell, outlined, sheet
from train.starter.sweeps import is_neighbour

SEAM = 8  # pixels around the mask in which the pipeline blends
# Part of the garment's box that is repainted: left, top, right, bottom; and the colour that is asked for there, or the
# other one, where the garment has that colour already.
PARTS = {
    "side": ((-0.05, 0.05, 0.32, 0.75), ("red", "teal")),
    "top": ((0.1, -0.05, 0.9, 0.28), ("navy", "mustard")),
    "middle": ((0.25, 0.3, 0.75, 0.65), ("mustard", "purple")),
}
MIN_CLOTH = 1000  # pixels of garment that a mask must cover
WANTED_DB = 40.0


def hand_drawn_mask(inside: np.ndarray, box: tuple[float, float, float, float], rng: np.random.Generator) -> np.ndarray:
    """Float32 [H, W]: an uneven blob over a part of the garment's bounding box, clipped at the picture's border."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    origin, size = np.array([columns[0], rows[0]]), np.array([np.ptp(columns), np.ptp(rows)])
    low, high = origin + np.array(box[:2]) * size, origin + np.array(box[2:]) * size
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    wave = sum(rng.normal(0, 0.05) * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in (2, 3, 5))
    radius = (1 + wave)[:, None] * (high - low) / 2
    points = (low + high) / 2 + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    mask = cv2.fillPoly(np.zeros(inside.shape, np.uint8), [points.round().astype(np.int32)], 1)
    return mask.astype(np.float32)


def choose_part(case: Case, number: int) -> tuple[str, np.ndarray]:
    """The part whose turn it is and its mask; the next one, if there is hardly any cloth there."""
    for turn in range(number, number + len(PARTS)):
        part = list(PARTS)[turn % len(PARTS)]
        mask = hand_drawn_mask(case.inside, PARTS[part][0], np.random.default_rng((23, number)))
        if ((mask > 0.5) & case.inside).sum() >= MIN_CLOTH:
            return part, mask
    raise ValueError(f"article {case.name}: its mask is too small for a part of it to be repainted. Leave it out.")


def psnr_outside(original: np.ndarray, output: np.ndarray, mask: np.ndarray, *, seam: int = 0) -> float:
    """PSNR (dB) of the pixels that the mask does not repaint and that lie more than `seam` pixels from it."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * seam + 1, 2 * seam + 1))
    outside = cv2.dilate((mask > 0.5).astype(np.uint8), disc) == 0
    return psnr(((original[outside].astype(np.float64) - output[outside].astype(np.float64)) ** 2).mean())


def measure_repainting(bench: Bench, count: int) -> PartResult:
    """Repaint one part of each of `count` test photos, the parts in turn."""
    rows, cells = [], []
    cases = spread(bench.cases, count)
    chosen = [choose_part(case, number) for number, case in enumerate(cases)]
    tasks = [_task(case, *one) for case, one in zip(cases, chosen, strict=True)]
    for case, (part, mask), task, output in zip(cases, chosen, tasks, bench.artist.draw(tasks), strict=True):
        colour = other_colour(case, part)
        row = {"name": case.name, "category": case.category, "part": part, "prompt": task.prompt}
        row |= _compare(case, output, mask, colour)
        rows.append(row)
        cells += [
            cell(outlined(case.photo, mask > 0.5), [f"{part}: {colour}", ""]),
            cell(
                output,
                [f"outside {row['psnr_outside']:.1f} dB", f"inside: {row['measured']}"],
                right=row["repaint_right_colour"],
            ),
        ]
    figures = {
        "repaint_psnr_outside": figure([row["psnr_outside"] for row in rows]),
        "repaint_psnr_beyond_seam": figure([row["psnr_beyond_seam"] for row in rows]),
        "repaint_share_over_40_db": share([row["psnr_outside"] >= WANTED_DB for row in rows]),
        "repaint_delta_e_inside": figure([row["delta_e_inside"] for row in rows]),
        "repaint_right_colour": share([row["repaint_right_colour"] for row in rows]),
        "repaint_right_colour_or_neighbour": share([row["right_or_neighbour"] for row in rows]),
    }
    return PartResult(figures, rows, sheet(cells, columns=8))


def other_colour(case: Case, part: str) -> str:
    """The colour to ask for: one that the garment's caption does not name."""
    return next(word for word in PARTS[part][1] if word not in case.caption)


def _task(case: Case, part: str, mask: np.ndarray) -> Task:
    prompt = compose_caption(colours=[other_colour(case, part)], pattern="plain", garment=case.garment)
    return Task(f"{case.name}-{part}", case.category, prompt, case.sketch, image=case.photo, mask=mask)


def _compare(case: Case, output: np.ndarray, mask: np.ndarray, colour: str) -> dict[str, float | str | bool]:
    part = (mask > 0.5) & case.inside
    measured = measure_colours(output, part.astype(np.uint8) * 255)[0].word
    return {
        "psnr_outside": psnr_outside(case.photo, output, mask),
        "psnr_beyond_seam": psnr_outside(case.photo, output, mask, seam=SEAM),
        "delta_e_inside": compare_pictures(case.photo, output, part)["delta_e_inside"],
        "measured": measured,
        "repaint_right_colour": measured == colour,
        "right_or_neighbour": measured == colour or is_neighbour(measured, colour),
    }
