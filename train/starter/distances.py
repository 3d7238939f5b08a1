"""How far do generated pictures lie from photos of unseen senders? KID and CMMD, unbiased, with intervals.

In: features of two sets of equal size, row i of both made from the same photo (or unrelated). Out: distances with 95 %
bootstrap intervals. The features are the judge's, not Inception's or CLIP ViT-L's: figures compare with one another
and with those of the autoencoder's reconstructions (the ceiling), not with published ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from fashiondistill.data.vitonhd import DRAWING, read_article, read_manifest
from fashiondistill.scoring import ClipScorer
from train.starter.bench import Bench, Case, PartResult, own_words
from train.starter.figures import Figure
from train.starter.sheets import cell, sheet

CMMD_SIGMA, CMMD_SCALE = 10.0, 1000.0  # Jayasumana et al. 2024, section 4
MIN_COUNT = 10  # photos of a category, below which no distance of its own is given
NUM_RESAMPLES = 1000
SHOWN = 24  # pairs on the sheet
CHUNK = 16  # pictures that the judge sees together; they are all of one size


@dataclass(frozen=True, eq=False)
class Features:
    """Of N pictures: `pooled` [N, C] from the image tower before its projection, `embedded` [N, D] of length 1."""

    pooled: np.ndarray
    embedded: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Features:
        return Features(self.pooled[rows], self.embedded[rows])


def features_of(judge: ClipScorer, pictures: list[np.ndarray]) -> Features:
    """Both kinds of features; `pooled` are read off while the judge embeds, so that both see the same pixels."""
    pooled: list[torch.Tensor] = []
    hook = judge.model.visual.trunk.register_forward_hook(lambda module, inputs, output: pooled.append(output))
    try:
        starts = range(0, len(pictures), CHUNK)
        embedded = np.concatenate([judge.embed_images(pictures[n : n + CHUNK]) for n in starts])
    finally:
        hook.remove()
    return Features(torch.cat(pooled).float().cpu().numpy().astype(np.float64), embedded.astype(np.float64))


def polynomial_kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(x . y / d + 1) ** 3 (Binkowski et al. 2018, section 4)."""
    return (first @ second.T / first.shape[1] + 1) ** 3


def gaussian_kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """exp(-|x - y|^2 / (2 sigma^2)) (Jayasumana et al. 2024, section 4)."""
    squared = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    return np.exp(-squared / (2 * CMMD_SIGMA**2))


def paired_terms(kernel_xx: np.ndarray, kernel_yy: np.ndarray, kernel_xy: np.ndarray) -> np.ndarray:
    """h[i, j] = k(x_i, x_j) + k(y_i, y_j) - k(x_i, y_j) - k(x_j, y_i) (Gretton et al. 2012, lemma 6); diagonal 0.

    The mean over i != j is an unbiased estimate of MMD^2 also where x_i and y_i belong together.
    """
    terms = kernel_xx + kernel_yy - kernel_xy - kernel_xy.T
    np.fill_diagonal(terms, 0.0)
    return terms


def distance(terms: np.ndarray, scale: float = 1.0, *, num_resamples: int = NUM_RESAMPLES) -> Figure:
    """The estimate and its bootstrap interval over pictures; one that is drawn twice is not paired with itself."""
    count = len(terms)
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=num_resamples).astype(float)
    sums = np.einsum("ri,ij,rj->r", draws, terms, draws, optimize=True)
    pairs = draws.sum(axis=1) ** 2 - (draws**2).sum(axis=1)
    some = pairs > 0  # a draw of one picture alone has no pair
    low, high = np.percentile(scale * sums[some] / pairs[some], (2.5, 97.5))
    mean = scale * terms.sum() / (count * (count - 1))
    return Figure(round(float(mean), 5), round(float(low), 5), round(float(high), 5), count)


def distances(first: Features, second: Features) -> dict[str, Figure]:
    """KID on the pooled features, CMMD on the embeddings (times 1000, as published)."""
    kid = [polynomial_kernel(a.pooled, b.pooled) for a, b in ((first, first), (second, second), (first, second))]
    cmmd = [gaussian_kernel(a.embedded, b.embedded) for a, b in ((first, first), (second, second), (first, second))]
    return {"kid": distance(paired_terms(*kid)), "cmmd": distance(paired_terms(*cmmd), CMMD_SCALE)}


def measure_distances(bench: Bench) -> PartResult:
    """Designs, reconstructions and photos of training senders, each against the photos of unseen senders.

    Designs are those of `adherence.measure_designs`. The last tells how far real photos of other people lie from these.
    The sheet shows the designs that, to the judge, are least like the photo of their sketch.
    """
    cases = bench.cases
    photos = features_of(bench.judge, [case.photo for case in cases])
    designs = bench.artist.draw([own_words(case) for case in cases])
    others = {
        "designs": features_of(bench.judge, designs),
        "reconstructions": features_of(
            bench.judge, [bench.artist.reconstruct(c) for c in tqdm(cases, desc="reconstructions")]
        ),
        "other_senders": features_of(bench.judge, photos_of_others(bench.root, cases)),
    }
    groups = {"": np.arange(len(cases))}
    for category in dict.fromkeys(case.category for case in cases):
        rows = np.array([n for n, case in enumerate(cases) if case.category == category])
        if len(rows) >= MIN_COUNT:
            groups[f"_{category}"] = rows
    figures = {
        f"{name}_{kind}{group}": value
        for group, rows in groups.items()
        for kind, features in others.items()
        for name, value in distances(features[rows], photos[rows]).items()
    }
    closeness = (others["designs"].embedded * photos.embedded).sum(axis=1)
    rows = [{"name": case.name, "closeness": float(value)} for case, value in zip(cases, closeness, strict=True)]
    cells = []
    for index in np.argsort(closeness)[:SHOWN]:
        cells += [cell(cases[index].photo, [cases[index].caption, "photo"])]
        cells += [cell(designs[index], [f"closeness {closeness[index]:.2f}", "design"])]
    return PartResult(figures, rows, sheet(cells, columns=8))


def photos_of_others(root: Path, cases: list[Case]) -> list[np.ndarray]:
    """For each case a training photo of its garment, or at least of its category; each is taken once.

    Raises:
        ValueError: if the training split has fewer photos of a category than the test split.
    """
    pool = [r for r in read_manifest(root) if r.split == "train" and r.sender != DRAWING]
    chosen = []
    for case in cases:
        near = [r for r in pool if r.garment == case.garment] or [r for r in pool if r.category == case.category]
        if not near:
            raise ValueError(f"--dataset_path {root} has too few training photos of {case.category} to compare with.")
        record = near[len(near) // 2]
        pool.remove(record)
        chosen.append(read_article(root, record).image)
    return chosen
