"""Stages, markdown, newness, turnover and marked weeks, of sales that were made by hand; words for next week."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week
from fashiondistill.forecast.language import checked, instruction, load_writer
from fashiondistill.forecast.t2t import t2t_score
from fashiondistill.forecast.words import describe_next_week
from fashiondistill.looks import find_looks
from fashiondistill.signals import Signal, category_shares, signals, turnover, week_marks
from tests.hm_files import UPPER, article_row, sale, write_articles, write_sales

FIRST = Week(2019, 40)
COLOURS = {"0100000001": "Black", "0100000002": "Beige", "0100000003": "White", "0100000004": "Red"}
BLACK, BEIGE, WHITE, RED = COLOURS


def make_shop(
    folder: Path, sold: dict[int, dict[str, int]], prices: dict[tuple[int, str], float] | None = None
) -> Shop:
    """Week number -> article -> units a day, seven days each."""
    write_articles(
        folder,
        [
            article_row(
                one, UPPER, product_type_name="Shirt", colour_group_name=colour, graphical_appearance_name="Solid",
                garment_group_name="Shirts",
            )
            for one, colour in COLOURS.items()
        ],
    )  # fmt: skip
    lines = []
    for number, articles in sold.items():
        monday = FIRST.shift(number).monday
        for day in range(7):
            date = monday.fromordinal(monday.toordinal() + day)
            for one, units in articles.items():
                lines += [sale(str(date), one, (prices or {}).get((number, one), 0.05))] * units
    write_sales(folder, lines)
    return Shop.open(folder)


def of(found: tuple[Signal, ...], word: str) -> Signal:
    return next(one for one in found if one.word == word)


def test_signals_of_known_sales(tmp_path: Path) -> None:
    sold = {n: {BLACK: 10, BEIGE: 1 if n < 56 else 4} for n in range(60)}
    sold[57] |= {RED: 2}
    cheap = {(n, BLACK): 0.04 for n in range(56, 60)}
    shop = make_shop(tmp_path, sold, cheap)
    week = FIRST.shift(59)
    found = signals(shop, "top5gub", "colour", week)
    beige, black, red = (of(found, word) for word in ("beige", "black", "red"))
    assert (beige.share_before, beige.stage, beige.units) == (pytest.approx(1 / 11), "rising", 4 * 7 * 4)
    assert beige.share == pytest.approx(np.mean([4 / 14, 4 / 16, 4 / 14, 4 / 14]))
    assert beige.momentum == pytest.approx(np.log(beige.share + 0.005) - np.log(1 / 11 + 0.005))
    assert black.markdown == pytest.approx(0.2) and beige.markdown == pytest.approx(0)
    assert (black.stage, black.momentum < -0.15) == ("falling", True)
    assert beige.share_last_year == pytest.approx(1 / 11) and beige.share_this_week == pytest.approx(4 / 14)
    assert (red.stage, red.new_share, beige.new_share) == ("new", 1.0, 0.0)
    assert found[0].momentum == max(one.momentum for one in found)
    # Nothing after the week is read.
    earlier = make_shop(tmp_path, {n: s for n, s in sold.items() if n <= 50})
    assert signals(earlier, "top5gub", "colour", FIRST.shift(50)) == signals(shop, "top5gub", "colour", FIRST.shift(50))


def test_stages_peak_steady_and_quiet(tmp_path: Path) -> None:
    sold = {n: {BLACK: 100 if n < 10 else 70, BEIGE: 20 if n < 10 else 50, WHITE: 1} for n in range(30)}
    found = signals(make_shop(tmp_path, sold), "top5gub", "colour", FIRST.shift(29))
    assert {one.word: one.stage for one in found} == {"beige": "peak", "black": "steady", "white": "quiet"}


def test_a_file_without_prices_knows_no_markdown(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, {n: {BLACK: 1} for n in range(9)})
    write_sales(tmp_path, [f"{FIRST.shift(n).monday},{BLACK}" for n in range(9)], header="t_dat,article_id")
    shop = Shop.open(tmp_path)
    assert signals(shop, "top5gub", "colour", FIRST.shift(8))[0].markdown is None
    with pytest.raises(ValueError, match="attribute 'price' is unknown"):
        signals(shop, "top5gub", "price", FIRST.shift(8))
    with pytest.raises(ValueError, match="has no sales"):
        signals(shop, "top5gub", "colour", FIRST.shift(20))
    assert signals(shop, "top5shoe", "colour", FIRST.shift(8)) == ()


def test_shocked_and_partial_weeks_are_marked(tmp_path: Path) -> None:
    sold = {n: {BLACK: 10} for n in range(14)}
    sold[11] = {BLACK: 2}
    shop = make_shop(tmp_path, sold)
    assert week_marks(shop) == {FIRST.shift(11).key: "shocked"}
    text = (tmp_path / "transactions_train.csv").read_text(encoding="utf-8")
    write_sales(tmp_path, [*text.splitlines()[1:], sale(str(FIRST.shift(14).monday), BLACK)])
    assert week_marks(Shop.open(tmp_path)) == {FIRST.shift(11).key: "shocked", FIRST.shift(14).key: "partial"}


def test_turnover_and_category_shares(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, {0: {BLACK: 3, BEIGE: 2}, 1: {BLACK: 3, WHITE: 2}, 3: {WHITE: 1}})
    assert turnover(shop, "top5gub").to_dict() == {FIRST.shift(1).key: 0.5}  # week 2 has no sales to compare with
    assert category_shares(shop).to_dict() == {"top5gub": {FIRST.shift(n).key: 1.0 for n in (0, 1, 3)}}


def test_description_is_linked_to_bestsellers_and_to_the_past_only(tmp_path: Path) -> None:
    sold = {n: {BLACK: 5, BEIGE: 1 + n // 3} for n in range(30)}
    shop = make_shop(tmp_path, sold)
    found = describe_next_week(shop, "top5gub", FIRST.shift(20))
    assert (found.text, found.week) == ("beige plain shirt", FIRST.shift(21).key)
    colour, pattern, noun = found.phrases
    assert (colour.words, colour.article_ids) == ("beige", (BEIGE,)) and colour.low < colour.share_next < colour.high
    assert pattern.article_ids == noun.article_ids == (BEIGE, BLACK)
    assert found.captions == ((BEIGE, "beige plain shirt"), (BLACK, "black plain shirt"))
    assert describe_next_week(shop, "top5gub", FIRST.shift(3)).text == ""  # too few weeks
    early = make_shop(tmp_path, {n: s for n, s in sold.items() if n <= 20})
    assert describe_next_week(early, "top5gub", FIRST.shift(20)) == found


def test_an_encoder_chooses_what_is_like_the_last_weeks(tmp_path: Path) -> None:
    """Last week alone would say red; four weeks say black, which sold in all of them."""
    sold = {n: {BLACK: 5, WHITE: 1} for n in range(19)} | {19: {RED: 9, BLACK: 1}}
    shop = make_shop(tmp_path, sold)
    found = describe_next_week(shop, "top5gub", FIRST.shift(19), embed=by_words)
    assert found.text == "black plain shirt" and [one.words for one in found.phrases] == ["black", "plain", "shirt"]
    assert all(one.article_ids for one in found.phrases) and found.phrases[0].share_now == pytest.approx(0.1)
    assert describe_next_week(shop, "top5gub", FIRST.shift(3), embed=by_words).text == ""


def test_looks_group_what_is_alike(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, {0: {BLACK: 5, BEIGE: 3, WHITE: 1}, 1: {BLACK: 1, RED: 3}, 2: {RED: 1}})
    looks = {BLACK: np.array([1.0, 0.0]), BEIGE: np.array([0.0, 1.0]), WHITE: np.array([0.1, 0.99])}
    found = find_looks(shop, "top5gub", looks, num_looks=2)
    dark, pale = found.look_of[BLACK], found.look_of[BEIGE]
    assert dark == "like black plain shirt" and found.look_of[WHITE] == pale != dark and RED not in found.look_of
    assert found.shares.loc[FIRST.key].to_dict() == pytest.approx({dark: 5 / 9, pale: 4 / 9})
    assert found.shares.loc[FIRST.shift(1).key, dark] == 1 and len(found.shares) == 2  # RED has no picture
    assert find_looks(shop, "top5gub", looks, num_looks=9).shares.shape == (2, 3)
    assert find_looks(shop, "top5gub", {}).look_of == {}
    with pytest.raises(ValueError, match="num_looks 0"):
        find_looks(shop, "top5gub", looks, num_looks=0)


def by_words(texts: list[str]) -> np.ndarray:
    """Bags of words as unit vectors: texts that share words are near."""
    vocabulary = sorted({word for colour in COLOURS.values() for word in [colour.lower()]} | {"plain", "shirt"})
    bags = np.array([[float(word in text.split()) for word in vocabulary] for text in texts])
    return bags / np.linalg.norm(bags, axis=1, keepdims=True)


def test_t2t_is_the_mean_over_all_items(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, {n: {BLACK: 5, BEIGE: 3} for n in range(20)})
    weeks = [FIRST.shift(n) for n in range(15, 25)]
    found = t2t_score(shop, "top5gub", weeks, by_words)
    assert found.num_weeks == 4  # there are no sales after the twentieth week
    assert found.forecast == pytest.approx(((1 + 2 / 3) / 2,) * 3)  # best of the set would be 1
    assert found.last_week[0] == pytest.approx(found.forecast[0]) and found.gain == pytest.approx((0, 0, 0))
    assert found.by_shares == found.forecast
    with pytest.raises(ValueError, match="no two complete weeks in a row"):
        t2t_score(shop, "top5gub", [FIRST.shift(40)], by_words)


def test_language_model_phrases_but_cannot_change_the_forecast(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, {n: {BLACK: 5, BEIGE: 3} for n in range(20)})
    told = describe_next_week(shop, "top5gub", FIRST.shift(15))
    assert "colour: black (62 % of units now" in instruction(told) and "- beige plain shirt" in instruction(told)
    assert checked("\n A plain black shirt.\nMore", told) == "A plain black shirt."
    with pytest.raises(ValueError, match="'A plain shirt.' lacks black: use another --language_model"):
        checked("A plain shirt.", told)
    with pytest.raises(ValueError, match="--language_model .* cannot be loaded"):
        load_writer(str(tmp_path / "nothing"))
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({"<unk>": 0, "shirt": 1}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<unk>", unk_token="<unk>")
    tokenizer.save_pretrained(tmp_path / "model")
    GPT2LMHeadModel(GPT2Config(vocab_size=2, n_embd=4, n_layer=1, n_head=1)).save_pretrained(tmp_path / "model")
    with pytest.raises(ValueError, match="lacks black, plain"):  # a random model says nothing of use, and is refused
        load_writer(str(tmp_path / "model"))(told)
