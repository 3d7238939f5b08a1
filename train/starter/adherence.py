"""Does a design follow its sketch and its words? Outline, inner lines, CLIP-T, with what real photos reach beside them.

In: a `Bench`. Out: `PartResult`s. An inner stroke is a sketch pixel (above one half) at least `INNER` pixels inside the
garment; whether it is found is `fashiondistill.adherence`'s matter. The same share on another photo and on another
design of the category (the floors) stands beside it.
"""

from __future__ import annotations

import cv2
import numpy as np
from tqdm import tqdm

from fashiondistill.adherence import line_share, near_edges
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.modelcard import SHOWN, category_name
from train.starter.bench import Bench, Case, PartResult, own_words
from train.starter.figures import Figure, compare_pictures, figure, iou, mask_on_ground, ratio
from train.starter.sheets import cell, marked, paper, sheet

INNER = 10  # pixels; the outline's own edge lies further away than `REACH` plus what a design strays from it
BY_CATEGORY = (*SHOWN, "judge_clip_t_ratio")
MIN_PHOTOS = 2  # of a category; one photo has no interval
MIN_STROKES = 50  # pixels; a sketch with fewer has no inner lines to follow


def inner_strokes(sketch: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Bool [H, W]: the strokes that are no outline."""
    core = cv2.erode(inside.astype(np.uint8), np.ones((2 * INNER + 1, 2 * INNER + 1), np.uint8)) > 0
    return (sketch > 0.5) & core


def another(cases: list[Case], index: int) -> int | None:
    """The next case of the same category, as a stranger to compare with; none if there is no other."""
    same = [n for n, case in enumerate(cases) if case.category == cases[index].category]
    return same[(same.index(index) + 1) % len(same)] if len(same) > 1 else None


def measure_designs(bench: Bench) -> PartResult:
    """First candidates for the test photos' sketches and captions, against sketch, words and the photos themselves."""
    rows, cells = [], []
    designs = bench.artist.draw([own_words(case) for case in bench.cases])
    for index, case in enumerate(tqdm(bench.cases, desc="designs")):
        design, rebuilt = designs[index], bench.artist.reconstruct(case)
        row = {"name": case.name, "category": case.category, "prompt": case.caption}
        for name, clip in (("clip_t", bench.ranker), ("judge_clip_t", bench.judge)):
            text = clip.embed_texts([case.caption])[0]
            generated, real = clip.embed_images([design, case.photo]) @ text
            row |= {f"{name}_generated": float(generated), f"{name}_real": float(real)}
        row["outline_iou"] = iou(mask_on_ground(design), case.inside)
        row["outline_iou_real"] = iou(mask_on_ground(case.photo), case.inside)
        strokes, other = inner_strokes(case.sketch, case.inside), another(bench.cases, index)
        if strokes.sum() >= MIN_STROKES:
            row["inner_lines"] = line_share(strokes, design)
            row["inner_lines_real"] = line_share(strokes, case.photo)
            row["inner_lines_reconstruction"] = line_share(strokes, rebuilt)
            if other is not None:
                row["inner_lines_another_photo"] = line_share(strokes, bench.cases[other].photo)
                row["inner_lines_another_design"] = line_share(strokes, designs[other])
        rows.append(row)
        lines = f"{row['inner_lines']:.2f}" if "inner_lines" in row else "none"
        cells += [
            cell(paper(case.sketch), [case.caption, f"outline IoU {row['outline_iou']:.3f}"]),
            cell(design, [f"CLIP-T {row['clip_t_generated']:.2f} judge {row['judge_clip_t_generated']:.2f}", ""]),
            cell(marked(design, strokes, near_edges(design)), [f"inner lines {lines}", "green: edge within 4 px"]),
            cell(case.photo, [f"photo: CLIP-T {row['clip_t_real']:.2f} judge {row['judge_clip_t_real']:.2f}", ""]),
        ]
    return PartResult(_figures(rows), rows, sheet(cells, columns=8))


def _figures(rows: list[dict]) -> dict[str, Figure]:
    """Of all rows, and those that a model card shows of each category, where two photos or more were measured."""
    figures = _means(rows)
    for category in CATEGORIES:
        own = [row for row in rows if row["category"] == category.folder]
        found = _means(own) if own else {}
        for name in BY_CATEGORY:
            if name in found and found[name].count >= MIN_PHOTOS:
                figures[category_name(name, category.folder)] = found[name]
    return figures


def _means(rows: list[dict]) -> dict[str, Figure]:
    names = [
        name for name in dict.fromkeys(key for row in rows for key in row) if isinstance(_first(rows, name), float)
    ]
    figures = {name: figure([row[name] for row in rows if name in row]) for name in names}
    for name in ("clip_t", "judge_clip_t"):
        top, bottom = ([row[f"{name}_{kind}"] for row in rows] for kind in ("generated", "real"))
        figures[f"{name}_ratio"] = ratio(top, bottom)
    return figures


def _first(rows: list[dict], name: str) -> object:
    return next(row[name] for row in rows if name in row)


def measure_autoencoder(bench: Bench) -> PartResult:
    """PSNR (dB), SSIM and colour errors (CIEDE2000) of the test photos through the autoencoder."""
    rows, cells = [], []
    for case in tqdm(bench.cases, desc="reconstructions"):
        rebuilt = bench.artist.reconstruct(case)
        compared = compare_pictures(case.photo, rebuilt, case.inside)
        rows.append({"name": case.name, "category": case.category} | compared)
        text = [
            f"{compared['psnr']:.1f} dB, SSIM {compared['ssim']:.3f}",
            f"dE inside {compared['delta_e_inside']:.1f}",
        ]
        cells += [cell(case.photo, [case.caption, "photo"]), cell(rebuilt, text)]
    names = [name for name in rows[0] if name not in ("name", "category")]
    figures = {f"autoencoder_{name}": figure([row[name] for row in rows]) for name in names}
    return PartResult(figures, rows, sheet(cells, columns=8))
