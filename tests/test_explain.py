"""Why a design has its rank: phrases, near copies, strokes followed."""

from __future__ import annotations

import numpy as np
import pytest

from fashiondistill.adherence import REACH
from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.design import Design, DesignRequest, ScoredDesign
from fashiondistill.explain import MAX_PHRASES, MIN_KNOWN, KnownGarments, explain, phrases_of


class Axes:
    """A scorer whose space is known: a picture is its mean colour, a phrase its first letter's axis."""

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        return np.stack([np.eye(3)["rgb".index(text[0])] for text in texts])

    def embed_images(self, images: list[np.ndarray]) -> np.ndarray:
        means = np.stack([image.mean(axis=(0, 1)) for image in images]).astype(np.float64)
        return means / np.linalg.norm(means, axis=1, keepdims=True)


def design(rgb: tuple[int, int, int], *, column: int = 200, prompt: str = "red green bag") -> ScoredDesign:
    """A flat picture with one dark column, asked for by a sketch with strokes at columns 100 and 200."""
    sketch = np.zeros((IMAGE_HEIGHT, IMAGE_WIDTH), np.float32)
    sketch[50:450, [100, 200]] = 1
    image = np.full((IMAGE_HEIGHT, IMAGE_WIDTH, 3), rgb, np.uint8)
    image[:, column : column + 3] = 0
    request = DesignRequest("top5acc", "2020-W10", prompt, sketch)
    return ScoredDesign(Design(image, 0, request), 0.1, 0.2, 0.15, "0100000001", 1)


def told_of(designs: list[ScoredDesign], known: KnownGarments) -> tuple:
    looks = Axes().embed_images([one.design.image for one in designs]) if designs else np.zeros((0, 3))
    return explain(designs, looks, Axes(), known)


@pytest.mark.parametrize(
    ("prompt", "phrases"),
    [
        ("navy striped t-shirt with long sleeves", ("navy", "striped", "t-shirt", "long sleeves")),
        ("Light blue, plain jeans and a belt", ("Light blue", "plain", "jeans", "a belt")),
        ("handbag", ("handbag",)),
        ("red, red; red", ("red",)),
        (" , ", ()),
        (", ".join("abcdefghijkl"), tuple("abcdefgh")),
    ],
)
def test_a_prompt_comes_apart_at_colours_patterns_and_joints(prompt, phrases):
    assert phrases_of(prompt) == phrases and len(phrases) <= MAX_PHRASES


def test_every_phrase_is_scored_with_every_picture():
    red, green = told_of([design((200, 0, 0)), design((0, 200, 0))], KnownGarments.of({}))
    assert [phrase for phrase, _ in red.phrases] == ["red", "green", "bag"]
    assert [round(score, 3) for _, score in red.phrases] == [1, 0, 0]
    assert [round(score, 3) for _, score in green.phrases] == [0, 1, 0]
    assert (red.closest_article_id, red.near_copy) == ("", False)


def test_strokes_are_followed_where_an_edge_is_near():
    (told,) = told_of([design((200, 200, 200), column=200 + REACH - 1)], KnownGarments.of({}))
    assert told.followed[:, 200].any() and not told.followed[:, 100].any() and told.missed[:, 100].any()
    assert told.stroke_share == pytest.approx(0.5) and not (told.followed & told.missed).any()


def test_a_near_copy_is_nearer_than_known_garments_are_to_each_other():
    angles = np.linspace(0, np.pi / 2, 12)
    spread = {f"{k:010d}": np.array([np.cos(a), np.sin(a), 0.0]) for k, a in enumerate(angles)}
    known = KnownGarments.of(spread)
    assert known.near_copy_above == pytest.approx(np.cos(angles[1] - angles[0]))
    copy, other = told_of([design((255, 0, 0)), design((0, 0, 255))], known)
    assert (copy.closest_article_id, copy.near_copy) == ("0000000000", True)
    assert copy.closest_similarity == pytest.approx(1) and not other.near_copy
    few = KnownGarments.of(dict(list(spread.items())[: MIN_KNOWN - 1]))
    assert few.near_copy_above is None and not told_of([design((255, 0, 0))], few)[0].near_copy


def test_nothing_to_explain():
    assert told_of([], KnownGarments.of({})) == ()
