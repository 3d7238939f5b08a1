"""Words that are offered beside the prompt: those that the model reads, with the week's trend; input is checked."""

from __future__ import annotations

import pytest
import transformers

from fashiondistill.config import ASSETS, StudioConfig
from fashiondistill.data.attributes import COLOURS, PATTERNS
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.vocabulary import details_of
from studio import words, wordtexts
from studio.engine import DesignEngine
from studio.state import StudioError
from tests.fake_engine import FakeEngine

TOP, WEEK = "top5gub", "2020-W10"


def test_words_are_offered_with_what_rises_and_falls(tmp_path):
    html = words.words_html(FakeEngine(tmp_path), TOP, WEEK)
    assert html.count('data-word="colour:') == len(COLOURS) and html.count('data-word="pattern:') == len(PATTERNS)
    assert 'data-word="colour:navy" data-trend="rising" aria-label="navy, rising"' in html
    assert 'data-word="colour:red" data-trend="falling" aria-label="red, falling"' in html
    assert 'data-word="colour:white" aria-label="white"' in html  # steady
    assert html.count("data-trend") == 3 and wordtexts.LEGEND in html
    assert 'data-word="detail:crew neck"' in html and "boat neck" not in html  # the model does not read that one


def test_the_bundled_model_is_offered_only_words_that_its_vocabulary_has_whole():
    class Reader(FakeEngine):
        reads = DesignEngine.reads

    reader = Reader(ASSETS)
    reader.pipeline = type("Pipeline", (), {})()
    reader.pipeline.tokenizer = transformers.CLIPTokenizer.from_pretrained(ASSETS / "starter" / "tokenizer")
    assert all(reader.reads(one) for one in (*(colour.word for colour in COLOURS), *PATTERNS))
    offered = {one.words for one in words.details_read(reader, TOP)}
    assert {"short sleeves", "long sleeves", "sleeveless", "regular fit"} <= offered
    assert not offered & {"puffer", "double-breasted", "mock neck"}  # of drawings that it was not trained on
    assert offered < {one.words for one in details_of(TOP)}


def test_a_word_goes_into_the_prompt():
    assert words.put("navy plain shirt", TOP, "colour:red", also=False) == "red plain shirt"
    assert words.put("navy plain shirt", TOP, "colour:red", also=True) == "navy and red plain shirt"
    for key in ("colour:mauve", "detail:high waist", "mood:red", "red", "", None, ["colour:red"]):
        with pytest.raises(StudioError, match="^Prompt: .* is none of the words"):
            words.put("shirt", TOP, key, also=False)
    with pytest.raises(StudioError, match="none of the words"):
        words.put(None, TOP, "colour:red", also=False)
    with pytest.raises(StudioError, match="top6"):
        words.put("shirt", "top6", "colour:red", also=False)


@pytest.mark.parametrize("colour", COLOURS, ids=lambda one: one.word)
def test_a_colour_becomes_its_nearest_word(colour):
    picked = words.pick("plain shirt", TOP, "#{:02X}{:02x}{:02x}".format(*colour.rgb), also=False)
    assert picked.prompt == f"{colour.word} plain shirt" and picked.swatch == "rgb({} {} {})".format(*colour.rgb)


def test_what_the_palette_did_is_said():
    picked = words.pick("navy shirt", TOP, "#252c45", also=False)
    assert picked.prompt == "navy shirt"  # not taken away, though it is there
    assert picked.words == "#252c45: the nearest word that the model knows is navy. It reads words, not colours."
    for colour in ("navy", "#12345", "#1234567", "#gggggg", "", None, 7):
        with pytest.raises(StudioError, match="^Palette: .* is no colour"):
            words.pick("shirt", TOP, colour, also=False)


def test_marks_follow_the_prompt():
    assert words.marks("Navy and white striped shirt, long sleeves", TOP) == (
        ["colour:navy", "colour:white", "pattern:striped", "detail:long sleeves"],
        "shirt",
    )
    assert words.marks(None, TOP) == ([], "t-shirt")  # the template's


def test_every_category_has_words(tmp_path):
    engine = FakeEngine(tmp_path, config=StudioConfig())
    for one in CATEGORIES:
        html = words.words_html(engine, one.folder, WEEK)
        assert html.count("<button") > len(COLOURS) + len(PATTERNS) and html.count("<details") == 1
