"""What a photo's mask and colours tell beyond its label: length of the sleeves, denim, collars that the label implies.

In: picture, mask, label's noun, measured colours and pattern. Out: phrases for the caption. Only what was right on at
least 80 % of photos that were looked at is said (docs/LOG.md has the counts); the rest is left out. The sleeve weights
were learnt from masks of drawn garments, whose sleeves are known (train/starter/sleeves.py). Knows nothing of folders.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from safetensors.numpy import load_file

from fashiondistill.config import ASSETS

SLEEVE_WEIGHTS = "sleeves.safetensors"
SLEEVE_WORDS = ("sleeveless", "short sleeves", "long sleeves")
SURE = 0.85  # probability below which nothing is said
SAID = ("short sleeves", "long sleeves")  # "sleeveless" was right in 12 of 20 only
ASKED_OF = ("shirt", "dress", "blouse")  # labels that do not tell the sleeves
GRID = 24  # the mask's box is looked at in GRID x GRID cells
IMPLIED = {"shirt": "collar", "polo shirt": "polo collar", "hoodie": "hooded"}  # of "blazers" 4 of 10 had no lapels

DENIM_OF = ("trousers", "shorts", "skirt")  # of jackets named denim one in seven was
DENIM_SPREAD, DENIM_GRAIN = 18.0, 1.25  # lightness between its 5 and 95 %, and its standard deviation below 1.2 pixels
DENIM_BLUE = ("denim blue", "blue")  # of navy ones 9 of 13 were
DENIM_B = (-33.0, 0.0)  # CIELAB b; dyed jersey is bluer


def cues(image: np.ndarray, mask: np.ndarray, *, garment: str, colour: str, pattern: str) -> tuple[str, ...]:
    """Phrases that hold for the photo, most certain first; none if nothing can be told.

    Args:
        image: uint8 [512, 384, 3] RGB, placed as `placing` does.
        mask: uint8 [512, 384], 255 = garment.
        garment: noun of `categories.PHOTO_LABELS`.
        colour: the dominant colour's word.
        pattern: word of `attributes.PATTERNS`.
    """
    found = [IMPLIED.get(garment, "")]
    if garment in ASKED_OF:
        found.append(sleeve_word(mask))
    if garment in DENIM_OF and pattern in ("plain", "printed") and colour in DENIM_BLUE:
        found.append("denim" if is_denim(image, mask) else "")
    return tuple(words for words in found if words)


def sleeve_word(mask: np.ndarray) -> str:
    """One of `SAID`, or "" if the mask does not tell."""
    chances = sleeve_chances(sleeve_features(mask)[None])[0]
    word = SLEEVE_WORDS[int(np.argmax(chances))]
    return word if chances.max() >= SURE and word in SAID else ""


def sleeve_features(mask: np.ndarray) -> np.ndarray:
    """float64 [110]: aspect, row and column sums, extents and lower outer cells of the mask's box, left-right mean."""
    left, top, width, height = cv2.boundingRect(mask)
    part = (mask[top : top + height, left : left + width] > 0).astype(np.uint8) * 255
    cells = cv2.resize(part, (GRID, GRID), interpolation=cv2.INTER_AREA) / 255.0
    half = ((cells + cells[:, ::-1]) / 2)[:, : GRID // 2]
    reached = half > 0.3
    extent = np.where(reached.any(axis=1), GRID // 2 - np.argmax(reached, axis=1), 0) / (GRID // 2)
    sums = [[1.0, np.log(height / width)], half.sum(axis=1) / (GRID // 2), half.sum(axis=0) / GRID]
    return np.concatenate([*sums, extent, half[8:20, :4].reshape(-1)])


def sleeve_chances(features: np.ndarray, weights: dict[str, np.ndarray] | None = None) -> np.ndarray:
    """Probabilities [N, 3] of `SLEEVE_WORDS` for features [N, 110]; softmax of a linear map."""
    weights = _weights() if weights is None else weights
    scores = (features - weights["mean"]) / weights["spread"] @ weights["map"]
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    return chances / chances.sum(axis=1, keepdims=True)


@cache
def _weights() -> dict[str, np.ndarray]:
    return load_file(ASSETS / SLEEVE_WEIGHTS)


def is_denim(image: np.ndarray, mask: np.ndarray) -> bool:
    """Blue cloth that is washed unevenly and has a visible grain."""
    inside = cv2.erode((mask > 0).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    if inside.sum() < 2000:
        return False
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lightness = lab[..., 0]
    low, high = np.percentile(cv2.GaussianBlur(lightness, (0, 0), 4)[inside], (5, 95))
    grain = float((lightness - cv2.GaussianBlur(lightness, (0, 0), 1.2))[inside].std())
    least, most = DENIM_B
    return bool(high - low > DENIM_SPREAD and grain > DENIM_GRAIN and least < lab[..., 2][inside].mean() < most)
