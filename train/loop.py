"""The one training loop: gradients of an objective, averaged over micro-batches and processes, update after update.

In: settings, an `Objective`, a data set. Out: OUTPUT_DIR with losses.jsonl, curves.png, checkpoint-{step}/ and
final_model/. All that is random is keyed by seed and step, so a stopped run goes on bit by bit as if it had not been
stopped. Only this module knows accelerate and the trackers. Knows nothing of losses.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import nn
from tqdm import tqdm

from train.charts import write_curves
from train.checkpoints import (
    Snapshot,
    TrainingState,
    clean_up,
    compared_settings,
    find_checkpoint,
    read_checkpoint,
    require_same_settings,
    save_checkpoint,
    weights_to_start_from,
)
from train.data import Share, TrainBatch, TrainingSet, stream_loader
from train.files import is_disk_full
from train.losslog import LossLog
from train.objectives import Objective
from train.optimizers import make_optimizer
from train.settings import TrainConfig, learning_rate
from train.starter.common import Ema, random_generator

MAX_SKIPPED = 10  # updates in a row without a finite gradient before training stops


@dataclass(frozen=True, eq=False)
class World:
    """This process: its device, its precision and the others.

    Attributes:
        accelerator: of accelerate, which also carries the trackers.
        precision: "no", "fp16" or "bf16".
    """

    accelerator: Accelerator
    precision: str

    @property
    def device(self) -> torch.device:
        """Where this process trains."""
        return self.accelerator.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.accelerator.is_main_process

    def autocast(self) -> AbstractContextManager:
        """Context of the UNet's forward passes."""
        dtype = torch.float16 if self.precision == "fp16" else torch.bfloat16
        return torch.autocast(self.device.type, dtype, enabled=self.precision != "no")

    def share(self, config: TrainConfig) -> Share:
        """This process's micro-batches."""
        count, rank = self.accelerator.num_processes, self.accelerator.process_index
        return Share(config.batch_size, config.gradient_accumulation_steps, rank, count)

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Mean over the processes."""
        return self.accelerator.reduce(values, reduction="mean") if self.accelerator.num_processes > 1 else values


def open_world(config: TrainConfig) -> World:
    """Join the processes that torchrun or accelerate started, choose device, precision and trackers.

    Raises:
        ValueError: if the device or a tracker's package is not there.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda is not usable: torch sees no GPU. Choose cpu or auto.")
    on_cpu = config.device == "cpu" or not torch.cuda.is_available()
    precision = config.mixed_precision
    if precision == "auto":
        precision = "no" if on_cpu else "bf16"
    if on_cpu and precision == "fp16":
        raise ValueError("--mixed_precision fp16 is not usable on a CPU: choose no or bf16.")
    trackers = [n for n in ("wandb", "tensorboard") if getattr(config, f"use_{n}")]
    for name in trackers:
        if importlib.util.find_spec(name) is None:
            raise ValueError(f"--use_{name} is not usable: {name} is not installed. pip install {name}")
    if config.fast_kernels:
        torch.backends.cudnn.benchmark = True  # every update has the same shapes
        torch.set_float32_matmul_precision("high")
    accelerator = Accelerator(
        cpu=on_cpu, mixed_precision="no", log_with=trackers or None, project_dir=config.output_dir
    )
    if trackers:
        flags = {k: v for k, v in dataclasses.asdict(config).items() if isinstance(v, int | float | str | bool)}
        accelerator.init_trackers(config.project_name, config=flags)
    return World(accelerator, precision)


class Trainer:
    """Runs the loop.

    Args:
        config: settings.
        world: this process.
        objective: what is minimised.
        data: samples.
        identity: what must be the same when a run goes on, beside the settings: names and ids.
        sample: draws a grid with the averaged modules, given (step, modules); of the first process only.
    """

    def __init__(
        self,
        config: TrainConfig,
        world: World,
        objective: Objective,
        data: TrainingSet,
        *,
        identity: Mapping[str, str],
        sample: Callable[[int, dict[str, nn.Module]], None] | None = None,
    ) -> None:
        self.config, self.world, self.objective, self.data, self.sample = config, world, objective, data, sample
        self.out = Path(config.output_dir)
        optimizer = make_optimizer(config, objective.modules, objective.rate_scales)
        self.state = TrainingState(objective.modules, optimizer, Ema(objective.modules, config.ema_decay))
        self.scaler = torch.amp.GradScaler(world.device.type, enabled=world.precision == "fp16")
        self.log = LossLog(self.out / "losses.jsonl" if world.leads else None)
        self.share = world.share(config)
        self.identity = dict(identity) | {"samples_per_step": str(self.share.samples_per_step)}
        self.step, self.skipped, self.limit = 0, 0, config.batch_size

    def averaged(self) -> dict[str, nn.Module]:
        """Copies of the modules with averaged weights."""
        return {name: self.state.ema.averaged(name) for name in self.state.modules}

    def run(self) -> int:
        """Train to --max_train_steps; returns the updates made in all runs.

        Raises:
            ValueError: if a checkpoint is of another run, gradients stay infinite, or memory does not suffice.
        """
        self._resume()
        config, saved, total = self.config, self.step, self.config.max_train_steps
        batches = self._batches() if self.step < total else iter(())
        with tqdm(total=total, initial=self.step, desc="training", unit="step", disable=not self.world.leads) as bar:
            while self.step < total:
                self.objective.begin_step(self.step)
                values = self.update([next(batches) for _ in range(config.gradient_accumulation_steps)])
                bar.update()
                rate = bar.format_dict["rate"] or 0.0
                samples = f"{rate * self.share.samples_per_step:.1f}"
                bar.set_postfix({k: f"{v:.4f}" for k, v in values.items() if "loss" in k} | {"samples/s": samples})
                if self.step % config.save_steps == 0 or self.step == total:
                    saved = self.save() or saved
                if self.sample and config.sample_steps and self.step % config.sample_steps == 0:
                    self.sample(self.step, self.averaged())  # the others wait in the next update
        if saved < self.step:
            raise ValueError(
                f"--output_dir {self.out} has no space for the last checkpoint. Free some and start again."
            )
        return self.step

    def update(self, batches: list[TrainBatch]) -> dict[str, float]:
        """One update; an update whose gradient is not finite changes nothing and is counted."""
        optimizer, parameters = self.state.optimizer, self.state.parameters()
        rate = learning_rate(self.config, self.step)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["rate_scale"]
        torch.manual_seed(random_generator("cpu", self.config.seed, 99, self.step).initial_seed())
        parts = self._accumulate_within_memory(batches)
        self._average_gradients(parameters)
        self.scaler.unscale_(optimizer)
        norm = float(nn.utils.clip_grad_norm_(parameters, self.config.max_grad_norm))
        finite = torch.isfinite(torch.tensor([norm, *parts.values()])).all().item()
        if finite or self.scaler.is_enabled():
            self.scaler.step(optimizer)  # in fp16 it looks for a scale, and leaves out updates by itself
            self.scaler.update()
        optimizer.zero_grad(set_to_none=True)
        if finite:
            self.state.ema.update(self.step)
        warnings = self.objective.end_step(self.step, parts) if finite else [self._skip(parts, norm)]
        self.skipped = 0 if finite else self.skipped + 1
        self.step += 1
        self._record({"step": self.step, "learning_rate": rate, **parts, "gradient_norm": norm, "skipped": not finite})
        for text in warnings if self.world.leads else ():
            tqdm.write(f"warning: {text}", file=sys.stderr)
        if self.skipped >= MAX_SKIPPED:
            raise ValueError(
                f"the loss was not finite in {MAX_SKIPPED} updates in a row, up to step {self.step}; they changed "
                f"nothing. Checkpoints in {self.out} are good: resume with a lower --learning_rate."
            )
        return parts

    def save(self) -> int | None:
        """Write a checkpoint and the curves; a full disk is said, and training goes on. Returns the step saved."""
        saved = torch.zeros(1, device=self.world.device)
        if self.world.leads:
            settings = compared_settings(self.config, self.identity)
            values = {"settings": settings, "objective": self.objective.state(), "skipped": self.skipped}
            values |= {"scaler": self.scaler.state_dict()}
            snapshot = Snapshot(self.step, values, self.log.text, dataclasses.asdict(self.config), (self.config,))
            try:
                save_checkpoint(self.out, self.state, snapshot, keep=self.config.keep_checkpoints)
                saved += 1
                write_curves(self.log.lines, self.out / "curves.png")
            except OSError as error:
                if not is_disk_full(error):
                    raise
                tqdm.write(f"warning: {error.strerror}. The checkpoints before it stand.", file=sys.stderr)
        done = self.world.mean(saved).item() > 0
        self.world.accelerator.wait_for_everyone()
        return self.step if done else None

    def _batches(self) -> Iterator[TrainBatch]:
        seed, workers = self.config.seed, self.config.num_workers
        return iter(stream_loader(self.data, self.share, seed=seed, start=self.step, num_workers=workers))

    def _accumulate_within_memory(self, batches: list[TrainBatch]) -> dict[str, float]:
        """`_accumulate`; where memory does not suffice, again with half as many samples at a time, from then on."""
        while True:
            try:
                return self._accumulate(batches)
            except torch.OutOfMemoryError as error:
                self.state.optimizer.zero_grad(set_to_none=True)
                if self.limit == 1:
                    raise ValueError(
                        "out of memory with one sample at a time. Lower --image_size, or use a larger GPU."
                    ) from error
                self.limit = (self.limit + 1) // 2
                message = f"warning: out of memory; {self.limit} samples at a time from step {self.step} on"
                tqdm.write(message, file=sys.stderr)
            torch.cuda.empty_cache()  # does nothing where no GPU is in use

    def _accumulate(self, batches: list[TrainBatch]) -> dict[str, float]:
        """Gradients of the mean loss of all micro-batches and processes; returns the parts' means."""
        sums: dict[str, torch.Tensor] = {}
        total = sum(len(batch) for batch in batches)
        for batch in batches:
            for start in range(0, len(batch), self.limit):
                chunk = batch.rows(slice(start, start + self.limit)).to(self.world.device)
                terms = self.objective.loss(chunk, self.step)
                share = len(chunk) / total
                self.scaler.scale(terms.total * share).backward()
                for name, value in terms.parts.items():
                    sums[name] = sums.get(name, 0) + value.float() * share
        means = self.world.mean(torch.stack(list(sums.values())))
        return dict(zip(sums, means.tolist(), strict=True))

    def _average_gradients(self, parameters: list[nn.Parameter]) -> None:
        if self.world.accelerator.num_processes == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        flat = self.world.mean(torch.cat([p.grad.reshape(-1) for p in parameters]))
        for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
            parameter.grad.copy_(part.view_as(parameter))

    def _skip(self, parts: Mapping[str, float], norm: float) -> str:
        return f"step {self.step + 1} is left out: not finite ({dict(parts)}, gradient norm {norm})"

    def _record(self, line: dict) -> None:
        self.log.add(line)
        if self.world.accelerator.trackers:
            self.world.accelerator.log(line, step=self.step)

    def _resume(self) -> None:
        if self.world.leads:
            self.out.mkdir(parents=True, exist_ok=True)
            clean_up(self.out)
        self.world.accelerator.wait_for_everyone()
        _, wanted = weights_to_start_from(self.config.resume_from_checkpoint)
        folder = find_checkpoint(self.out, wanted)
        if folder is None:
            self.log.restore("")
            return
        tensors, values, losses = read_checkpoint(folder)
        require_same_settings(folder, values["settings"], compared_settings(self.config, self.identity))
        self.state.restore(tensors)
        self.objective.restore(values["objective"])
        self.scaler.load_state_dict(values["scaler"])
        self.step, self.skipped = values["step"], values["skipped"]
        self.log.restore(losses)
        if self.world.leads:
            print(f"going on from {folder}, step {self.step}", file=sys.stderr)
