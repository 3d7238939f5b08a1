"""Runs the plan's tasks: the first one that is ready, free and fits into the time, until nothing is left to begin.

In: a `Bench`, arms. Out: what `arms` writes, and an `Outcome`. Several processes, for example one a GPU, may run the
same plan: a task is held by a lock that ends with its process. A task that breaks ends its process with its error, and
leaves failed.txt, so that no other process breaks on it too. Knows nothing of models.
"""

from __future__ import annotations

import dataclasses
import sys
import time
import traceback
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from tqdm import tqdm

from train.files import save_text
from train.proof.arms import Bench, is_measured, is_trained, measure_arm, train_arm
from train.proof.files import FAILED, folder_of, lock, round_of, spent_seconds
from train.proof.plan import EAGER, PREPARE_SECONDS, TRAIN_MS, Arm, Cost, estimate, make_plan
from train.proof.schedule import MEASURE, TRAIN, Task, ready, seconds_left, seconds_of, tasks_of, timeline
from train.proof.settings import ProofConfig

WAIT_SECONDS = 1.0  # between looks at what another process has finished
OUT_OF_MEMORY = (
    "The GPU had no memory left: run fewer processes on it, or give a smaller --micro_batch (training) or --draw_batch."
)


@dataclass(frozen=True)
class Outcome:
    """Names of tasks that were left for want of time, and those that broke or need one that did."""

    late: tuple[str, ...]
    failed: tuple[str, ...]


def run_arms(bench: Bench, arms: Sequence[Arm]) -> Outcome:
    """Run what is not done.

    Raises:
        ValueError: if an arm begins with one that is neither trained nor named.
    """
    config = bench.config
    waiting = [task for task in tasks_of(arms) if not is_done(config, task)]
    _check_needs(config, waiting)
    late: list[str] = []
    failed: list[str] = []
    while waiting:
        waiting = [task for task in waiting if not is_done(config, task)]
        for names in (late, failed):
            names += [task.name for task in waiting if set(task.needs) & set(names)]
        failed += [task.name for task in waiting if (folder_of(config, task.arm.name) / FAILED).is_file()]
        late += [task.name for task in waiting if task.name not in failed and not fits(bench, task)]
        waiting = [task for task in waiting if task.name not in late and task.name not in failed]
        if not _run_first(bench, waiting) and waiting:
            time.sleep(WAIT_SECONDS)  # all that is left is held by another process, or waits for it
    return Outcome(tuple(dict.fromkeys(late)), tuple(dict.fromkeys(failed)))


def _run_first(bench: Bench, waiting: Sequence[Task]) -> bool:
    """Run the first task that is ready and free; whether there was one."""
    config = bench.config
    coming = {task.name for task in waiting}
    for task in waiting:
        if not ready(task, Done(config), coming, lambda name: round_of(config, name.split(" ")[1]).is_file()):
            continue
        with lock(folder_of(config, task.arm.name), task.kind) as free:
            if free and not is_done(config, task):
                run_task(bench, task)
                return True
    return False


class Done(Collection):
    """Names of trainings that are done, looked up when asked."""

    def __init__(self, config: ProofConfig) -> None:
        self.arms = {f"{TRAIN} {arm.name}": arm for arm in make_plan(config)}
        self.config = config

    def __contains__(self, name: object) -> bool:
        return is_trained(self.config, self.arms[name])

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.arms if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def is_done(config: ProofConfig, task: Task) -> bool:
    """Whether a task is done, with these settings."""
    return is_trained(config, task.arm) if task.kind == TRAIN else is_measured(config, task.arm)


def run_task(bench: Bench, task: Task) -> None:
    """Run a task that this process holds."""
    config, began = bench.config, time.monotonic()
    expected = seconds_of(task, expected_cost(config, task.arm))
    print(f"{_clock(bench)} {task.name}: about {expected:.0f} s", file=sys.stderr)
    with _failure_noted(config, task):
        if task.kind == TRAIN:
            train_arm(bench, task.arm)
        else:
            measure_arm(bench, task.arm)
    torch.cuda.empty_cache()  # other processes may share the GPU; does nothing where none is in use
    bench.ran += 1
    tqdm.write(f"{_clock(bench)} {task.name} done in {time.monotonic() - began:.0f} s", file=sys.stderr)


def _clock(bench: Bench) -> str:
    return f"[{time.monotonic() - bench.started:4.0f} s]"


@contextmanager
def _failure_noted(config: ProofConfig, task: Task) -> Iterator[None]:
    """An error goes on its way, but others read of it; Ctrl-C is none."""
    try:
        yield
    finally:
        error = sys.exc_info()[1]
        if isinstance(error, Exception):
            path = folder_of(config, task.arm.name) / FAILED
            remedy = f"{OUT_OF_MEMORY}\n" if _for_want_of_memory(error) else ""
            save_text(path, f"{task.name}; delete this file to try again.\n{remedy}\n{traceback.format_exc()}")


def _for_want_of_memory(error: BaseException | None) -> bool:
    """Whether an error is one of memory, or began with one."""
    while error is not None and not isinstance(error, torch.OutOfMemoryError):
        error = error.__cause__
    return error is not None


def _check_needs(config: ProofConfig, waiting: Sequence[Task]) -> None:
    known, done = {task.name for task in waiting}, Done(config)
    for task in waiting:
        for name in task.needs:
            if name not in known and name not in done:
                needed = name.removeprefix(f"{TRAIN} ")
                raise ValueError(f"--arms {task.arm.name} needs {needed}, which is not done: name it too.")


def fits(bench: Bench, task: Task) -> bool:
    """Whether a task should end within --max_minutes, and a model be measured in them.

    The first of a process always starts, or one that takes longer than a call may would never get anywhere: its
    training goes on from its last checkpoint.
    """
    config = bench.config
    spent = time.monotonic() - bench.started
    if not config.max_minutes:
        return True
    if not bench.ran:
        return spent <= config.max_minutes * 60
    return spent + seconds_left(task, expected_cost(config, task.arm)) <= config.max_minutes * 60


def expected_cost(config: ProofConfig, arm: Arm) -> Cost:
    """`estimate` at the pace of what was done here."""
    cost, training, measuring = estimate(config, arm), pace(config, TRAIN), pace(config, MEASURE)
    scaled = {e.name: getattr(cost, e.name) * training for e in dataclasses.fields(cost) if e.name != "measuring"}
    return Cost(**scaled, measuring=cost.measuring * measuring)


def pace(config: ProofConfig, kind: str) -> float:
    """Seconds that trainings (or measurings) took here over those that were expected; 1 before the first."""
    spent, expected = 0.0, 0.0
    for arm in make_plan(config):
        seconds, cost = spent_seconds(config, arm.name), estimate(config, arm)
        if kind == TRAIN and "train" in seconds:
            spent, expected = spent + seconds["train"], expected + cost.training
        if kind == MEASURE:
            known = [seconds[mode] for mode in arm.modes if mode in seconds]
            spent, expected = spent + sum(known), expected + cost.measuring * len(known) / len(arm.modes)
    return spent / expected if expected else 1.0


def describe(config: ProofConfig, arms: Sequence[Arm]) -> str:
    """The plan as text: seconds of each arm at the pace so far, and who does what when."""
    costs = {arm.name: expected_cost(config, arm) for arm in arms}
    lines = ["arm                group      candidates  updates  measuring      total (seconds of one GPU)"]
    for arm in arms:
        cost, done = costs[arm.name], " done" if is_measured(config, arm) else ""
        parts = f"{cost.candidates:11.0f}{cost.updates:9.0f}{cost.measuring:11.0f}{cost.total:11.0f}"
        lines.append(f"{arm.name:18} {arm.group:10} {parts}{done}")
    left = [task for task in tasks_of(arms) if not is_done(config, task)]
    limit = max(1.0, config.max_minutes * 60 - PREPARE_SECONDS) if config.max_minutes else 0.0
    slots, late = timeline(left, Done(config), costs, (config.workers, limit))
    for worker in range(config.workers):
        own = [slot for slot in slots if slot.worker == worker]
        busy = sum(slot.end - slot.start for slot in own)
        shown = ", ".join(f"{slot.start:.0f}-{slot.end:.0f} {slot.task.name}" for slot in own)
        lines.append(f"process {worker + 1}, {busy:.0f} s busy: {shown}")
    end = max((slot.end for slot in slots), default=0.0)
    if late:
        lines.append(f"no time for: {', '.join(late)}")
    lines.append(
        f"{(end + PREPARE_SECONDS) / 60:.1f} minutes with {config.workers} processes, {PREPARE_SECONDS:.0f} s of them "
        f"before all that, for weeks and latents. Estimates rest on {TRAIN_MS:.2f} ms a sample and update, compiled, "
        f"times {EAGER} for a UNet that is not, and on what was measured here."
    )
    return "\n".join(lines)
