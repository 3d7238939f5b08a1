"""Optional models for product shots: who masks, who sketches and who describes, loaded from a folder or the hub.

In: `ProductShotConfig`. Out: functions that `data.products` takes, and `prepare_shot`, which a worker process can be
given. Without options nothing is loaded. A package, folder or hub entry that is missing is one error with its remedy;
weights come as safetensors, except PiDiNet's, which were published as .pth and are read without running code
(torch >= 2.6 loads weights only).
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch
import torch.nn.functional as F
from transformers import (
    AutoImageProcessor,
    AutoModelForImageTextToText,
    AutoModelForSemanticSegmentation,
    AutoProcessor,
)

from fashiondistill.config import ProductShotConfig
from fashiondistill.data.captions import first_sentence
from fashiondistill.data.lines import draw_lines
from fashiondistill.data.masks import GarmentMask, garment_mask, rembg_mask
from fashiondistill.data.products import Draw, ProductShot, Segment, prepare_product_shot
from fashiondistill.data.studiomasks import studio_mask

# Category -> class names of clothes segmenters (mattmdjaga/segformer_b2_clothes, 18 classes of ATR), in lower case.
# They know no underwear: what is worn there counts.
_WORN = ("upper-clothes", "dress", "skirt", "pants")
CLASSES_OF_CATEGORY = {
    "top5gub": ("upper-clothes",),
    "top5glb": ("skirt", "pants"),
    "top5gfb": _WORN,
    "top5underwear": _WORN,
    "top5shoe": ("left-shoe", "right-shoe", "shoe", "shoes"),
    "top5acc": ("hat", "sunglasses", "belt", "bag", "scarf"),
}
QUESTION = "Describe this garment in one short sentence: kind, colour, pattern, cut."
MAX_NEW_TOKENS = 48
PIDINET_FILE = "table5_pidinet.pth"


def prepare_shot(image: np.ndarray, category: str, config: ProductShotConfig) -> ProductShot:
    """`prepare_product_shot` as `config` says; models are loaded once in each process.

    Raises:
        ShotRejected: with the reason.
        ValueError, ImportError: if a model cannot be loaded.
    """
    return prepare_product_shot(
        image,
        category,
        min_score=config.min_shot_score,
        segment=load_segmenter(config.segmenter, config.segmenter_model),
        draw=load_sketcher(config.sketcher, config.sketcher_model),
        keep_picture=config.keep_picture,
    )


@cache
def load_segmenter(name: str, model: str) -> Segment:
    """Who cuts the garment out, by the names of `ProductShotConfig.segmenter`."""
    if name == "transformers":
        return _clothes_segmenter(model)
    if name == "rembg":
        return lambda image, category: rembg_mask(image, model)
    return studio_mask if name == "ground" else lambda image, category: garment_mask(image)


@cache
def load_sketcher(name: str, model: str) -> Draw:
    """Who draws, by the names of `ProductShotConfig.sketcher`."""
    return _pidinet(model) if name == "pidinet" else draw_lines


@cache
def load_captioner(model: str):  # noqa: ANN201 - picture -> sentence
    """A captioning model: uint8 [H, W, 3] -> one sentence.

    Args:
        model: folder or hub id of an image-to-text model of transformers: BLIP and its like, or one that chats.

    Raises:
        ValueError: if it cannot be loaded.
    """
    processor = _loaded(AutoProcessor, "captioner_model", model)
    network = _loaded(AutoModelForImageTextToText, "captioner_model", model, use_safetensors=True)
    network = network.to(_device()).eval()
    return partial(_describe, processor, network)


@torch.no_grad()
def _describe(processor, network: torch.nn.Module, image: np.ndarray) -> str:  # noqa: ANN001 - a processor of any model
    if processor.chat_template is None:
        inputs, prompt_length = processor(images=image, return_tensors="pt"), 0
    else:
        turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}
        prompt = processor.apply_chat_template([turn], add_generation_prompt=True)
        inputs = processor(images=image, text=prompt, return_tensors="pt")
        prompt_length = inputs["input_ids"].shape[1]
    ids = network.generate(**inputs.to(network.device), max_new_tokens=MAX_NEW_TOKENS, do_sample=False)
    return first_sentence(processor.batch_decode(ids[:, prompt_length:], skip_special_tokens=True)[0])


def _clothes_segmenter(model: str) -> Segment:
    processor = _loaded(AutoImageProcessor, "segmenter_model", model)
    network = _loaded(AutoModelForSemanticSegmentation, "segmenter_model", model, use_safetensors=True)
    names = {int(number): label.lower() for number, label in network.config.id2label.items()}
    classes = {
        category: [number for number, label in names.items() if label in wanted]
        for category, wanted in CLASSES_OF_CATEGORY.items()
    }
    if not any(classes.values()):
        raise ValueError(
            f"--segmenter_model {model} is not usable: its classes ({', '.join(sorted(names.values())[:8])}) name no "
            "clothes. Choose a model for clothes, for example mattmdjaga/segformer_b2_clothes."
        )
    return partial(_segment_clothes, processor, network.to(_device()).eval(), classes, model)


@torch.no_grad()
def _segment_clothes(
    processor,  # noqa: ANN001 - an image processor of any model
    network: torch.nn.Module,
    classes: dict[str, list[int]],
    model: str,
    image: np.ndarray,
    category: str,
) -> GarmentMask:
    """The score is the mean probability of the category inside its own mask."""
    wanted = classes[category]
    if not wanted:
        raise ValueError(f"--segmenter_model {model} is not usable for {category}: it knows none of its classes.")
    inputs = processor(images=image, return_tensors="pt").to(network.device)
    logits = F.interpolate(network(**inputs).logits, image.shape[:2], mode="bilinear", align_corners=False)
    probability = logits.softmax(dim=1)[0, wanted].sum(dim=0).cpu().numpy()
    mask = probability > 0.5
    score = float(probability[mask].mean()) if mask.any() else 0.0
    return GarmentMask(mask.astype(np.uint8) * 255, score, "the segmentation model is not sure")


def _pidinet(model: str) -> Draw:
    try:
        from controlnet_aux.pidi import PidiNetDetector  # optional; who does not ask for it needs no package
    except ImportError as error:
        raise ImportError("--sketcher pidinet needs the package controlnet_aux: pip install controlnet_aux") from error
    try:
        detector = PidiNetDetector.from_pretrained(model, filename=PIDINET_FILE).to(_device())
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ValueError(_not_loaded("sketcher_model", model, error, f"that holds {PIDINET_FILE}")) from error
    return partial(_draw_with, detector)


def _draw_with(detector, picture: np.ndarray, mask: np.ndarray) -> np.ndarray:  # noqa: ANN001 - PidiNetDetector
    """Edges inside the garment and along its outline, bright on black, uint8 [512, 384]."""
    short = min(picture.shape[:2])
    edges = detector(picture, detect_resolution=short, image_resolution=short, output_type="np")[..., 0]
    near = F.max_pool2d(torch.from_numpy((mask > 0).astype(np.float32))[None, None], 9, 1, 4)[0, 0].numpy() > 0
    return np.where(near, edges, 0).astype(np.uint8)


def _loaded(kind, flag: str, model: str, **options):  # noqa: ANN001, ANN003, ANN202 - one of transformers' Auto classes
    try:
        return kind.from_pretrained(model, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(_not_loaded(flag, model, error, "of a transformers model with safetensors weights")) from error


def _not_loaded(flag: str, model: str, error: BaseException, what: str) -> str:
    reason = " ".join(str(error).split())[:200]
    return f"--{flag} {model} cannot be loaded ({reason}). Give a folder or hub id {what}, or leave the option out."


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"
