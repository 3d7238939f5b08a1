"""Checkpoints that a kill, a full disk or a damaged file cannot turn into a loss of more than the last interval.

In: weights, averages, optimizer state, plain values, the loss log. Out: OUTPUT_DIR/checkpoint-{step}/ with unet.pth
(the averaged UNet, in the published form; of a LoRA its own file and run.json instead), state.safetensors, state.json,
losses.jsonl, training_config.json and manifest.json with the SHA-256 of each. It is written under another name, forced
to disk and renamed; older ones go only when it stands. Knows nothing of what the weights do.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from fashiondistill.cli import write_run
from fashiondistill.diffusion.published import save_unet_pth
from train.files import digest, disk_error, sync
from train.starter.common import Ema

STATE, VALUES, LOSSES = "state.safetensors", "state.json", "losses.jsonl"
CONFIG, MANIFEST = "training_config.json", "manifest.json"
# What may differ when a run goes on: places, this run's own limits, and what no number depends on.
FREE_SETTINGS = (
    "dataset_path output_dir pretrained_model_name_or_path clip cache_dir device num_workers save_steps "
    "max_train_steps keep_checkpoints resume_from_checkpoint sample_steps num_samples gradient_accumulation_steps "
    "use_wandb use_tensorboard project_name gradient_checkpointing in_memory"
).split()
_NAME = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a checkpoint holds beside tensors.

    Attributes:
        step: updates made.
        values: what the loop and the objective need to go on, as JSON.
        losses: the loss log so far.
        config: the run's flags.
        configs: the same as dataclasses, for run.json beside an adapter.
    """

    step: int
    values: dict
    losses: str
    config: dict
    configs: tuple[object, ...] = ()


class TrainingState:
    """Modules in training, their averages and AdamW's moments, as tensors with names."""

    def __init__(self, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer, ema: Ema) -> None:
        self.modules, self.optimizer, self.ema = modules, optimizer, ema

    def parameters(self) -> list[nn.Parameter]:
        """What the optimizer trains, in its order."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything, copied to the CPU."""
        found = {f"ema.{key}": value for key, value in self.ema.values.items()}
        for name, module in self.modules.items():
            found |= {f"model.{name}.{key}": value for key, value in module.state_dict().items()}
        for index, parameter in enumerate(self.parameters()):
            moments = self.optimizer.state.get(parameter, {})
            found |= {f"adam.{index}.{key}": torch.as_tensor(value) for key, value in moments.items()}
        return {name: value.detach().cpu().clone().contiguous() for name, value in found.items()}

    @torch.no_grad()
    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take what `tensors` gave.

        Raises:
            ValueError: if they are of other modules.
        """
        own = {name.split(".")[1] for name in tensors if name.startswith("model.")}
        if own != set(self.modules):
            raise ValueError(f"the checkpoint trained {sorted(own)}, this run trains {sorted(self.modules)}.")
        for name, module in self.modules.items():
            module.load_state_dict(_below(tensors, f"model.{name}."))
        for key, value in self.ema.values.items():
            value.copy_(tensors[f"ema.{key}"])
        states = {
            index: {
                key: value if key == "step" else value.to(parameter.device)
                for key, value in _below(tensors, f"adam.{index}.").items()
            }
            for index, parameter in enumerate(self.parameters())
        }
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": {n: s for n, s in states.items() if s}, "param_groups": groups})


def save_checkpoint(out: Path, state: TrainingState, snapshot: Snapshot, *, keep: int) -> Path:
    """Write checkpoint-{step}, then delete all but the newest `keep`.

    Raises:
        OSError: if the disk is full; older checkpoints stand, and nothing half-written does.
    """
    target, part = out / f"checkpoint-{snapshot.step}", out / f".checkpoint-{snapshot.step}.part"
    shutil.rmtree(part, ignore_errors=True)
    tensors = state.tensors()
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    try:
        part.mkdir(parents=True)
        save_file(tensors, part / STATE)
        if "unet" in state.modules:
            save_unet_pth(state.ema.averaged("unet"), part / "unet.pth")
        else:
            state.ema.averaged("adapter").save(part)
            write_run(part, *snapshot.configs)
        (part / VALUES).write_text(json.dumps({"step": snapshot.step} | snapshot.values) + "\n", encoding="utf-8")
        (part / LOSSES).write_text(snapshot.losses, encoding="utf-8")
        (part / CONFIG).write_text(json.dumps(snapshot.config, indent=2) + "\n", encoding="utf-8")
        names = sorted(path.name for path in part.iterdir())
        for name in names:
            sync(part / name)
        manifest = {n: {"sha256": digest(part / n), "bytes": (part / n).stat().st_size} for n in names}
        (part / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        sync(part / MANIFEST)
        sync(part)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(part, ignore_errors=True)
        raise disk_error(error, target, size) from error
    _put(part, target)
    for step in checkpoint_steps(out)[keep:]:
        _take_away(out / f"checkpoint-{step}")
    return target


def checkpoint_steps(out: Path) -> list[int]:
    """Steps of the checkpoints that stand in a folder, newest first."""
    found = [_NAME.fullmatch(path.name) for path in out.iterdir()] if out.is_dir() else []
    return sorted((int(match[1]) for match in found if match), reverse=True)


def clean_up(out: Path) -> None:
    """Delete what a kill left half-written or half-deleted."""
    for pattern in (".checkpoint-*", ".final_model*"):
        for path in out.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


def verify_checkpoint(folder: Path) -> None:
    """Raise ValueError, naming the file, if a checkpoint is not what its manifest says."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ValueError(f"{path} is missing: the checkpoint is not whole.")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}).") from error
    for name, entry in manifest.items():
        file = folder / name
        if not file.is_file() or {"sha256": digest(file), "bytes": file.stat().st_size} != entry:
            raise ValueError(f"{file} is damaged: its SHA-256 is not the manifest's.")


def find_checkpoint(out: Path, wanted: str) -> Path | None:
    """The checkpoint to go on from.

    Args:
        out: where the run writes.
        wanted: "" (newest whole one, if any), "latest" (the same, but there must be one), "none", or a folder.

    Raises:
        FileNotFoundError: if what is asked for does not exist.
        ValueError: if the folder asked for is damaged, or every checkpoint is.
    """
    if wanted == "none":
        return None
    if wanted not in ("", "latest"):
        folder = Path(wanted)
        if not folder.is_dir():
            raise FileNotFoundError(f"--resume_from_checkpoint {wanted}: there is no such folder. Give latest or none.")
        verify_checkpoint(folder)
        return folder
    steps = checkpoint_steps(out)
    for step in steps:
        folder = out / f"checkpoint-{step}"
        try:
            verify_checkpoint(folder)
        except ValueError as error:
            print(f"warning: {error} Going back to the checkpoint before.", file=sys.stderr)
            continue
        return folder
    if steps or wanted == "latest":
        raise ValueError(
            f"--resume_from_checkpoint {wanted or 'latest'}: {out} holds no checkpoint that is whole. Start anew with "
            "--resume_from_checkpoint none."
        )
    return None


def weights_to_start_from(wanted: str) -> tuple[Path | None, str]:
    """What --resume_from_checkpoint asks for: a published .pth to start from, if any, and the checkpoint to go on from.

    A .pth inside one of our checkpoints means that checkpoint, with optimizer and step; another one has weights only,
    and a run that started from it goes on from its own newest checkpoint.
    """
    path = Path(wanted)
    if path.suffix != ".pth":
        return None, wanted
    return (None, str(path.parent)) if (path.parent / STATE).is_file() else (path, "")


def read_checkpoint(folder: Path) -> tuple[dict[str, torch.Tensor], dict, str]:
    """Tensors, values and loss log of a verified checkpoint."""
    values = json.loads((folder / VALUES).read_text(encoding="utf-8"))
    return load_file(folder / STATE), values, (folder / LOSSES).read_text(encoding="utf-8")


def compared_settings(config: object, identity: Mapping[str, str]) -> dict:
    """What must be the same when a run goes on, as it comes back from JSON."""
    values = {k: v for k, v in dataclasses.asdict(config).items() if k not in FREE_SETTINGS}
    return json.loads(json.dumps(values | dict(identity)))


def require_same_settings(folder: Path, saved: dict, own: dict) -> None:
    """Raise ValueError, naming each, if a checkpoint was made with other settings."""
    differing = [f"{k} {saved.get(k)} -> {own.get(k)}" for k in own | saved if saved.get(k) != own.get(k)]
    if differing:
        raise ValueError(
            f"--resume_from_checkpoint: {folder} was made with other settings ({', '.join(differing)}). Use those, "
            "choose another --output_dir, or start anew with --resume_from_checkpoint none."
        )


def _put(part: Path, target: Path) -> None:
    """Rename a finished folder into its place; one that stands there moves aside first."""
    aside = target.with_name(f".{target.name}.old")
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(target, aside)
    os.rename(part, target)
    sync(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _take_away(folder: Path) -> None:
    """Delete a folder; from the first moment on it has no checkpoint's name."""
    aside = folder.with_name(f".{folder.name}.old")
    os.rename(folder, aside)
    shutil.rmtree(aside, ignore_errors=True)


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
