"""Runs arms: trains what is not trained, draws and measures what is not measured, one folder and result.json each.

In: `ProofConfig`, the plan, a judge. Out: OUT/arms/NAME/ with train/ (a training's own folder, which goes on by
itself), MODE.safetensors (scores), MODE/NN.png (sample pictures) and result.json, which says that the arm is done and
what it cost. Several processes, for example one a GPU, may run the same plan: an arm is held by a lock that ends with
its process. Knows nothing of tables.
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

from tqdm import tqdm

from fashiondistill.cli import versions
from fashiondistill.diffusion.caches import weights_id
from fashiondistill.scoring import ClipScorer
from train import temporal
from train.dpo import make_objective
from train.files import save_text
from train.loop import World, open_world
from train.models import TrainingModels, load_models
from train.proof.cases import Cases, make_cases
from train.proof.ensemble import EnsembleScorer
from train.proof.files import (
    RESULT,
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
from train.proof.plan import AS_IS, TEMPORAL, Arm, estimate, make_plan
from train.proof.settings import ProofConfig
from train.rewards import Reward
from train.runs import Workplace, disk_errors, open_workplace, run_training
from train.settings import DpoConfig, TemporalConfig, TrainConfig
from train.starter.evaluate import hardware
from train.tables import embed_articles

WAIT_SECONDS = 2.0  # between looks at what another process has finished


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
    judge = ClipScorer.load(_clip_of(config.judge), world.device.type)
    rewards = [Path(config.pretrained_model_name_or_path) / "clip", *map(_clip_of, config.reward_clips)]
    for folder in rewards:
        rewarding = ClipScorer.load(folder, "cpu")
        if weights_id(rewarding.model, "") == weights_id(judge.model, ""):
            raise ValueError(f"--judge {config.judge} is the CLIP that rewards ({folder}): train another one.")
    return Bench(config, world, judge, started)


def _clip_of(folder: str) -> Path:
    """A stage's folder has its CLIP in clip/."""
    inside = Path(folder) / "clip"
    return inside if inside.is_dir() else Path(folder)


def run_arms(bench: Bench, plan: Sequence[Arm]) -> list[str]:
    """Run what is not done, in the plan's order as far as it is free; returns the names left for want of time.

    Raises:
        ValueError: if an arm needs one that is neither done nor in the plan.
    """
    config = bench.config
    waiting = [arm for arm in plan if not is_done(config, arm)]
    late: list[str] = []
    while waiting:
        if _is_late(bench):
            return late + [arm.name for arm in waiting if not is_done(config, arm)]
        ran = False
        for arm in list(waiting):
            if is_done(config, arm):
                waiting.remove(arm)
                continue
            if not all(_is_done(config, name) for name in arm.needs):
                _check_needs(config, arm, waiting, late)
                if set(arm.needs) & set(late):
                    late.append(arm.name)
                    waiting.remove(arm)
                continue
            if not _fits(bench, arm):
                late.append(arm.name)
                waiting.remove(arm)
                continue
            with lock(folder_of(config, arm.name)) as free:
                if free and not is_done(config, arm):
                    run_arm(bench, arm)
                    bench.ran += 1
                    ran = True
            if ran:
                break  # from the top: an earlier arm may have become possible
        if waiting and not ran:
            time.sleep(WAIT_SECONDS)  # all that is left waits for another process
    return late


def _check_needs(config: ProofConfig, arm: Arm, waiting: Sequence[Arm], late: Sequence[str]) -> None:
    known = {one.name for one in waiting} | set(late)
    for name in arm.needs:
        if not _is_done(config, name) and name not in known:
            raise ValueError(f"--arms {arm.name} needs {name}, which is not done: name it too.")


def _is_late(bench: Bench) -> bool:
    """Whether --max_minutes are over, for example because another process took long with what the rest needs."""
    minutes = bench.config.max_minutes
    return bool(minutes) and time.monotonic() - bench.started > minutes * 60


def _fits(bench: Bench, arm: Arm) -> bool:
    """Whether an arm should end within --max_minutes.

    The first of a process always starts, or one that takes longer than a call may would never get anywhere: its
    training goes on from its last checkpoint.
    """
    config = bench.config
    if not config.max_minutes or not bench.ran:
        return True
    spent = time.monotonic() - bench.started
    return spent + estimate(config, arm).total * pace(config) <= config.max_minutes * 60


def pace(config: ProofConfig) -> float:
    """Seconds that arms took here over those that were expected, of all that are done; 1 before the first."""
    done = [(spent_seconds(config, arm.name), estimate(config, arm).total) for arm in make_plan(config)]
    known = [(spent, expected) for spent, expected in done if spent is not None]
    return sum(spent for spent, _ in known) / sum(expected for _, expected in known) if known else 1.0


def is_done(config: ProofConfig, arm: Arm) -> bool:
    """Whether an arm is done, with these settings.

    Raises:
        ValueError: if it was done with others.
    """
    path = folder_of(config, arm.name) / RESULT
    if not path.is_file():
        return False
    before = json.loads(path.read_text(encoding="utf-8"))["settings"]
    now = settings_of(config, arm)
    changed = [name for name in now if before.get(name) != now[name]]
    if changed:
        raise ValueError(
            f"{path} was made with another {changed[0]} ({before.get(changed[0])}, not {now[changed[0]]}). Choose "
            "another --output_dir, or delete that arm's folder."
        )
    return True


def _is_done(config: ProofConfig, name: str) -> bool:
    return (folder_of(config, name) / RESULT).is_file()


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


def run_arm(bench: Bench, arm: Arm) -> None:
    """Train, draw and measure one arm; what an earlier call finished is kept."""
    config, folder = bench.config, folder_of(bench.config, arm.name)
    print(f"arm {arm.name}: about {estimate(config, arm).total * pace(config):.0f} s", file=sys.stderr)
    spent = read_json(folder / "spent.json")
    began = time.monotonic()
    if arm.kind != AS_IS:
        train_arm(bench, arm)
        spent["train"] = spent.get("train", 0.0) + time.monotonic() - began
        save_text(folder / "spent.json", json.dumps(spent))
    models = load_models(TrainConfig(**config.common(folder, model_of(config, arm), 0)), bench.device)
    cases = bench.cases_for(models)
    for mode in arm.modes:
        start = time.monotonic()
        if read_scores(config, arm.name, mode) is None:
            write_scores(folder, mode, measure(config, arm, models, cases, mode, bench.world.autocast))
            spent[mode] = spent.get(mode, 0.0) + time.monotonic() - start
            save_text(folder / "spent.json", json.dumps(spent))
    record = {
        "settings": settings_of(config, arm),
        "title": arm.title,
        "reference": arm.reference,
        "seconds": {name: round(value, 1) for name, value in spent.items()},
        "expected_seconds": dataclasses.asdict(estimate(config, arm)),
        "training": last_of_training(folder),
        "judge": weights_id(bench.judge.model, "")[:12],
        "hardware": hardware(bench.device),
        "versions": versions(),
        "command": shlex.join(["python", "-m", "train.proof", *sys.argv[1:]]),
    }
    save_text(folder / RESULT, json.dumps(record, indent=1) + "\n")
    took = ", ".join(f"{name} {value:.0f} s" for name, value in spent.items())
    tqdm.write(f"arm {arm.name} done: {took}", file=sys.stderr)


def train_arm(bench: Bench, arm: Arm) -> None:
    """Train an arm, or go on; a finished training is left as it is."""
    config, out = bench.config, folder_of(bench.config, arm.name) / "train"
    common = config.common(out, start_of(config, arm), arm.seed)
    if arm.kind == TEMPORAL:
        settings: TrainConfig = TemporalConfig(**(common | config.temporal() | dict(arm.changes)))
    else:
        settings = DpoConfig(**(common | config.dpo() | dict(arm.changes)))
    if read_json(out / "final_model" / "training_config.json") == json.loads(json.dumps(dataclasses.asdict(settings))):
        return
    if isinstance(settings, TemporalConfig):
        print(temporal.train(settings), file=sys.stderr)
        return
    reuse_round(config, arm, out)
    with disk_errors():
        place = open_workplace(settings)
        objective = make_objective(settings, place, reward_of(config, settings, place))
        print(run_training(settings, place, objective), file=sys.stderr)
        save_text(out / "beta.json", json.dumps({"beta": objective.beta}))


def reward_of(config: ProofConfig, settings: DpoConfig, place: Workplace) -> Reward:
    """The model's CLIP and --reward_clips, each in several views; trend tokens keep to the model's CLIP alone."""
    device = place.world.device.type
    others = [ClipScorer.load(_clip_of(folder), device) for folder in config.reward_clips]
    scorer = EnsembleScorer([place.models.scorer, *others], config.reward_views)
    table = embed_articles(config.weeks, "train", scorer, config.cache, shape=settings.shape)
    return Reward(scorer, table, place.data.cached.dataset, settings.reward_target)


def reuse_round(config: ProofConfig, arm: Arm, out: Path) -> None:
    """Candidates of the first round are the same for all arms that start from one model and draw alike: take them over.

    The round's own key (models, seed, sizes, reward) decides whether they fit; if not, they are drawn anew.
    """
    source = folder_of(config, f"dpo-{arm.seed}") / "train" / "rounds"
    if arm.name == f"dpo-{arm.seed}" or not source.is_dir():
        return
    target = out / "rounds"
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("round_0000.*")):
        if path.is_file() and not (target / path.name).exists():
            shutil.copyfile(path, target / path.name)
