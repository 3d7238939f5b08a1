"""How far a judge CLIP can be trusted: what it reads in real photos of senders that it has not seen.

In: a `ClipScorer` and records with their pictures. Out: figures with intervals: recall@1, and how often it names
the measured colour and pattern. The words that it is compared with were measured by `data.measure`, not by a person: a
judge that sees better than the measure loses points here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from fashiondistill.data.attributes import COLOURS, PATTERNS
from fashiondistill.data.vitonhd import ArticleRecord, read_article
from fashiondistill.scoring import ClipScorer
from train.starter.figures import Figure, figure

COLOUR_WORDS = tuple(colour.word for colour in COLOURS)
PATTERN_WORDS = tuple(PATTERNS)


def choose_word(scorer: ClipScorer, embeddings: np.ndarray, garments: list[str], words: tuple[str, ...]) -> list[str]:
    """For each normalised embedding [N, D] the word that fits best before its garment's noun: "striped" + "t-shirt"."""
    chosen = []
    texts = {noun: scorer.embed_texts([f"{word} {noun}" for word in words]) for noun in dict.fromkeys(garments)}
    for embedding, noun in zip(embeddings, garments, strict=True):
        chosen.append(words[int((texts[noun] @ embedding).argmax())])
    return chosen


def recall_hits(scorer: ClipScorer, embeddings: np.ndarray, captions: list[str]) -> dict[str, np.ndarray]:
    """Whether the best match has the right caption (1 or 0), both ways; equal captions match one another."""
    similarity = embeddings @ scorer.embed_texts(captions).T
    names = np.array(captions)
    return {
        "recall_at_1_image_to_text": (names[similarity.argmax(1)] == names).astype(float),
        "recall_at_1_text_to_image": (names[similarity.argmax(0)] == names).astype(float),
    }


def read_judge(scorer: ClipScorer, root: Path, records: list[ArticleRecord]) -> dict[str, Figure]:
    """Figures of a judge over real photos.

    Returns:
        recall@1 with all `records` as the pool; the share whose dominant colour (of 31) and pattern (of 5) it names;
        the pattern also per pattern and as the mean over patterns, since most garments are plain.

    Raises:
        ValueError: if there is no photo to read.
    """
    if not records:
        raise ValueError("--dataset_path holds no photos of the split that the judge is read on. Run prepare on more.")
    seen = [
        scorer.embed_images([read_article(root, record).image])[0]
        for record in tqdm(records, desc="judge reads photos")
    ]
    embeddings, garments = np.stack(seen), [record.garment for record in records]
    rows = recall_hits(scorer, embeddings, [record.caption for record in records])
    colours = choose_word(scorer, embeddings, garments, COLOUR_WORDS)
    patterns = choose_word(scorer, embeddings, garments, PATTERN_WORDS)
    rows["names_colour"] = np.array([w == r.colours[0] for w, r in zip(colours, records, strict=True)], float)
    right = np.array([w == r.pattern for w, r in zip(patterns, records, strict=True)], float)
    rows["names_pattern"] = right
    own = np.array([record.pattern for record in records])
    shares = []
    for word in PATTERN_WORDS:
        if (own == word).any():
            rows[f"names_pattern_{word}"] = right[own == word]
            shares.append(right[own == word].mean())
    result = {name: figure(values) for name, values in rows.items()}
    result["names_pattern_mean_over_patterns"] = figure(shares)
    return result
