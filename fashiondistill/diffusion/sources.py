"""Where base weights come from: a folder, a hub id, one .safetensors file; every fault is one line with a remedy.

In: what --pretrained_model_name_or_path says. Out: a `Base`: a `GarmentPipeline` in float32 and whether its UNet had to
be given new input channels. Folders are our own pipelines or Stable Diffusion's in diffusers' layout. Nothing is taken
in the place of what was asked for, and no pickled file is opened. Knows nothing of training.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTokenizer

from fashiondistill.diffusion.checkpoints import verify
from fashiondistill.diffusion.conditioning import ChannelLayout
from fashiondistill.diffusion.defaults import INDEX
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.diffusion.sd15 import SCHEDULER, sd15_tokenizer, write_configurations
from fashiondistill.diffusion.widening import layout_of_channels, widen_conv_in

FLAG = "--pretrained_model_name_or_path"
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
WANTED_FILES = ["*.json", "*.txt", "unet/*.safetensors", "vae/*.safetensors", "text_encoder/*.safetensors"]
UNWANTED_FILES = ["*.fp16.safetensors", "*.non_ema.safetensors"]
SUCCESSORS = {
    "runwayml/stable-diffusion-inpainting": "stable-diffusion-v1-5/stable-diffusion-inpainting",
    "stabilityai/stable-diffusion-2-inpainting": "sd2-community/stable-diffusion-2-inpainting",
}
LICENCE = "the published MGD and FashionDistill weights are CC BY-NC 4.0: no commercial use"
LDM_PREFIX = "model.diffusion_model."


@dataclass(frozen=True, eq=False)
class Base:
    """A pipeline to start from.

    Attributes:
        pipeline: in float32, on the CPU.
        folder: where it came from; None for a single file.
        widened: whether conv_in has channels that were never trained.
    """

    pipeline: GarmentPipeline
    folder: Path | None
    widened: bool


def open_base(name: str, *, pose: int = -1, sketch: int = -1, unet: str = "", size: str = "sd15") -> Base:
    """Open a base by folder, hub id or file.

    Args:
        name: see above; what exists as a path is never looked for on the hub.
        pose, sketch: input channels that the UNet should have; -1 = as it has, and one of sketch for a model without.
        unet: a .safetensors file with UNet weights in diffusers' layout, which take the place of the base's.
        size: shapes of a single-file checkpoint; see `sd15`.

    Raises:
        FileNotFoundError, ValueError: naming the flag, the id or file, and the remedy.
    """
    path = find_base(name)
    if path.is_file():
        parts, folder = _read_file(path, size), None
    else:
        own = _index(path).get("_class_name") == "GarmentPipeline"
        parts, folder = (_read_own(path) if own else _read_folder(path)), path
    trained = parts.layout
    if unet:
        trained = _put_weights(parts, Path(unet))
    wanted = ChannelLayout(
        latents=trained.latents,
        masked_image=trained.latents,
        pose=trained.pose if pose < 0 else pose,
        sketch=(trained.sketch or 1) if sketch < 0 else sketch,
        fold=trained.fold,
    )
    try:
        widened = widen_conv_in(parts.modules["unet"], trained, wanted)
    except ValueError as error:
        raise ValueError(f"{FLAG} {name}: {error}") from error
    options = parts.options | {"pose_channels": wanted.pose, "sketch_channels": wanted.sketch}
    return Base(GarmentPipeline(**parts.modules, **options), folder, widened)


def find_base(name: str) -> Path:
    """The folder or file of a base; a hub id is fetched, or found in the hub's cache.

    Raises:
        FileNotFoundError, ValueError: if there is neither path nor id, or the hub does not give it.
    """
    path = Path(name).expanduser()
    if path.is_dir() or (path.is_file() and path.suffix == ".safetensors"):
        return path
    if path.is_file():
        raise ValueError(f"{FLAG} {name} is no .safetensors file: pickled weights are not opened. Convert them first.")
    if not HUB_ID.fullmatch(name):
        raise FileNotFoundError(f"{FLAG} {name} is no folder or .safetensors file here, and no hub id (owner/name).")
    return _fetch(name)


def _fetch(repo_id: str) -> Path:
    """Snapshot of a hub repository: configurations and safetensors only."""
    remedy = "Give a local folder in diffusers' layout, or one .safetensors file"
    instead = f" (this one was removed by its owner; {SUCCESSORS[repo_id]} is a copy)" if repo_id in SUCCESSORS else ""
    print(f"note: {repo_id} comes under the terms on its hub page; {LICENCE}.", file=sys.stderr)
    try:
        found = snapshot_download(repo_id, allow_patterns=WANTED_FILES, ignore_patterns=UNWANTED_FILES)
    except GatedRepoError as error:
        raise ValueError(f"{FLAG} {repo_id} is gated: accept its terms on the hub and log in. {remedy}.") from error
    except RepositoryNotFoundError as error:
        raise ValueError(f"{FLAG} {repo_id} is not on the hub: gone, renamed or private{instead}. {remedy}.") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        why = "HF_HUB_OFFLINE is set" if constants.is_offline_mode() else "the hub cannot be reached"
        raise ValueError(f"{FLAG} {repo_id} is not in the local cache and {why}{instead}. {remedy}.") from error
    except (HfHubHTTPError, HFValidationError, httpx.HTTPError, OSError) as error:
        raise ValueError(f"{FLAG} {repo_id} cannot be fetched ({_short(error)}){instead}. {remedy}.") from error
    return Path(found)


@dataclass(frozen=True, eq=False)
class _Parts:
    """Modules of a pipeline, the layout of its UNet and the pipeline's other settings."""

    modules: dict
    layout: ChannelLayout
    options: dict


def _read_own(folder: Path) -> _Parts:
    """A `GarmentPipeline` in float32: the studio's loader opens bfloat16, which would cost training three digits."""
    verify(folder)
    options = {"torch_dtype": torch.float32, "local_files_only": True, "use_safetensors": True}
    try:
        pipeline = GarmentPipeline.from_pretrained(folder, **options)
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{FLAG} {folder} cannot be loaded ({_short(error)}).") from error
    return _Parts(dict(pipeline.components), pipeline.layout, pipeline.settings)


def _read_folder(folder: Path) -> _Parts:
    """Stable Diffusion in diffusers' layout; drawn with DDIM, as Multimodal Garment Designer is."""
    known = {"local_files_only": True}
    weights = known | {"use_safetensors": True}
    try:
        modules = {
            "vae": AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32, **weights),
            "text_encoder": CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32, **weights),
            "tokenizer": CLIPTokenizer.from_pretrained(folder / "tokenizer", **known),
            "unet": UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32, **weights),
            "scheduler": DDIMScheduler.from_pretrained(folder / "scheduler", **known),
        }
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise ValueError(
            f"{FLAG} {folder} cannot be loaded ({_short(error)}). Give a folder in diffusers' layout whose unet, vae, "
            "text_encoder, tokenizer and scheduler are whole, with safetensors weights."
        ) from error
    return _Parts(modules, _layout_of(modules["unet"], str(folder)), {})


def _read_file(path: Path, size: str) -> _Parts:
    """A whole Stable Diffusion 1.5 in one file, in the layout of its first release (latent-diffusion's names)."""
    shapes = _shapes(path)
    if "conv_in.weight" in shapes:
        raise ValueError(f"{FLAG} {path} holds a UNet alone: give a whole base there, and this file with --unet.")
    first = shapes.get(f"{LDM_PREFIX}input_blocks.0.0.weight")
    if first is None:
        raise ValueError(f"{FLAG} {path} is no Stable Diffusion 1.5 checkpoint: {LDM_PREFIX}* is missing in it.")
    with tempfile.TemporaryDirectory() as configurations:
        write_configurations(Path(configurations), in_channels=first[1], size=size)
        shared = {"config": configurations, "torch_dtype": torch.float32, "local_files_only": True}
        try:
            modules = {
                "unet": UNet2DConditionModel.from_single_file(str(path), subfolder="unet", **shared),
                "vae": AutoencoderKL.from_single_file(str(path), subfolder="vae", **shared),
                "text_encoder": _text_encoder_of(path, Path(configurations) / "text_encoder"),
            }
        except (OSError, RuntimeError, ValueError, KeyError, SafetensorError) as error:
            raise ValueError(f"{FLAG} {path} cannot be read as Stable Diffusion 1.5 ({_short(error)}).") from error
    modules |= {"tokenizer": sd15_tokenizer(), "scheduler": DDIMScheduler(**SCHEDULER)}
    return _Parts(modules, _layout_of(modules["unet"], str(path)), {})


def _text_encoder_of(path: Path, folder: Path) -> CLIPTextModel:
    prefix = "cond_stage_model.transformer."
    encoder = CLIPTextModel(CLIPTextModel.config_class.from_pretrained(folder, local_files_only=True))
    own = encoder.state_dict()
    with safe_open(path, framework="pt") as weights:
        found = {k.removeprefix(prefix): weights.get_tensor(k) for k in weights.keys() if k.startswith(prefix)}
    if not any(name in own for name in found):  # transformers 5 has no text_model between
        found = {name.removeprefix("text_model."): value for name, value in found.items()}
    encoder.load_state_dict({name: value.float() for name, value in found.items() if name in own})
    return encoder.eval()


def _put_weights(parts: _Parts, path: Path) -> ChannelLayout:
    """Put a UNet's own file into the base, grown to its channels first; returns its layout."""
    if not path.is_file() or path.suffix != ".safetensors":
        raise FileNotFoundError(f"--unet {path} is no .safetensors file here. Give one with a UNet's state dict.")
    shapes = _shapes(path)
    if "conv_in.weight" not in shapes:
        raise ValueError(f"--unet {path} is no UNet in diffusers' layout: conv_in.weight is missing in it.")
    channels, unet, layout = shapes["conv_in.weight"][1], parts.modules["unet"], parts.layout
    try:
        if channels != layout.in_channels:
            layout = layout_of_channels(channels)
            widen_conv_in(unet, parts.layout, layout)
        unet.load_state_dict(load_file(path))
    except (ValueError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"--unet {path} does not fit the base ({_short(error)}).") from error
    if channels == layout_of_channels(28).in_channels:
        print(f"note: {path.name} has MGD's layout; {LICENCE}.", file=sys.stderr)
    return layout


def _layout_of(unet: UNet2DConditionModel, source: str) -> ChannelLayout:
    try:
        return layout_of_channels(unet.config.in_channels)
    except ValueError as error:
        raise ValueError(f"{FLAG} {source}: {error}") from error


def _shapes(path: Path) -> dict[str, list[int]]:
    try:
        with safe_open(path, framework="pt") as weights:
            return {name: weights.get_slice(name).get_shape() for name in weights.keys()}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is damaged or no safetensors file ({_short(error)}). Fetch it again.") from error


def _index(folder: Path) -> dict:
    path = folder / INDEX
    if not path.is_file():
        raise FileNotFoundError(f"{FLAG} {folder} holds no model_index.json. Give a folder in diffusers' layout.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{FLAG} {path} is damaged ({_short(error)}). Restore the file.") from error


def _short(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
