"""Stable Diffusion 1.5's shapes and vocabulary, shipped with the library: nothing of them needs a download.

In: a channel layout. Out: a `GarmentPipeline` with random weights of the true shapes (or of tiny ones, for tests and
trials), and a folder of configurations that reads single-file checkpoints. The shapes are those of the inpainting
model's own config files; its weights are not here. Knows nothing of where weights come from.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from functools import cache
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from fashiondistill.diffusion.conditioning import ChannelLayout
from fashiondistill.diffusion.pipeline import GarmentPipeline

SIZES = ("sd15", "tiny")
UNET = {
    "sample_size": 64,
    "in_channels": 9,
    "out_channels": 4,
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
    "block_out_channels": [320, 640, 1280, 1280],
    "layers_per_block": 2,
    "attention_head_dim": 8,
    "cross_attention_dim": 768,
    "norm_num_groups": 32,
}
VAE = {
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "latent_channels": 4,
    "sample_size": 512,
    "scaling_factor": 0.18215,
    "norm_num_groups": 32,
}
TEXT = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
    "projection_dim": 768,
    "bos_token_id": 49406,
    "eos_token_id": 49407,
    "pad_token_id": 49407,
}
SCHEDULER = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
    "prediction_type": "epsilon",
}
TINY = {
    "unet": {"block_out_channels": [8, 8, 16, 16], "layers_per_block": 1, "attention_head_dim": 2}
    | {"cross_attention_dim": 16, "norm_num_groups": 4},
    "vae": {"block_out_channels": [4, 4, 8, 8], "layers_per_block": 1, "norm_num_groups": 2},
    "text": {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    | {"projection_dim": 16},
}
VOCABULARY = "bpe_simple_vocab_16e6.txt.gz"  # OpenAI's CLIP, MIT; every open_clip has it
NUM_MERGES = 49152 - 256 - 2


def settings_of(size: str) -> dict[str, dict]:
    """Configurations of unet, vae and text encoder."""
    if size not in SIZES:
        raise ValueError(f"size {size!r} is unknown: choose one of {', '.join(SIZES)}.")
    full = {"unet": UNET, "vae": VAE, "text": TEXT}
    return {name: values | (TINY[name] if size == "tiny" else {}) for name, values in full.items()}


@cache
def sd15_tokenizer() -> CLIPTokenizer:
    """CLIP's own vocabulary, from the file that open_clip carries.

    Raises:
        FileNotFoundError: if this open_clip has none.
    """
    found = importlib.util.find_spec("open_clip")
    path = Path(found.origin).parent / VOCABULARY if found is not None and found.origin else Path(VOCABULARY)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing. Install open_clip_torch, which carries CLIP's vocabulary.")
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        merges = [tuple(line.split()) for line in handle.read().split("\n")[1 : NUM_MERGES + 1]]
    letters = _byte_letters()
    words = [*letters, *(letter + "</w>" for letter in letters), *("".join(pair) for pair in merges)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    ids = {word: place for place, word in enumerate(words)}
    return CLIPTokenizer(vocab=ids, merges=merges, model_max_length=77)


def _byte_letters() -> list[str]:
    """The printable letter that stands for each byte, in GPT-2's order (Radford et al. 2019, byte-level BPE)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("\u00a1"), ord("\u00ac") + 1)]
    printable += range(ord("\u00ae"), ord("\u00ff") + 1)
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(others))]


def sd15_unet(layout: ChannelLayout, size: str = "sd15") -> UNet2DConditionModel:
    """A UNet with random weights; under `torch.device("meta")` it takes no memory."""
    return UNet2DConditionModel(**(settings_of(size)["unet"] | {"in_channels": layout.in_channels}))


def random_pipeline(layout: ChannelLayout, *, size: str = "sd15", seed: int = 0) -> GarmentPipeline:
    """A pipeline with random weights in float32; the same seed gives the same weights.

    Args:
        layout: fold 1 and 4 latent channels, as Stable Diffusion has.
        size: "sd15" (about 1.07 billion weights, 4.3 GB) or "tiny".
        seed: of the weights.
    """
    settings = settings_of(size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GarmentPipeline(
            vae=AutoencoderKL(**settings["vae"]).eval(),
            text_encoder=CLIPTextModel(CLIPTextConfig(**settings["text"])).eval(),
            tokenizer=sd15_tokenizer(),
            unet=sd15_unet(layout, size).eval(),
            scheduler=DDIMScheduler(**SCHEDULER),
            pose_channels=layout.pose,
            sketch_channels=layout.sketch,
        )


def write_configurations(folder: Path, *, in_channels: int, size: str = "sd15") -> None:
    """model_index.json and config.json of each part, without weights, as diffusers' single-file reader wants them."""
    settings = settings_of(size)
    parts = {
        "unet": settings["unet"] | {"in_channels": in_channels, "_class_name": "UNet2DConditionModel"},
        "vae": settings["vae"] | {"_class_name": "AutoencoderKL"},
        "text_encoder": settings["text"] | {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model"},
    }
    for name, values in parts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "config.json").write_text(json.dumps(values) + "\n", encoding="utf-8")
