"""What photos tell beyond their label: sleeves from the mask, denim from the cloth, collars from the label."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fashiondistill.data.cues import DENIM_BLUE, IMPLIED, SAID, cues, is_denim, sleeve_chances, sleeve_word
from fashiondistill.data.drawings import draw_garment
from train.starter.sleeves import drawn_masks, fit


def test_sleeves_of_drawn_masks_are_told_or_nothing_is() -> None:
    told = right = 0
    for seed in range(12):
        one = draw_garment("shirt", colours=("white",), pattern="plain", seed=seed)
        word = sleeve_word(one.mask)
        told += bool(word)
        right += word == one.traits["sleeve"]
        assert word in ("", *SAID)
    assert right == told >= 8


def test_the_sides_do_not_matter() -> None:
    mask = draw_garment("shirt", colours=("white",), pattern="plain", seed=1).mask
    assert sleeve_word(mask) == sleeve_word(np.ascontiguousarray(mask[:, ::-1]))


def test_weights_can_be_learnt_again() -> None:
    features, words = drawn_masks(60, seed=2)
    weights = fit(features, words, steps=200)
    assert (sleeve_chances(features, weights).argmax(axis=1) == words).mean() > 0.9
    assert set(words.tolist()) == {0, 1, 2}


@pytest.mark.parametrize("garment", IMPLIED)
def test_labels_imply_their_collar(garment: str) -> None:
    one = draw_garment("t-shirt", colours=("red",), pattern="plain", seed=0)
    assert cues(one.image, one.mask, garment=garment, colour="red", pattern="plain")[0] == IMPLIED[garment]


def test_nothing_is_said_where_nothing_is_known() -> None:
    one = draw_garment("trousers", colours=("red",), pattern="plain", seed=0)
    assert cues(one.image, one.mask, garment="trousers", colour="red", pattern="plain") == ()
    assert cues(one.image, one.mask, garment="t-shirt", colour="blue", pattern="plain") == ()


def test_denim_is_uneven_grainy_blue() -> None:
    mask = np.zeros((512, 384), np.uint8)
    mask[60:460, 90:300] = 255
    flat = np.full((512, 384, 3), (84, 106, 138), np.uint8)
    assert not is_denim(flat, mask)
    rng = np.random.default_rng(0)
    light = np.linspace(-45, 45, 512)[:, None, None] + rng.normal(0, 9, (512, 384, 1))
    washed = np.clip(flat + light, 0, 255).astype(np.uint8)
    assert is_denim(washed, mask) and not is_denim(washed[..., ::-1].copy(), mask)  # the same in brown is no denim
    assert not is_denim(cv2.GaussianBlur(washed, (0, 0), 5), mask)
    for colour in DENIM_BLUE:
        assert cues(washed, mask, garment="shorts", colour=colour, pattern="plain") == ("denim",)
    assert cues(washed, mask, garment="shorts", colour="denim blue", pattern="striped") == ()
    assert cues(washed, mask, garment="jacket", colour="denim blue", pattern="plain") == ()
