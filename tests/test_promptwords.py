"""Words of captions in a prompt: found whole, put where captions have them, one of each kind."""

from __future__ import annotations

import pytest

from fashiondistill.data.attributes import COLOUR_BY_WORD
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.drawings import draw_garment
from fashiondistill.data.vector.kinds import KINDS
from fashiondistill.data.vocabulary import details_of, find_words, garments_of
from studio.promptwords import garment_in, present, put_word

TOP = "top5gub"


@pytest.mark.parametrize(
    ("prompt", "kind", "word", "becomes"),
    [
        ("navy plain t-shirt", "colour", "red", "red plain t-shirt"),
        ("light blue plain t-shirt", "colour", "blue", "blue plain t-shirt"),
        ("navy and white striped t-shirt", "colour", "red", "red striped t-shirt"),
        ("navy and white striped t-shirt", "colour", "white", "navy striped t-shirt"),  # there: taken away
        ("navy and white striped t-shirt", "colour", "navy", "white striped t-shirt"),
        ("Navy shirt", "colour", "navy", "shirt"),
        ("navy shirt with a white collar", "colour", "red", "red shirt with a white collar"),
        ("navy shirt with white", "colour", "white", "navy shirt"),
        ("linen shirt", "colour", "red", "red linen shirt"),
        ("", "colour", "red", "red"),
        ("navy plain shirt", "pattern", "striped", "navy striped shirt"),
        ("navy and white shirt", "pattern", "striped", "navy and white striped shirt"),
        ("shirt", "pattern", "checked", "checked shirt"),
        ("navy checked shirt", "pattern", "checked", "navy shirt"),
        ("navy shirt", "detail", "long sleeves", "navy shirt, long sleeves"),
        ("navy shirt, long sleeves, slim fit", "detail", "short sleeves", "navy shirt, short sleeves, slim fit"),
        ("navy shirt, long sleeves, slim fit", "detail", "long sleeves", "navy shirt, slim fit"),
        ("navy shirt, slim fit.", "detail", "collar", "navy shirt, slim fit, collar"),
        ("polo collar shirt", "detail", "collar", "collar shirt"),
    ],
)
def test_a_word_takes_the_place_of_its_kind(prompt, kind, word, becomes):
    assert put_word(prompt, kind, word, category=TOP) == becomes


def test_a_second_colour_is_asked_for():
    one = put_word("navy plain shirt", "colour", "white", category=TOP, also=True)
    assert one == "navy and white plain shirt"
    assert put_word(one, "colour", "red", category=TOP, also=True) == "navy and red plain shirt"  # captions have two
    assert put_word("shirt", "colour", "red", category=TOP, also=True) == "red shirt"
    assert put_word("red shirt", "colour", "red", category=TOP, keep=True) == "red shirt"


def test_what_is_of_no_list_is_refused():
    for kind, word in (("colour", "mauve"), ("detail", "high waist"), ("mood", "happy"), ("pattern", "")):
        with pytest.raises(ValueError, match=f"{kind} '{word}' is unknown"):
            put_word("shirt", kind, word, category=TOP)


def test_every_word_can_be_put_found_and_taken_away():
    for category in CATEGORIES:
        noun = garments_of(category.folder)[0]
        words = [("colour", one) for one in COLOUR_BY_WORD]
        words += [("detail", one.words) for one in details_of(category.folder)]
        for kind, word in words:
            put = put_word(noun, kind, word, category=category.folder)
            assert f"{kind}:{word}" in present(put, category.folder), put
            assert put_word(put, kind, word, category=category.folder) == noun


def test_words_are_found_whole():
    assert [one.words for one in find_words("Light blue and BLUE t-shirt", COLOUR_BY_WORD)] == ["light blue", "blue"]
    assert present("long-sleeved top, denim blue", TOP) == ("colour:denim blue",)
    assert find_words("red", ()) == ()
    assert present("skirt, long", "top5glb") == ("detail:long",) and present("long sleeves", "top5glb") == ()


@pytest.mark.parametrize(
    ("prompt", "garment"),
    [("a navy t-shirt", "t-shirt"), ("shirts", "t-shirt"), ("denim jacket", "denim jacket"), ("", "t-shirt")],
)
def test_the_garment_of_a_prompt(prompt, garment):
    assert garment_in(prompt, TOP) == garment


def test_details_are_those_of_the_captions():
    """What a drawing's caption says, but for print and cloth, is among the details of its kind."""
    for noun in ("t-shirt", "skirt", "dress", "briefs"):
        known = {one.words for one in details_of(KINDS[noun].category) if noun in one.garments}
        for seed in range(4):
            drawn = draw_garment(noun, colours=("navy",), pattern="plain", seed=seed)
            said = [one for one in drawn.details if one in known]
            assert said and drawn.caption.endswith(", ".join(drawn.details))
            traits = [value for name, value in drawn.traits.items() if name in KINDS[noun].said and value]
            assert len(said) >= len(traits) - 1
