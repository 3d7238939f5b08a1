"""python -m train.starter.bundle: the stages' outputs -> one pipeline folder, fp16, in files under 16 MiB.

In: folders of the autoencoder, denoiser and CLIP stages. Out: a GarmentPipeline folder with clip/ and manifest.json.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from fashiondistill.cli import run_command
from fashiondistill.config import DrawingDefaults, option, require
from fashiondistill.diffusion.checkpoints import write_manifest
from train.starter.pipelines import DRAWING, load_scheduler, read_drawing, starter_pipeline

SHARD = "14MB"


@dataclass(frozen=True)
class BundleConfig:
    """Where the stages' outputs are."""

    autoencoder: str = option("", "output folder of train.starter.autoencoder")
    denoiser: str = option("", "output folder of train.starter.denoiser, or of train.starter.distill")
    clip: str = option("", "output folder of train.starter.clip")
    out: str = option("", "folder to write; what it holds is replaced")
    num_inference_steps: int = option(0, f"steps that the model wants; 0 = as {DRAWING} of --denoiser says, if at all")
    guidance_scale: float = option(0.0, "guidance that the model wants, 1 = none; 0 as above")
    live_steps: int = option(0, "steps of the page's live preview; 0 as above")

    def __post_init__(self) -> None:
        for name in ("autoencoder", "denoiser", "clip", "out"):
            require(bool(getattr(self, name)), name, repr(getattr(self, name)), "give a folder.")
        DrawingDefaults.of(self.drawing())

    def drawing(self) -> dict[str, int | float]:
        """What is said of drawing."""
        said = {entry.name: getattr(self, entry.name) for entry in fields(DrawingDefaults)}
        return {name: value for name, value in said.items() if value != 0}


def make_bundle(config: BundleConfig) -> int:
    """Write the bundle and return its size in bytes.

    Raises:
        FileNotFoundError: naming the stage whose output is missing.
    """
    denoiser, out = Path(config.denoiser), Path(config.out)
    vae_folder, clip_folder = Path(config.autoencoder) / "vae", Path(config.clip) / "clip"
    for folder in (vae_folder, clip_folder, denoiser / "unet", denoiser / "text_encoder"):
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is missing: run that stage first.")
    pipeline = starter_pipeline(
        vae=AutoencoderKL.from_pretrained(vae_folder, torch_dtype=torch.float16),
        tokenizer=CLIPTokenizer.from_pretrained(denoiser / "tokenizer"),
        unet=UNet2DConditionModel.from_pretrained(denoiser / "unet", torch_dtype=torch.float16),
        text_encoder=CLIPTextModel.from_pretrained(denoiser / "text_encoder", dtype=torch.float16),
        scheduler=load_scheduler(denoiser / "scheduler"),
        drawing=read_drawing(denoiser) | config.drawing(),
    )
    for name in ("vae", "text_encoder", "tokenizer", "unet", "scheduler", "clip"):
        shutil.rmtree(out / name, ignore_errors=True)
    pipeline.save_pretrained(out, safe_serialization=True, max_shard_size=SHARD)
    shutil.copytree(clip_folder, out / "clip")
    for path in out.rglob("*config.json"):  # diffusers notes which folder of this machine a part was loaded from
        config = json.loads(path.read_text(encoding="utf-8"))
        if config.pop("_name_or_path", None) is not None:
            path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    write_manifest(out)
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())


def _report(config: BundleConfig) -> str:
    return f"bundle: {make_bundle(config) / 2**20:.1f} MiB -> {config.out}"


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status (2 = bad input)."""
    return run_command(
        argv, _report, BundleConfig, prog="python -m train.starter.bundle", description=__doc__.splitlines()[0]
    )


if __name__ == "__main__":
    sys.exit(main())
