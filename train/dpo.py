"""python -m train.dpo: preference training on candidates that CLIP judges, or on what designers picked in the studio.

In: a data set in the published layout, a pipeline folder (for example OUT/final_model/pipeline of train.temporal), and
with --preferences the studio's store. Out: as train.temporal, and rounds/ with pairs, seeds and every judgement. The
reference is the model it starts from.
"""

from __future__ import annotations

import sys

from fashiondistill.cli import run_command
from train.candidates import CandidateRounds, Turns
from train.objectives import TemporalObjective
from train.picks import PickRounds
from train.preferences import PreferenceObjective
from train.rewards import Reward
from train.runs import Workplace, disk_errors, open_workplace, run_training
from train.settings import DpoConfig
from train.tables import latent_table


def make_objective(config: DpoConfig, place: Workplace, judge: Reward | None = None) -> PreferenceObjective:
    """Pairs with an anchor on real images; without `dpo_weight` no candidate is ever drawn.

    Args:
        config: settings.
        place: opened.
        judge: of the candidates; None = the CLIP of the model, as --clip says.
    """
    models, world = place.models, place.world
    features = latent_table(place.data.cached, place.table, models.device)
    real = TemporalObjective(models, place.table.embeddings, features, config, world.autocast, train_trend=False)
    rounds = None
    if config.dpo_weight and config.dpo_frequency and config.preferences:
        rounds = PickRounds(models, config, past=place.data.past_before, leads=world.leads)
        if world.leads:
            print(rounds.describe(), flush=True)
    elif config.dpo_weight and config.dpo_frequency:
        reward = judge or Reward(models.scorer, place.table, place.data.cached.dataset, config.reward_target)
        accelerator = world.accelerator
        turns = Turns(accelerator.process_index, accelerator.num_processes, accelerator.wait_for_everyone)
        embeddings = place.table.embeddings
        rounds = CandidateRounds(models, place.data, embeddings, reward, config, world.autocast, turns)
    return PreferenceObjective(real, rounds, config)


def train(config: DpoConfig) -> str:
    """Run, or go on with, preference training."""
    with disk_errors():
        place = open_workplace(config, learn_channels=False)
        return run_training(config, place, make_objective(config, place))


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(argv, train, DpoConfig, prog="python -m train.dpo", description=__doc__.splitlines()[0])


if __name__ == "__main__":
    sys.exit(main())
