"""What was measured of a model, as figures.json in its folder holds it: over all photos, and by category.

In: a pipeline folder. Out: `ModelCard`, the figures that a page shows. `train.starter.evaluate` makes the file: name ->
mean, 95 % interval and number of photos; a category's figure has its folder's name behind its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fashiondistill.data.categories import CATEGORIES

FIGURES_FILE = "figures.json"
# CLIP-T of designs over that of the photos, overlap of outlines, share of inner strokes that an edge follows.
SHOWN = ("clip_t_ratio", "outline_iou", "inner_lines")
FEW = 10  # photos, below which a bootstrap interval is too narrow to conclude anything from


@dataclass(frozen=True)
class Figure:
    """A mean with its 95 % interval over `count` photos."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}] (n = {self.count})"


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model; figures are keyed by the names of `SHOWN`.

    Attributes:
        overall: over all photos.
        categories: category folder -> figures; without those that were not measured, {} if no category was.
    """

    overall: Mapping[str, Figure]
    categories: Mapping[str, Mapping[str, Figure]]

    def is_weak(self, category: str, name: str) -> bool:
        """Whether the whole interval of a category's figure, not of few photos, lies below the mean of all photos."""
        own = self.categories[category][name]
        return own.count >= FEW and name in self.overall and own.high < self.overall[name].mean


def category_name(name: str, category: str) -> str:
    """What a category's figure is called in the file; `category` is the folder name."""
    return f"{name}_{category}"


def read_card(folder: Path) -> ModelCard | None:
    """The card of a pipeline folder; None where it has no figures.json, or none of the figures that are shown.

    Raises:
        ValueError: if the file cannot be read, or a figure in it is none.
    """
    path = Path(folder) / FIGURES_FILE
    if not path.is_file():
        return None
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(records, dict):
            raise ValueError("it holds no figures by name")
        overall = {name: _figure(name, records[name]) for name in SHOWN if name in records}
        categories = {one.folder: _of_category(records, one.folder) for one in CATEGORIES}
    except ValueError as error:
        raise ValueError(
            f"model: {path} is damaged ({error}). Restore the file, or delete it: the page then shows no figures."
        ) from error
    found = {category: figures for category, figures in categories.items() if figures}
    return ModelCard(overall, found) if overall or found else None


def _of_category(records: Mapping, category: str) -> dict[str, Figure]:
    names = {name: category_name(name, category) for name in SHOWN}
    return {name: _figure(key, records[key]) for name, key in names.items() if key in records}


def _figure(name: str, record: object) -> Figure:
    keys = ("mean", "low", "high", "count")
    numbers = [record.get(key) for key in keys] if isinstance(record, dict) else []
    if not numbers or not all(isinstance(n, int | float) and math.isfinite(n) for n in numbers):
        raise ValueError(f"{name} lacks one of the numbers {', '.join(keys)}")
    return Figure(*numbers)
