"""What the starter's training stages share: the schedule, EMA and a resumable state.

In: a stage's settings, models and loss. Out: updates, and state.safetensors that a stopped stage continues from. Knows
nothing of any particular model or data set.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from tqdm import tqdm

from fashiondistill.cli import write_run
from fashiondistill.config import StageConfig
from train.starter.ranks import Ranks, join_ranks

LOG_EVERY = 50  # steps
FINISHED = "finished.json"  # stands in a stage's folder once its whole budget is used


class Clock:
    """Wall time and schedule of a stage, which may be spread over several runs.

    What a run needs to get ready (reading, encoding, compiling) counts towards the budget, so that the stage ends when
    it was told to; the schedule moves only from `start` on, so that no learning rate is passed over unused.
    """

    def __init__(self, config: StageConfig) -> None:
        self.budget, self.limit = config.max_minutes * 60, config.stop_after_minutes * 60
        self.began = self.ready = time.monotonic()
        self.spent_before = self.progress_before = 0.0

    def start(self, *, spent: float, progress: float) -> None:
        """Training begins now; earlier runs used `spent` seconds and stood at `progress` of the schedule."""
        self.ready = time.monotonic()
        self.spent_before, self.progress_before = spent, progress

    @property
    def spent(self) -> float:
        """Seconds used so far, those of earlier runs included."""
        return self.spent_before + time.monotonic() - self.began

    @property
    def progress(self) -> float:
        """Where the schedule stands, 0 to 1."""
        span = self.budget - self.spent_before - (self.ready - self.began)
        share = min(1.0, (time.monotonic() - self.ready) / span) if span > 0 else 1.0
        return self.progress_before + (1 - self.progress_before) * share

    @property
    def done(self) -> bool:
        """Whether this run ends: the budget is used up, or the run's own limit."""
        return self.spent >= self.budget or (self.limit > 0 and time.monotonic() - self.began >= self.limit)


class Snapshots:
    """Says when a stage should write what it has, so that a machine lost in the middle costs little."""

    def __init__(self, config: StageConfig) -> None:
        self.interval = config.save_every_minutes * 60
        self.next = time.monotonic() + self.interval

    def due(self) -> bool:
        """True once per interval."""
        if not self.interval or time.monotonic() < self.next:
            return False
        self.next = time.monotonic() + self.interval
        return True


def compared_settings(config: StageConfig) -> dict:
    """What must be the same when a stage goes on: everything but places and this run's own limit."""
    free = {"output_dir", "dataset_path", "autoencoder", "teacher", "device"}
    free |= {"stop_after_minutes", "save_every_minutes", "num_samples"}
    return {name: value for name, value in dataclasses.asdict(config).items() if name not in free}


def learning_rate(peak: float, step: int, progress: float, *, warmup_steps: int = 200) -> float:
    """Linear warm-up by steps, then cosine to 1 % of the peak by share of the time budget."""
    return peak * min(1.0, (step + 1) / warmup_steps) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


class Ema:
    """Exponential moving average of parameters; the decay ramps up as (1 + step) / (10 + step)."""

    def __init__(self, modules: dict[str, nn.Module], decay: float = 0.9995) -> None:
        self.modules, self.decay = modules, decay
        self.values = {
            f"{name}.{key}": tensor.detach().float().clone()
            for name, module in modules.items()
            for key, tensor in module.state_dict().items()
        }
        live = {
            f"{n}.{k}": t for n, m in modules.items() for k, t in m.state_dict().items() if t.dtype == torch.float32
        }
        self._live, self._averaged = list(live.values()), [self.values[key] for key in live]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the averages towards the live weights."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._averaged, self._live, 1 - decay)

    def averaged(self, name: str) -> nn.Module:
        """A copy of module `name` with the averages as its weights, contiguous, so that it can be saved."""
        module = copy.deepcopy(self.modules[name]).to(memory_format=torch.contiguous_format)
        own = {key: self.values[f"{name}.{key}"].to(t.dtype) for key, t in module.state_dict().items()}
        module.load_state_dict(own)
        return module.eval()


class StageState:
    """Weights, EMA, AdamW moments, step and time spent, in one safetensors file; written whole or not at all."""

    def __init__(self, folder: Path, modules: dict[str, nn.Module], optimizer: torch.optim.AdamW, ema: Ema) -> None:
        self.path = folder / "state.safetensors"
        self.modules, self.optimizer, self.ema = modules, optimizer, ema

    def save(self, *, step: int, clock: Clock, settings: dict) -> None:
        """Write the state; `settings` are compared when the stage goes on."""
        tensors = {f"ema.{key}": value.contiguous() for key, value in self.ema.values.items()}
        for name, module in self.modules.items():
            tensors |= {f"model.{name}.{key}": t.detach().clone() for key, t in module.state_dict().items()}
        for index, state in enumerate(self._moments()):
            tensors |= {
                f"adam.{index}.{key}": value.detach().clone().reshape(value.shape) for key, value in state.items()
            }
        metadata = {"step": str(step), "spent": str(clock.spent), "progress": str(clock.progress)}
        metadata["settings"] = json.dumps(settings)
        part = self.path.with_suffix(".part")
        save_file({k: v.cpu().contiguous() for k, v in tensors.items()}, part, metadata=metadata)
        with open(part, "rb") as handle:
            os.fsync(handle.fileno())
        os.replace(part, self.path)

    def load(self, settings: dict, clock: Clock) -> int:
        """Restore everything, start the clock and return the step; 0 if nothing was saved.

        Raises:
            ValueError: if the state was made with other settings.
        """
        if not self.path.is_file():
            clock.start(spent=0.0, progress=0.0)
            return 0
        with safe_open(self.path, framework="pt") as handle:
            metadata = handle.metadata()
            if json.loads(metadata["settings"]) != json.loads(json.dumps(settings)):
                differing = _differing(json.loads(metadata["settings"]), json.loads(json.dumps(settings)))
                raise ValueError(
                    f"--output_dir: {self.path} was made with other settings ({differing}). Choose another folder."
                )
            tensors = {key: handle.get_tensor(key) for key in handle.keys()}
        for name, module in self.modules.items():
            prefix = f"model.{name}."
            module.load_state_dict({k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)})
        for key, value in self.ema.values.items():
            value.copy_(tensors[f"ema.{key}"])
        states = {}
        for index, parameter in enumerate(self.parameters()):
            prefix = f"adam.{index}."
            states[index] = {
                k[len(prefix) :]: torch.empty_like(parameter).copy_(v) if k != f"{prefix}step" else v
                for k, v in tensors.items()
                if k.startswith(prefix)
            }
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": states, "param_groups": groups})
        clock.start(spent=float(metadata["spent"]), progress=float(metadata["progress"]))
        return int(metadata["step"])

    def parameters(self) -> list[nn.Parameter]:
        """What the optimizer trains, in its order."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def _moments(self) -> list[dict[str, torch.Tensor]]:
        return [self.optimizer.state.get(parameter, {}) for parameter in self.parameters()]


def _differing(saved: dict, own: dict) -> str:
    """Each setting that is not the same, before and now."""
    names = sorted(name for name in own | saved if saved.get(name) != own.get(name))
    return ", ".join(f"{name} {saved.get(name)} -> {own.get(name)}" for name in names)


def run_stage(
    name: str,
    config: StageConfig,
    clock: Clock,
    ranks: Ranks,
    state: StageState,
    loss_of: Callable[[int], torch.Tensor],
    write_models: Callable[[Path], None],
    identity: Mapping[str, str] | None = None,
) -> int:
    """Train until the clock says stop; returns the steps made in all runs.

    Args:
        loss_of: the loss of draw n, with a graph; gradients are clipped to a norm of 1 before each update. A step takes
            one draw of each rank.
        write_models: writes the averaged models; also called in between.
        identity: ids of what the stage learns from, which must be the same when it goes on.
    """
    out, settings = Path(config.output_dir), compared_settings(config) | dict(identity or {})
    if ranks.leads:
        (out / FINISHED).unlink(missing_ok=True)
    step = state.load(settings, clock)
    snapshots = Snapshots(config)

    def save() -> None:
        if ranks.leads:
            state.save(step=step, clock=clock, settings=settings)
            write_models(out)

    with tqdm(desc=name, unit="step", initial=step, disable=not ranks.leads) as bar:
        while True:
            done, progress = ranks.follow(clock.done, clock.progress)
            if done:
                break
            for group in state.optimizer.param_groups:
                group["lr"] = learning_rate(config.learning_rate, step, progress)
            loss = loss_of(step * ranks.count + ranks.rank)
            loss.backward()
            ranks.average_gradients(state.parameters())
            nn.utils.clip_grad_norm_(state.parameters(), 1.0)
            state.optimizer.step()
            state.optimizer.zero_grad(set_to_none=True)
            state.ema.update(step)
            step += 1
            bar.update()
            if ranks.leads and step % LOG_EVERY == 0:
                log_line(out, step=step, loss=round(loss.item(), 5), seconds=round(clock.spent, 1))
                bar.set_postfix(loss=f"{loss.item():.4f}", progress=f"{progress:.0%}")
            if snapshots.due():
                save()
    save()
    ranks.leave()
    if ranks.leads and clock.spent >= clock.budget:
        (out / FINISHED).write_text(json.dumps({"steps": step, "seconds": round(clock.spent, 1)}) + "\n")
    return step


def set_up(config: StageConfig) -> tuple[Path, Ranks]:
    """Join the other processes, seed torch, choose its fast paths and make the stage's folder with run.json."""
    ranks = join_ranks(config.device)
    torch.manual_seed(config.seed)
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True  # every step has the same shapes
    out = Path(config.output_dir)
    if ranks.leads:
        out.mkdir(parents=True, exist_ok=True)
        write_run(out, config)
    return out, ranks


def random_generator(device: str, *keys: int) -> torch.Generator:
    """A generator keyed by (seed, step, ...), so that a resumed run draws what an uninterrupted one would."""
    seed = int(np.random.SeedSequence(keys).generate_state(1, np.uint64)[0] >> 1)
    return torch.Generator(device=device).manual_seed(seed)


def log_line(folder: Path, **values: float | int | str) -> None:
    """Append one line of JSON to the stage's log."""
    with open(folder / "log.jsonl", "a", encoding="utf-8") as handle:
        handle.write(json.dumps(values) + "\n")
