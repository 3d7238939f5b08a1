"""A tiny model and data set for the tests of training, and settings that take seconds.

In: a temporary folder. Out: `Ground` with paths, and configs made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests import tiny
from tests.datasets import save_published
from train.settings import DpoConfig, TemporalConfig


@dataclass(frozen=True)
class Ground:
    """Where the tiny model, the data set and their cache are."""

    model: Path
    data: Path
    cache: Path

    def temporal(self, out: Path, **changes: object) -> TemporalConfig:
        """Four updates of two micro-batches."""
        return TemporalConfig(**(self._shared(out) | changes))

    def dpo(self, out: Path, **changes: object) -> DpoConfig:
        """Four updates in two rounds of three prompts."""
        own = {"steps_per_round": 2, "prompts_per_round": 3, "num_candidates": 2, "min_gap": 0.01}
        return DpoConfig(**(self._shared(out) | own | changes))

    def _shared(self, out: Path) -> dict:
        return {
            "dataset_path": str(self.data),
            "output_dir": str(out),
            "pretrained_model_name_or_path": str(self.model),
            "cache_dir": str(self.cache),
            "image_size": (128, 96),
            "max_train_steps": 4,
            "batch_size": 2,
            "gradient_accumulation_steps": 2,
            "learning_rate": 1e-3,
            "save_steps": 4,
            "num_samples": 0,
            "num_inference_steps": 2,
            "num_workers": 0,
            "device": "cpu",
        }


def make_ground(folder: Path) -> Ground:
    """Write them."""
    model = tiny.save_model(folder / "model")
    return Ground(model, save_published(folder / "data", size=(96, 144)), folder / "cache")
