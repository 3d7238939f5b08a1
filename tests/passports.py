"""Passports for tests: flat garments over templates, nothing drawn by a model."""

from __future__ import annotations

import numpy as np

from fashiondistill.config import GROUND, GenerateConfig
from fashiondistill.data.attributes import COLOUR_BY_WORD
from fashiondistill.data.drawings import template_sketch
from fashiondistill.design import Design, DesignRequest, ScoredDesign
from fashiondistill.exports.passport import Passport

REFERENCES = tuple(f"010{n:07d}" for n in range(5))
PROMPT = 'robe d\'été, "à pois" \N{DRESS}'
MODEL = "tiny-0123456789ab"


def picture(word: str, *, stripe: str | None = None) -> np.ndarray:
    """A flat rectangle of cloth in a named colour on the ground; `stripe` colours its lower third."""
    image = np.full((512, 384, 3), GROUND, np.uint8)
    image[100:400, 90:294] = COLOUR_BY_WORD[word].rgb
    if stripe:
        image[300:400, 90:294] = COLOUR_BY_WORD[stripe].rgb
    return image


def request(*, category: str = "top5gub", prompt: str = PROMPT, seed: int = 7, repaint: bool = False) -> DesignRequest:
    mask = np.zeros((512, 384), np.float32)
    mask[200:300] = 1
    return DesignRequest(
        category,
        "2020-W10",
        prompt,
        template_sketch(category),
        image=picture("olive") if repaint else None,
        mask=mask if repaint else None,
        seed=seed,
        config=GenerateConfig(num_candidates=8, guidance_scale=2.5),
    )


def passport(rank: int = 1, *, word: str = "navy", notes: str = "", **options) -> Passport:
    design = Design(picture(word), 8 - rank if rank else 0, request(**options))
    scored = ScoredDesign(design, 0.7 - rank / 30, 1 / 3, 0.55 - rank / 50, REFERENCES[0], rank)
    return Passport(scored, MODEL, REFERENCES, notes)
