"""How far a judge CLIP can be trusted: what it reads in real photos of senders that it has not seen.

In: a `ClipScorer` and records with their pictures. Out: figures with intervals: recall@1, and how often it names
the measured colour and pattern. The words that it is compared with were measured by `data.measure`, not by a person: a
judge that sees better than the measure loses points here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fashiondistill.data.attributes import COLOURS, PATTERNS
from fashiondistill.data.vitonhd import ArticleRecord, read_article
from fashiondistill.scoring import ClipScorer
from train.starter.figures import Figure, mean_of_shares, share
from train.starter.sheets import cell, sheet

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


@dataclass(frozen=True)
class Reading:
    """What a judge sees in one photo, beside the words that were measured."""

    record: ArticleRecord
    colour: str
    pattern: str

    @property
    def right(self) -> tuple[bool, bool]:
        """Whether colour and pattern are the measured ones."""
        return self.colour == self.record.colours[0], self.pattern == self.record.pattern


def read_judge(scorer: ClipScorer, root: Path, records: list[ArticleRecord]) -> tuple[dict[str, Figure], list[Reading]]:
    """Figures of a judge over real photos, and what it saw in each.

    Returns:
        recall@1 with all `records` as the pool; the share whose dominant colour (of 31) and pattern (of 5) it names;
        the pattern also per pattern and as the mean over patterns, since most garments are plain.

    Raises:
        ValueError: if there is no photo to read.
    """
    if not records:
        raise ValueError("--dataset_path holds no photos of the split that the judge is read on. Run prepare on more.")
    pictures = (read_article(root, record).image for record in tqdm(records, desc="judge reads photos"))
    embeddings = np.concatenate([scorer.embed_images([one]) for one in pictures])
    garments = [record.garment for record in records]
    colours = choose_word(scorer, embeddings, garments, COLOUR_WORDS)
    patterns = choose_word(scorer, embeddings, garments, PATTERN_WORDS)
    readings = [Reading(*one) for one in zip(records, colours, patterns, strict=True)]
    hits = recall_hits(scorer, embeddings, [record.caption for record in records])
    right = np.array([one.right for one in readings])
    figures = {name: share(values) for name, values in hits.items()}
    figures |= {"names_colour": share(right[:, 0]), "names_pattern": share(right[:, 1])}
    own, groups = np.array([record.pattern for record in records]), []
    for word in PATTERN_WORDS:
        if (own == word).any():
            groups.append(right[own == word, 1])
            figures[f"names_pattern_{word}"] = share(groups[-1])
    figures["names_pattern_mean_over_patterns"] = mean_of_shares(groups)
    return figures, readings


def reading_sheet(root: Path, readings: list[Reading]) -> np.ndarray:
    """Photos with the measured words and, where the judge sees others, its own."""
    cells = []
    for one in readings:
        record, right = one.record, all(one.right)
        text = [
            f"{record.colours[0]} {record.pattern} {record.garment}",
            "" if right else f"{one.colour} {one.pattern}",
        ]
        cells.append(cell(read_article(root, record).image, text, right=right))
    return sheet(cells, columns=8)
