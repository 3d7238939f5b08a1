"""Files of the proof: where an arm's are, how scores and cases are kept, and who holds an arm.

In: numbers and pictures. Out: OUT/arms/NAME/ and OUT/cases/, whole or not at all. Knows nothing of models.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from PIL import Image

from train.files import read_tensors, save_tensors, save_text
from train.proof.plan import AS_IS, Arm
from train.proof.settings import ProofConfig

if TYPE_CHECKING:  # a report needs neither torch models nor open_clip
    from train.proof.cases import Cases
    from train.proof.measures import Scores

RESULT, FAILED = "result.json", "failed.txt"
JPEG_QUALITY = 90  # of sample pictures, which are looked at and not measured
STAMP = "1"  # of a score file; another one measures anew


@dataclass(frozen=True, eq=False)
class CaseFile:
    """What a report needs of the cases: article and week of each, mode -> words."""

    articles: list[str]
    weeks: list[str]
    prompts: dict[str, list[str]]


def write_cases(config: ProofConfig, cases: Cases) -> None:
    """cases.json, and sketch and photo of those that are shown."""
    folder = config.out / "cases"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(min(config.num_shown, len(cases))):
        sample = cases.dataset[number]
        Image.fromarray(255 - sample.sketch).save(folder / f"{number:02d}_sketch.png")
        Image.fromarray(sample.image).save(folder / f"{number:02d}_photo.jpg", quality=JPEG_QUALITY)
    weeks = [str(one.week) for one in cases.facts]
    record = {"articles": cases.articles, "weeks": weeks, "prompts": {m: list(t) for m, t in cases.prompts.items()}}
    save_text(folder / "cases.json", json.dumps(record) + "\n")


def read_cases(config: ProofConfig) -> CaseFile | None:
    """What `write_cases` wrote; None if nothing was measured yet."""
    record = read_json(config.out / "cases" / "cases.json")
    return CaseFile(**record) if record else None


def spent_seconds(config: ProofConfig, name: str) -> dict[str, float]:
    """Wall time of what an arm has finished: "train" and its modes."""
    return read_json(folder_of(config, name) / "spent.json")


def add_seconds(folder: Path, name: str, seconds: float) -> None:
    """Add to the wall time of a part of an arm."""
    spent = read_json(folder / "spent.json")
    save_text(folder / "spent.json", json.dumps(spent | {name: spent.get(name, 0.0) + seconds}))


def round_of(config: ProofConfig, name: str) -> Path:
    """The first round of an arm's candidates."""
    return folder_of(config, name) / "train" / "rounds" / "round_0000.safetensors"


def folder_of(config: ProofConfig, name: str) -> Path:
    """Where an arm's files are."""
    return config.out / "arms" / name


def model_of(config: ProofConfig, arm: Arm) -> Path:
    """The pipeline folder that an arm draws with."""
    if arm.kind != AS_IS:
        return folder_of(config, arm.name) / "train" / "final_model" / "pipeline"
    return start_of(config, arm)


def start_of(config: ProofConfig, arm: Arm) -> Path:
    """The pipeline folder that an arm begins with: what the arm it starts from draws with."""
    if not arm.start:
        return Path(config.pretrained_model_name_or_path)
    return folder_of(config, arm.start) / "train" / "final_model" / "pipeline"


def last_of_training(folder: Path) -> dict:
    """Means of the last tenth of the loss log, and the beta of preferences; {} without training."""
    path = folder / "train" / "losses.jsonl"
    if not path.is_file():
        return {}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    last = lines[-max(1, len(lines) // 10) :]
    names = [name for name in last[-1] if name not in ("step", "skipped")]
    found = {name: [line[name] for line in last if line.get(name) is not None] for name in names}
    compared = "accuracy" in found  # with a reference; elsewhere beta has no part
    beta = read_json(folder / "train" / "beta.json") if compared else {}
    return beta | {"updates": len(lines)} | {n: sum(values) / len(values) for n, values in found.items() if values}


def write_scores(folder: Path, mode: str, scores: Scores) -> None:
    """Sample pictures first, then the tensors, whose presence says that the mode is done."""
    pictures = folder / mode
    pictures.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(scores.pictures):
        Image.fromarray(picture).save(pictures / f"{number:02d}.jpg", quality=JPEG_QUALITY)
    save_tensors(folder / f"{mode}.safetensors", scores.tensors, STAMP)


def read_scores(config: ProofConfig, name: str, mode: str) -> dict[str, torch.Tensor] | None:
    """Tensors of an arm in a mode; None if they are not there."""
    return read_tensors(folder_of(config, name) / f"{mode}.safetensors", STAMP)


@contextmanager
def lock(folder: Path, name: str = "work", *, wait: bool = False) -> Iterator[bool]:
    """Whether nobody else does this work in a folder (with `wait`, once nobody does); held to the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f".{name}.lock", "w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def read_json(path: Path) -> dict:
    """A JSON object of a file; {} if there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
