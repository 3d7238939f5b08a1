"""python -m train.starter.lookbook: the same sketches, words and noise by a model and the one before, to look at.

In: pipeline folders and a prepared data set. Out: a picture with one row a model beneath each row of sketches, eight
sketches of each of the six categories: test photos' sketches, and drawings of the kinds that photos lack. Nothing is
chosen: each design is the first candidate of seed 0. Knows no figures; `train.starter.evaluate` measures.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from fashiondistill.cli import run_command
from fashiondistill.config import option, require
from fashiondistill.data.attributes import COLOURS
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.drawings import KINDS
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.diffusion.noise import candidate_generator
from fashiondistill.images import tile
from train.starter.bench import Case, cases_of, drawn_case, spread
from train.starter.sheets import paper
from train.starter.splits import load_split


@dataclass(frozen=True)
class LookbookConfig:
    """What is drawn by whom."""

    model: str = option("", "pipeline folder that draws")
    before: str = option("", "another one, in the row above (empty = none)")
    dataset_path: str = option("", "prepared data set; its test photos' sketches and captions")
    out: str = option("", "picture to write (.jpg or .png)")
    num_sketches: int = option(8, "sketches of each category")
    width: int = option(120, "pixels of a picture's width; 3/4 of its height")
    device: str = option("cpu", "where to run", choices=("cuda", "cpu"))

    def __post_init__(self) -> None:
        for name in ("model", "dataset_path", "out"):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), "give a path.")
        require(self.num_sketches >= 1, "num_sketches", self.num_sketches, "choose at least 1.")
        require(self.width >= 24, "width", self.width, "choose at least 24.")

    @property
    def models(self) -> tuple[str, ...]:
        """From the upper row to the lower."""
        return (self.before, self.model) if self.before else (self.model,)


def cases_for(photos: list[Case], category: str, count: int) -> list[Case]:
    """`count` cases of a category: half from photos, if there are, and drawings of as many kinds as there can be."""
    own = [case for case in photos if case.category == category]
    kinds = [kind for kind, made in KINDS.items() if made.category == category]
    chosen = spread(own, (count + 1) // 2)
    for number in range(count - len(chosen)):
        kind = kinds[number * max(1, len(kinds) // count) % len(kinds)]
        pattern = KINDS[kind].patterns[number % len(KINDS[kind].patterns)]
        words = tuple(COLOURS[(5 * number + place) % len(COLOURS)].word for place in (0, 13))
        chosen.append(drawn_case(kind, seed=number, colours=words[: 1 + (pattern != "plain")], pattern=pattern))
    return chosen


def drawn_by(model: Path, cases: list[Case], device: str) -> Iterator[np.ndarray]:
    """uint8 [512, 384, 3] of each case with its own caption, drawn as the model's folder says."""
    pipeline = load_pipeline(model, device)
    pipeline.set_progress_bar_config(disable=True)
    for case in tqdm(cases, desc=model.name, unit="design"):
        result = pipeline(case.caption, case.sketch, generator=candidate_generator(0, 0))
        yield np.asarray(result.images[0])


def make_lookbook(config: LookbookConfig) -> str:
    """Draw and write the sheet; returns what to print.

    Raises:
        FileNotFoundError, ValueError: if a model or the data set are missing or damaged, or `out` is no picture's name.
    """
    require(Path(config.out).suffix in (".jpg", ".png"), "out", config.out, "let it end in .jpg or .png.")
    photos = cases_of(load_split(Path(config.dataset_path), "test", device="cpu", max_drawings=0))
    cases = [case for one in CATEGORIES for case in cases_for(photos, one.folder, config.num_sketches)]
    rows = [[paper(case.sketch) for case in cases]]
    rows += [list(drawn_by(Path(model), cases, config.device)) for model in config.models]
    size, count = (config.width, config.width * 4 // 3), config.num_sketches
    small = [[cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in row] for row in rows]
    in_order = [one for start in range(0, len(cases), count) for row in small for one in row[start : start + count]]
    Path(config.out).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(tile(in_order, columns=count)).save(config.out, quality=88)
    return f"{len(cases)} sketches by {len(config.models)} model(s) -> {config.out}"


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv,
        make_lookbook,
        LookbookConfig,
        prog="python -m train.starter.lookbook",
        description=__doc__.splitlines()[0],
    )


if __name__ == "__main__":
    sys.exit(main())
