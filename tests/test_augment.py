"""Recoloured and mirrored copies: their captions change with the picture."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from fashiondistill.data.tokens import MAX_TOKENS, count_clip_tokens
from fashiondistill.data.vitonhd import ArticleRecord
from train.starter.augment import (
    METALS,
    Change,
    ColourMaps,
    caption_of,
    changes_of,
    details_of,
    draw_colour_maps,
    draw_mirrored,
    mirrored_words,
    move,
    recoloured_words,
)

NECKLACE = ArticleRecord(
    article_id="0900000001", split="train", category="top5acc", week="undated", garment="necklace",
    caption="red plain necklace, pendant, left side, gold", colours=("red",), colour_rgb=((190, 40, 46),),
    pattern="plain", source="drawing", sender="drawing", score=1.0,
)  # fmt: skip
LETTERS = dataclasses.replace(NECKLACE, caption="red and white printed t-shirt, crew neck, letter print")


def test_left_and_right_change_places_as_words_only() -> None:
    assert mirrored_words("left chest pocket, right sleeve") == "right chest pocket, left sleeve"
    assert mirrored_words("bright leftover") == "bright leftover"


def test_details_follow_the_change() -> None:
    assert details_of(NECKLACE, Change()) == ("pendant", "left side", "gold")
    assert details_of(NECKLACE, Change(mirrored=True)) == ("pendant", "right side", "gold")
    assert details_of(NECKLACE, Change(recoloured=True)) == ("pendant", "left side")


def test_colour_words_are_those_of_the_changed_picture() -> None:
    generator = torch.Generator().manual_seed(3)
    records = [NECKLACE] * 40
    maps = draw_colour_maps(records, generator, share=0.5)
    words = recoloured_words(records, maps)
    for changed, (word,) in zip(maps.changed, words, strict=True):
        assert changed or word == "red"
    assert 10 < sum(maps.changed) < 30 and len({word for (word,) in words}) > 5
    told = [
        caption_of(record, word, 0.1, change)
        for record, word, change in zip(
            records, words, changes_of(maps, torch.zeros(40, dtype=torch.bool)), strict=True
        )
    ]
    for changed, (word,), caption in zip(maps.changed, words, told, strict=True):
        assert caption.startswith(f"{word} plain necklace, pendant")
        assert changed != any(caption.endswith(metal) for metal in METALS)


@pytest.mark.parametrize("variant", [n / 40 for n in range(40)])
def test_every_way_to_say_it_names_the_garment_and_nothing_false(variant: float) -> None:
    caption = caption_of(NECKLACE, ["blue"], variant, Change(recoloured=True, mirrored=True))
    assert "necklace" in caption and "gold" not in caption and "red" not in caption and "left" not in caption
    assert count_clip_tokens(caption) <= MAX_TOKENS


def test_half_are_mirrored_but_no_lettering() -> None:
    generator = torch.Generator().manual_seed(0)
    mirrored = draw_mirrored([NECKLACE, LETTERS] * 100, generator)
    assert 30 < mirrored[::2].sum() < 70 and mirrored[1::2].sum() == 0


def test_move_mirrors_what_it_is_told_to() -> None:
    picture = torch.zeros(2, 1, 64, 48)
    picture[:, :, 20:40, 4:14] = 1
    mirrored = torch.tensor([True, False])
    (moved,) = move(
        [picture], [0.0], torch.Generator().manual_seed(0), mirrored=mirrored, max_shift=0.0, scale=(1.0, 1.0)
    )
    assert torch.allclose(moved[0], picture[0].flip(-1), atol=1e-4) and torch.allclose(moved[1], picture[1], atol=1e-4)


def test_an_unchanged_map_is_known_as_such() -> None:
    maps = ColourMaps(torch.eye(3).repeat(2, 1, 1), torch.tensor([[0.0, 0, 0], [0.1, 0, 0]]))
    assert maps.changed == [False, True]
