"""python -m train.temporal: train on weekly bestsellers, with the past weeks as a condition and as a loss.

In: a data set in the published layout, a pipeline folder. Out: OUTPUT_DIR/checkpoint-{step}/unet.pth and
final_model/unet.pth as published; final_model/pipeline (for app.py --model), losses.jsonl, curves.png, run.json,
samples/, predictions/. Also under torchrun and accelerate launch -m.
"""

from __future__ import annotations

import sys

from fashiondistill.cli import run_command
from train.objectives import TemporalObjective
from train.runs import disk_errors, open_workplace, run_training
from train.settings import TemporalConfig
from train.tables import latent_table


def train(config: TemporalConfig) -> str:
    """Run, or go on with, temporal training."""
    with disk_errors():
        place = open_workplace(config, trend_tokens=config.trend_tokens)
        features = latent_table(place.data.cached, place.table, place.models.device)
        objective = TemporalObjective(
            place.models,
            place.table.embeddings,
            features,
            config,
            place.world.autocast,
            trend_lr_scale=config.trend_lr_scale,
        )
        return run_training(config, place, objective)


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv, train, TemporalConfig, prog="python -m train.temporal", description=__doc__.splitlines()[0]
    )


if __name__ == "__main__":
    sys.exit(main())
