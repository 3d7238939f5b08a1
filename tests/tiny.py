"""Tiny real models for the tests: the classes, files and folders of the bundle with a few channels and random weights.

In: a seed, or a folder to write. Out: a `GarmentPipeline`, or a pipeline folder with clip/ and manifest.json. A picture
of two steps takes a tenth of a second, and looks like noise; what is drawn from the same seed is the same.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import open_clip
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from fashiondistill.config import CatalogueConfig, GenerateConfig
from fashiondistill.data.attributes import COLOURS
from fashiondistill.data.catalogue import make_catalogue
from fashiondistill.data.drawings import TEMPLATES, draw_garment, template_sketch
from fashiondistill.data.shop import Shop
from fashiondistill.design import Design, DesignRequest
from fashiondistill.diffusion.checkpoints import write_manifest
from fashiondistill.diffusion.conditioning import ChannelLayout
from fashiondistill.diffusion.pipeline import GarmentPipeline
from train.starter.clip import save_clip
from train.starter.pipelines import sampling_scheduler
from train.starter.tokens import MAX_LENGTH, train_tokenizer

TEXT_WIDTH = 16
CATEGORY, WEEK = "top5gub", "2020-W10"
CAPTION = "navy and white striped t-shirt, short sleeves"
FAST = GenerateConfig(num_candidates=2, num_inference_steps=2)


@cache
def tokenizer() -> CLIPTokenizer:
    """A real vocabulary of the word lists and one caption."""
    return train_tokenizer([CAPTION], vocab_size=900)


def vae(latent_channels: int = 4) -> AutoencoderKL:
    """8 x smaller, as the starter's."""
    model = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 8, 8),
        layers_per_block=1,
        latent_channels=latent_channels,
        norm_num_groups=2,
        mid_block_add_attention=False,
        sample_size=64,
    )
    with torch.no_grad():
        model.decoder.conv_out.weight.mul_(4)  # random weights give pale pictures; these use the whole range
    return model


def unet(layout: ChannelLayout) -> UNet2DConditionModel:
    """Two levels with cross-attention in both."""
    return UNet2DConditionModel(
        sample_size=(64 // layout.fold, 48 // layout.fold),
        in_channels=layout.in_channels,
        out_channels=layout.out_channels,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=2,
        norm_num_groups=4,
    )


def text_encoder() -> CLIPTextModel:
    """One layer over `tokenizer`."""
    words = tokenizer()
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(words),
            hidden_size=TEXT_WIDTH,
            intermediate_size=2 * TEXT_WIDTH,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=MAX_LENGTH,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
            initializer_factor=20.0,  # or the words would hardly move a random UNet
        )
    )


def pipeline(
    *,
    seed: int = 0,
    fold: int = 2,
    pose: int = 0,
    sketch: int = 1,
    latent_channels: int = 4,
    mask_from_outline: bool = False,
) -> GarmentPipeline:
    """A whole pipeline in float32; the same seed gives the same weights."""
    layout = ChannelLayout(latents=latent_channels, masked_image=latent_channels, pose=pose, sketch=sketch, fold=fold)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = GarmentPipeline(
            vae=vae(latent_channels).eval(),
            text_encoder=text_encoder().eval(),
            tokenizer=tokenizer(),
            unet=unet(layout).eval(),
            scheduler=sampling_scheduler(),
            fold=fold,
            pose_channels=pose,
            sketch_channels=sketch,
            mask_from_outline=mask_from_outline,
        )
    made.set_progress_bar_config(disable=True)
    return made


def clip_config() -> dict:
    """open_clip's model_cfg of a tower with two blocks of a few channels, of the starter's class (timm)."""
    return {
        "embed_dim": 8,
        "vision_cfg": {
            "timm_model_name": "test_byobnet",
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
            "image_size": [64, 48],
        },
        "text_cfg": {
            "context_length": MAX_LENGTH,
            "vocab_size": len(tokenizer()),
            "width": TEXT_WIDTH,
            "heads": 2,
            "layers": 1,
        },
    }


def save_clip_folder(folder: Path, *, seed: int = 0) -> None:
    """open_clip_config.json, open_clip_model.safetensors and tokenizer/, written as the training stage writes them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = open_clip.CLIP(**clip_config()).eval()
    save_clip(model, clip_config(), tokenizer(), folder)


def save_model(folder: Path, *, seed: int = 0) -> Path:
    """A pipeline folder with fp16 weights, clip/ and manifest.json, as the bundle is; returns it."""
    pipeline(seed=seed).to(dtype=torch.float16).save_pretrained(folder, safe_serialization=True)
    save_clip_folder(folder / "clip", seed=seed)
    write_manifest(folder)
    return folder


def save_catalogue(folder: Path, *, category: str = CATEGORY, week: str = WEEK) -> Path:
    """A made-up catalogue with pictures of one category's bestsellers in one week; returns it."""
    make_catalogue(CatalogueConfig(num_transactions=3000, num_customers=60, articles_per_category=8, seed=3), folder)
    for number, item in enumerate(Shop.open(folder).bestsellers(category, week)):
        colour = COLOURS[number * 5].word
        drawn = draw_garment(TEMPLATES[category], colours=(colour,), pattern="plain", seed=number)
        item.image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(drawn.image).save(item.image, quality=90)
    return folder


def request(**changes: object) -> DesignRequest:
    """A request for two candidates in two steps."""
    fields = {
        "category": CATEGORY,
        "week": WEEK,
        "prompt": CAPTION,
        "sketch": template_sketch(CATEGORY),
        "seed": 3,
        "config": FAST,
    }
    return DesignRequest(**(fields | changes))


def designs(made: GarmentPipeline, asked: DesignRequest) -> list[Design]:
    """The candidates of a request, in the order they were drawn."""
    return [event for event in made.stream(asked) if isinstance(event, Design)]


def picture(kind: str = "t-shirt", *, seed: int = 0, colours: tuple[str, ...] = ("red",)) -> np.ndarray:
    """uint8 [512, 384, 3]: a drawn garment."""
    return draw_garment(kind, colours=colours, pattern="plain", seed=seed).image
