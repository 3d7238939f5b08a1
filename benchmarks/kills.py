"""python -m benchmarks.kills: kill -9 at random moments, of a process that saves and of whole trainings.

In: a number of kills. Out: how many struck in the middle of a save, and the first thing lost, if any, as an error.
`saves` kills a process that does nothing but write checkpoints, so that most kills strike inside a write; `training`
kills `train.temporal` on a tiny model anywhere (loading, encoding, updating, saving, exporting), starts it again after
each kill, and compares the end, bit by bit, with a run that was never killed.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch

from tests.test_train_checkpoints import save
from tests.training import make_ground
from train import temporal
from train.checkpoints import clean_up, find_checkpoint, read_checkpoint
from train.files import digest

# Moments are seconds of the child's own processor time, so that a busy machine moves none of them before the work.
SAVE_SECONDS = (0.0, 0.15)  # a save of the test's state takes some hundredths
TRAINING_SECONDS = (0.1, 6.0)  # loading takes about two, an update with its save a third
LAST_WAIT = 0.05  # seconds of the clock at most, after that: so some kills strike while it waits for the disk


def kill_saves(out: Path, kills: int, seed: int) -> str:
    """Kill a process that saves all the time.

    Raises:
        SystemExit: if a checkpoint that stood is gone, older than before, or holds other numbers than were saved.
    """
    draws, found, inside = random.Random(seed), -1, 0
    for number in range(kills):
        child = os.fork()
        if not child:
            clean_up(out)
            step = found + 1
            while True:
                save(out, step, keep=2)
                step += 1
        _kill_after(child, draws, SAVE_SECONDS)
        inside += any(path.name.startswith(".") for path in out.iterdir())
        folder = find_checkpoint(out, "")
        if folder is None:
            _require(found < 0, f"kill {number}: a checkpoint that stood is gone")
            continue
        tensors, values, _ = read_checkpoint(folder)
        _require(values["step"] >= found, f"kill {number}: step {values['step']} stands, {found} stood before")
        found = values["step"]
        weights = {float(v) for n, t in tensors.items() if n.startswith("ema.") for v in (t.min(), t.max())}
        _require(weights == {float(found)}, f"kill {number}: step {found} holds {weights}")
        if number % 10 == 9:
            print(f"{number + 1} kills, {inside} in the middle of a save, step {found}", flush=True)
    _require(found >= 0 and inside > 0, "no kill struck a save: raise --kills")
    return f"saves: {kills} kills, {inside} in the middle of a save, up to step {found}: nothing lost"


def kill_trainings(folder: Path, kills: int, seed: int) -> str:
    """Kill whole trainings; a run of few updates begins again, with another seed, once it has come to its end.

    Raises:
        SystemExit: if a run that was killed ends with other weights, moments or losses than one that was not.
    """
    ground, draws, struck, runs, in_save = make_ground(folder), random.Random(seed), 0, 0, 0
    while struck < kills:
        settings = {"save_steps": 1, "max_train_steps": 6, "seed": runs}
        whole, parts = folder / f"whole_{runs}", folder / f"parts_{runs}"
        _finish(_train(ground.temporal(whole, **settings)), "a run without kills")
        while struck < kills:
            child = _train(ground.temporal(parts, **settings))
            if _kill_after(child, draws, TRAINING_SECONDS):
                break
            struck += 1
            in_save += any(path.name.startswith(".") for path in parts.glob(".*"))
        _finish(_train(ground.temporal(parts, **settings)), "the run after the last kill")
        for name in ("checkpoint-6/state.safetensors", "losses.jsonl", "final_model/unet.pth"):
            same = digest(whole / name) == digest(parts / name)
            _require(same, f"after {struck} kills {name} of run {runs} is another one than without kills")
        runs += 1
        print(f"{struck} kills in {runs} runs, {in_save} in the middle of a save or export", flush=True)
    return (
        f"training: {struck} kills in {runs} runs, {in_save} inside a save or export: each run ended as without kills"
    )


def _train(config: object) -> int:
    child = os.fork()
    if child:
        return child
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1), os.dup2(silent, 2)
    status = 1
    try:
        temporal.train(config)
        status = 0
    finally:
        os._exit(status)


def _kill_after(child: int, draws: random.Random, seconds: tuple[float, float]) -> bool:
    """Kill the child at a moment between two; True if it had come to its end by itself before.

    Raises:
        SystemExit: if it ended with an error.
    """
    moment, wait = draws.uniform(*seconds), draws.uniform(0, LAST_WAIT)
    while _processor_seconds(child) < moment:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            _require(status == 0, f"the process ended by itself with status {status}")
            return True
        time.sleep(0.005)
    time.sleep(wait)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _processor_seconds(child: int) -> float:
    """Seconds that a process has computed (proc(5): utime and stime)."""
    fields = Path(f"/proc/{child}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _finish(child: int, name: str) -> None:
    _, status = os.waitpid(child, 0)
    _require(status == 0, f"{name} ended with status {status}")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise SystemExit(f"LOST: {message}")


def main(argv: list[str] | None = None) -> int:
    """Command line; the exit status is 0 if nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="kills of each kind (default: 100)")
    parser.add_argument("--kinds", nargs="+", default=["saves", "training"], choices=("saves", "training"))
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    asked = parser.parse_args(argv)
    torch.set_num_threads(1)  # a forked process must find no threads of its parent's
    for kind in asked.kinds:
        with tempfile.TemporaryDirectory() as folder:
            trial = {"saves": kill_saves, "training": kill_trainings}[kind]
            print(trial(Path(folder), asked.kills, asked.seed), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
