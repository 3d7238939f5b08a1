"""Captions of H&M's rows: the template, what says nothing, what is missing, and CLIP's 77 tokens as CLIP counts."""

from __future__ import annotations

import json
from pathlib import Path

import open_clip
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fashiondistill.config import STARTER
from fashiondistill.data.assortment import read_articles
from fashiondistill.data.captions import article_caption, caption_text, first_sentence, fit_caption
from fashiondistill.data.tokens import MAX_TOKENS, count_clip_tokens, token_counter
from tests.tiny import save_catalogue

TEXTS = st.text(alphabet=st.sampled_from("abcdefgh ABC.,;!?'\"-/%3é水\n"), max_size=400)


def row(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "detail_desc": "T-shirt in soft cotton jersey with a round neckline. Straight cut.",
        "colour_group_name": "Dark Blue",
        "graphical_appearance_name": "Stripe",
        "product_type_name": "T-shirt",
        "product_group_name": "Garment Upper body",
    }
    return fields | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["T-shirt in soft cotton jersey with a round neckline.", "Dark blue, stripe.", "T-shirt."]),
        ({"graphical_appearance_name": "Solid"}, [None, "Dark blue.", None]),
        ({"graphical_appearance_name": "Unknown", "colour_group_name": "Other"}, [None, "", None]),
        ({"colour_group_name": "Other Blue"}, [None, "Blue, stripe.", None]),
        ({"graphical_appearance_name": "Other pattern"}, [None, "Dark blue, pattern.", None]),
        ({"detail_desc": None}, ["T-shirt.", "Dark blue, stripe.", "T-shirt."]),
        ({"detail_desc": float("nan")}, ["T-shirt.", None, None]),
        ({"detail_desc": "  "}, ["T-shirt.", None, None]),
        ({"product_type_name": "Unknown"}, [None, None, "Upper body garment."]),
        ({"product_type_name": "Hat/beanie", "product_group_name": "Accessories"}, [None, None, "Hat."]),
        ({"product_type_name": "Other shoe"}, [None, None, "Shoe."]),
        # Underwear, hosiery and sets: H&M's own word for them, no other.
        ({"product_type_name": "Underwear bottom"}, [None, None, "Underwear bottom."]),
        ({"product_type_name": "Leggings/Tights"}, [None, None, "Leggings."]),
        ({"product_type_name": "Garment Set"}, [None, None, "Garment set."]),
    ],
)  # fmt: skip
def test_template(changes: dict[str, object], expected: list[str | None]) -> None:
    caption = article_caption(row(**changes))
    assert [e is None or c == e for c, e in zip(caption, expected, strict=True)] == [True] * 3, caption


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Bra with max. support. Lined cups.", "Bra with max. support."),
        ("Length approx. 30 cm. Lined.", "Length approx. 30 cm."),
        ("Heel 1.5 cm high. Rubber sole.", "Heel 1.5 cm high."),
        ("Top in lace! Short sleeves.", "Top in lace!"),
        ("Socks, e.g. for boots", "Socks, e.g. for boots"),
        ("First line\nSecond line.", "First line"),
        ("\n\n  Dress in   viscose (50%). Lined.", "Dress in viscose (50%)."),
        ("T-shirt with a print \"Hello.\" Round neck.", 'T-shirt with a print "Hello."'),
        ("", ""),
        ("...", "..."),
    ],
)  # fmt: skip
def test_first_sentence(text: str, first: str) -> None:
    assert first_sentence(text) == first


def test_a_model_s_sentence_replaces_the_shop_s() -> None:
    caption = article_caption(row(), style="a blue  striped shirt")
    assert caption == ["A blue striped shirt.", "Dark blue, stripe.", "T-shirt."]


def test_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="lacks column colour_group_name"):
        article_caption({name: value for name, value in row().items() if name != "colour_group_name"})


def test_text_of_a_published_caption_has_no_double_stop() -> None:
    parts = ["Sleek, modern leather belt with silver buckle.", "Leather, black.", "Hold pants up."]
    assert caption_text(parts) == "Sleek, modern leather belt with silver buckle. Leather, black. Hold pants up."
    assert caption_text(["T-shirt.", "", "t-shirt"]) == "T-shirt." and caption_text(["", " "]) == ""


def test_one_part_alone_stays_without_a_stop() -> None:
    assert caption_text(["navy plain t-shirt"]) == "navy plain t-shirt"
    assert caption_text(["Navy t-shirt."]) == "Navy t-shirt." and caption_text(["A", "b"]) == "A. b."


def test_long_description_is_cut_at_a_word_and_the_rest_stays() -> None:
    caption = article_caption(row(detail_desc="Top with " + "ribbed cuffs and hem and " * 40))
    assert caption[1:] == ["Dark blue, stripe.", "T-shirt."]
    assert caption[0].endswith(("ribbed.", "cuffs.", "hem."))  # not "and."
    assert MAX_TOKENS - 8 <= count_clip_tokens(caption_text(caption)) <= MAX_TOKENS


@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(2, MAX_TOKENS))
def test_every_caption_fits(parts: list[str], limit: int) -> None:
    fitted = fit_caption(parts, limit=limit)
    assert len(fitted) == len(parts) and count_clip_tokens(caption_text(fitted)) <= limit
    if count_clip_tokens(caption_text(parts)) <= limit:
        assert fitted == parts


@given(TEXTS, TEXTS)
def test_every_row_has_three_strings_that_fit(description: str, colour: str) -> None:
    caption = article_caption(row(detail_desc=description, colour_group_name=colour))
    assert len(caption) == 3 and caption[0] and caption[2] == "T-shirt."
    assert count_clip_tokens(caption_text(caption)) <= MAX_TOKENS


def test_counts_are_those_of_open_clip() -> None:
    reference = open_clip.SimpleTokenizer()
    texts = ["V-neck t-shirt's 12 cm, 60% wool; it's 1,234.56", "café crêpe – wöol", "水着 👗!!  x", "", "a" * 200]
    assert [count_clip_tokens(text) for text in texts] == [len(reference.encode(text)) + 2 for text in texts]


def test_other_vocabularies_count_otherwise(tmp_path: Path) -> None:
    text = "navy and white striped t-shirt, short sleeves"
    count = token_counter(STARTER / "tokenizer")
    assert len(text.split()) <= count(text) < 30 and count("peplum") > count_clip_tokens("peplum")
    with pytest.raises(FileNotFoundError, match=r"nowhere.* does not exist"):
        token_counter(tmp_path / "nowhere")
    for broken in ("no json", "[]", json.dumps({"model": {}})):
        (tmp_path / "tokenizer.json").write_text(broken, encoding="utf-8")
        with pytest.raises(ValueError, match=r"tokenizer\.json is no tokenizer\.json with a vocabulary"):
            token_counter(tmp_path)


def test_every_article_of_a_catalogue_gets_a_caption(tmp_path: Path) -> None:
    articles = read_articles(save_catalogue(tmp_path)).frame
    captions = [article_caption(values) for values in articles.iter_rows(named=True)]
    assert len(captions) == articles.height
    assert all(caption[0].endswith(".") and caption[2] for caption in captions)
