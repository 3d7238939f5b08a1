"""One arm: its training, its measuring, and what all arms of a process share.

In: `ProofConfig`, an `Arm`, a judge. Out: OUT/arms/NAME/ with train/ (a training's own folder, which goes on by
itself), MODE.safetensors (scores), MODE/NN.jpg (sample pictures) and result.json, which says which modes are done and
what the arm cost. Knows nothing of tables and of who does what (`runner`).
"""

from __future__ import annotations

import dataclasses
import json
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fashiondistill.cli import versions
from fashiondistill.diffusion.caches import weights_id
from fashiondistill.scoring import ClipScorer, clip_within
from train import temporal
from train.dpo import make_objective
from train.files import save_text
from train.hardware import hardware
from train.loop import World, open_world
from train.models import TrainingModels, load_models
from train.proof.cases import Cases, make_cases
from train.proof.ensemble import EnsembleScorer
from train.proof.files import (
    RESULT,
    add_seconds,
    folder_of,
    last_of_training,
    lock,
    model_of,
    read_json,
    read_scores,
    spent_seconds,
    start_of,
    write_cases,
    write_scores,
)
from train.proof.measures import measure
from train.proof.plan import AS_IS, TEMPORAL, Arm, estimate, takes_over
from train.proof.settings import ProofConfig
from train.rewards import Reward
from train.runs import Workplace, disk_errors, open_workplace, run_training
from train.settings import DpoConfig, TemporalConfig, TrainConfig
from train.tables import embed_articles


@dataclass
class Bench:
    """What arms share while a process runs: opened once, filled when first needed."""

    config: ProofConfig
    world: World
    judge: ClipScorer
    started: float
    cases: Cases | None = None
    ran: int = 0

    @property
    def device(self) -> str:
        """Where models are opened."""
        return self.world.device.type

    def cases_for(self, models: TrainingModels) -> Cases:
        """The cases, encoded with the first models that come; all arms have the same autoencoder and text encoder."""
        if self.cases is None:
            self.cases = make_cases(self.config, models, self.judge)
            write_cases(self.config, self.cases)
        return self.cases


def open_bench(config: ProofConfig, started: float) -> Bench:
    """Load the judge; `started` is `time.monotonic()` when --max_minutes began.

    Raises:
        FileNotFoundError, ValueError: if there is none, or it is a CLIP that rewards.
    """
    if not config.judge:
        raise ValueError("--judge '' is not usable: give the folder of python -m train.starter.judge.")
    world = open_world(TrainConfig(**config.common(config.out, Path(config.pretrained_model_name_or_path), 0)))
    judge = ClipScorer.load(clip_within(config.judge), world.device.type)
    rewards = [Path(config.pretrained_model_name_or_path) / "clip", *map(clip_within, config.reward_clips)]
    for folder in rewards:
        rewarding = ClipScorer.load(folder, "cpu")
        if weights_id(rewarding.model, "") == weights_id(judge.model, ""):
            raise ValueError(f"--judge {config.judge} is the CLIP that rewards ({folder}): train another one.")
    return Bench(config, world, judge, started)


def prepare(bench: Bench) -> None:
    """Encode what all arms share, once, while other processes wait; they find it in the cache, and make it no more.

    What was prepared is only noted: an entry that is missing after all is made by whoever needs it.
    """
    config = bench.config
    names = ("pretrained_model_name_or_path", "reward_clips", "reward_views", "judge", "num_cases", "image_size")
    wanted = json.loads(json.dumps({name: getattr(config, name) for name in names}))
    with lock(config.cache, "prepare", wait=True):
        if read_json(config.cache / "prepared.json") == wanted:
            return
        start = Path(config.pretrained_model_name_or_path)
        settings = DpoConfig(**(config.common(config.out, start, 0) | config.dpo()))
        place = open_workplace(settings)
        reward_of(config, settings, place)
        bench.cases_for(place.models)
        save_text(config.cache / "prepared.json", json.dumps(wanted) + "\n")


def is_trained(config: ProofConfig, arm: Arm) -> bool:
    """Whether the model that an arm draws with stands there, trained with these settings."""
    if arm.kind == AS_IS:
        return True
    settings = json.loads(json.dumps(dataclasses.asdict(training_settings(config, arm))))
    return read_json(folder_of(config, arm.name) / "train" / "final_model" / "training_config.json") == settings


def is_measured(config: ProofConfig, arm: Arm) -> bool:
    """Whether all modes of an arm were measured, with these settings.

    Raises:
        ValueError: if that was done with others.
    """
    path = folder_of(config, arm.name) / RESULT
    record = read_json(path)
    if not record:
        return False
    before, now = record["settings"], settings_of(config, arm)
    changed = [name for name in now if before.get(name) != now[name]]
    if changed:
        raise ValueError(
            f"{path} was made with another {changed[0]} ({before.get(changed[0])}, not {now[changed[0]]}). Choose "
            "another --output_dir, or delete that arm's folder."
        )
    return record["measured"] == list(arm.modes)


def settings_of(config: ProofConfig, arm: Arm) -> dict:
    """What decides an arm's figures, as JSON keeps it."""
    names = ("num_cases", "num_noises", "best_of", "num_inference_steps", "guidance_scale", "image_size", "bare_share")
    values = {name: getattr(config, name) for name in names}
    values["model"] = Path(config.pretrained_model_name_or_path).name
    values |= {"kind": arm.kind, "start": arm.start, "seed": arm.seed, "take": arm.take, "shuffled": arm.shuffled}
    values |= {"modes": arm.modes, "changes": dict(arm.changes)}
    if arm.kind != AS_IS:
        own = config.temporal() if arm.kind == TEMPORAL else config.dpo()
        values |= {"training": own | dict(arm.changes)}
        values |= {"reward": [*(Path(folder).name for folder in config.reward_clips), config.reward_views]}
    return json.loads(json.dumps(values))


def training_settings(config: ProofConfig, arm: Arm) -> TrainConfig:
    """Of an arm that is trained."""
    common = config.common(folder_of(config, arm.name) / "train", start_of(config, arm), arm.seed)
    if arm.kind == TEMPORAL:
        return TemporalConfig(**(common | config.temporal() | dict(arm.changes)))
    return DpoConfig(**(common | config.dpo() | dict(arm.changes)))


def train_arm(bench: Bench, arm: Arm) -> None:
    """Train an arm, or go on with it."""
    config, folder, began = bench.config, folder_of(bench.config, arm.name), time.monotonic()
    settings = training_settings(config, arm)
    if isinstance(settings, TemporalConfig):
        print(temporal.train(settings), file=sys.stderr)
    else:
        reuse_round(config, arm, folder / "train")
        with disk_errors():
            place = open_workplace(settings)
            objective = make_objective(settings, place, reward_of(config, settings, place))
            print(run_training(settings, place, objective), file=sys.stderr)
            save_text(folder / "train" / "beta.json", json.dumps({"beta": objective.beta}))
    add_seconds(folder, "train", time.monotonic() - began)


def measure_arm(bench: Bench, arm: Arm) -> None:
    """Draw and measure with an arm's model; each mode is written as it ends, and one that stands there is kept."""
    config, folder, began = bench.config, folder_of(bench.config, arm.name), time.monotonic()
    models = load_models(TrainConfig(**config.common(folder, model_of(config, arm), 0)), bench.device)
    cases = bench.cases_for(models)
    for number, mode in enumerate(arm.modes):
        if read_scores(config, arm.name, mode) is None:
            write_scores(folder, mode, measure(config, arm, models, cases, mode, bench.world.autocast))
            add_seconds(folder, mode, time.monotonic() - began)
        began = time.monotonic()
        save_text(folder / RESULT, json.dumps(_record(bench, arm, arm.modes[: number + 1]), indent=1) + "\n")


def _record(bench: Bench, arm: Arm, measured: Sequence[str]) -> dict:
    """What a report needs to know of an arm beside its scores."""
    config, folder = bench.config, folder_of(bench.config, arm.name)
    return {
        "settings": settings_of(config, arm),
        "measured": list(measured),
        "title": arm.title,
        "reference": arm.reference,
        "group": arm.group,
        "seconds": {name: round(value, 1) for name, value in spent_seconds(config, arm.name).items()},
        "expected_seconds": dataclasses.asdict(estimate(config, arm)),
        "training": last_of_training(folder),
        "judge": weights_id(bench.judge.model, "")[:12],
        "hardware": hardware(bench.device),
        "versions": versions(),
        "command": shlex.join(["python", "-m", "train.proof", *sys.argv[1:]]),
    }


def reward_of(config: ProofConfig, settings: DpoConfig, place: Workplace) -> Reward:
    """The model's CLIP and --reward_clips, each in several views; trend tokens keep to the model's CLIP alone."""
    device = place.world.device.type
    others = [ClipScorer.load(clip_within(folder), device) for folder in config.reward_clips]
    scorer = EnsembleScorer([place.models.scorer, *others], config.reward_views)
    table = embed_articles(config.weeks, "train", scorer, config.cache, shape=settings.shape)
    return Reward(scorer, table, place.data.cached.dataset, settings.reward_target)


def reuse_round(config: ProofConfig, arm: Arm, out: Path) -> None:
    """Copy the candidates of the first round from the arm that draws the same ones (`plan.takes_over`), if it has.

    The round's own key (models, seed, sizes, reward) decides whether they fit; if not, they are drawn anew.
    """
    source = folder_of(config, f"dpo-{arm.seed}") / "train" / "rounds"
    if not takes_over(arm) or not source.is_dir():
        return
    target = out / "rounds"
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("round_0000.*")):
        if path.is_file() and not (target / path.name).exists():
            shutil.copyfile(path, target / path.name)
