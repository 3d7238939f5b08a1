"""python -m train.starter.sleeves: learn the sleeve weights of `data.cues` from masks of drawn garments.

In: nothing but seeds. Out: sleeves.safetensors (3 KiB). Softmax regression on the features of `cues`, full batch, on
the CPU; a drawn mask's sleeves are known by construction. About half a minute on one core.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tqdm import tqdm

from fashiondistill.cli import add_flags, config_from
from fashiondistill.config import SleevesConfig
from fashiondistill.data.cues import SLEEVE_WEIGHTS, SLEEVE_WORDS, sleeve_chances, sleeve_features
from fashiondistill.data.vector.kinds import KINDS
from fashiondistill.data.vector.laying import laid_down, place
from fashiondistill.data.vector.render import mask_of

SOURCES = (
    "shirt", "shirt", "dress", "dress", "shirt dress", "blouse", "t-shirt", "long-sleeved top", "tank top", "top",
)  # fmt: skip
WORD_OF_TRAIT = {"short sleeves": 1, "long sleeves": 2, "three-quarter sleeves": 2}  # all others are sleeveless
STEPS, DECAY = 800, 0.02


def drawn_masks(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features [number, 110] and indices of `SLEEVE_WORDS` [number] of drawn garments."""
    rng, features, words = np.random.default_rng(seed), [], []
    for index in tqdm(range(number), desc="drawing masks", unit="mask"):
        made = KINDS[SOURCES[index % len(SOURCES)]]
        traits = {name: str(rng.choice(values)) for name, values in made.traits.items()} | dict(made.fixed)
        figure, _ = place(laid_down(made.build(traits, rng), rng))
        features.append(sleeve_features(mask_of(figure)))
        words.append(WORD_OF_TRAIT.get(traits["sleeve"], 0))
    return np.array(features), np.array(words)


def fit(features: np.ndarray, words: np.ndarray, *, steps: int = STEPS) -> dict[str, np.ndarray]:
    """Softmax regression with weight decay by gradient descent with momentum; float32 arrays for `sleeve_chances`."""
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-3
    mean[0], spread[0] = 0, 1  # the constant
    weights = {"mean": mean, "spread": spread, "map": np.zeros((features.shape[1], len(SLEEVE_WORDS)))}
    speed, truth = np.zeros_like(weights["map"]), np.eye(len(SLEEVE_WORDS))[words]
    for _ in range(steps):
        wrong = sleeve_chances(features, weights) - truth
        slope = ((features - mean) / spread).T @ wrong / len(features) + DECAY * weights["map"]
        speed = 0.9 * speed + slope
        weights["map"] = weights["map"] - 0.05 * speed
    return {name: values.astype(np.float32) for name, values in weights.items()}


def main(argv: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m train.starter.sleeves", description=__doc__.splitlines()[0])
    add_flags(parser, SleevesConfig)
    config = config_from(parser.parse_args(argv), SleevesConfig)
    weights = fit(*drawn_masks(config.num_masks, seed=0))
    features, words = drawn_masks(200, seed=1)
    right = float((sleeve_chances(features, weights).argmax(axis=1) == words).mean())
    save_file(weights, Path(config.out) / SLEEVE_WEIGHTS)
    print(f"right on {100 * right:.1f} % of 200 other drawn masks; {Path(config.out) / SLEEVE_WEIGHTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
