"""Where the week's suggestion comes from: each phrase leads to garments that sold, and is not trusted from the page."""

from __future__ import annotations

import pytest

from fashiondistill.config import StudioConfig
from fashiondistill.data.shop import Shop
from fashiondistill.signals import units_sold
from fashiondistill.trends import trend_prompt
from studio import callbacks, drawer, drawertexts, provenance, texts
from studio.state import StudioError
from tests.fake_engine import EMPTY, HOSTILE, FakeEngine

CATEGORY, WEEK = "top5gub", "2020-W10"


def test_each_phrase_is_a_button(tmp_path):
    context = callbacks.page_context(FakeEngine(tmp_path), CATEGORY, WEEK)
    html = provenance.phrases_html(context)
    assert html.count("<button") == len(context.phrases) == 3
    assert 'data-phrase="navy"' in html and "navy, 31 % of units: show its bestsellers" in html
    assert provenance.phrases_html(callbacks.page_context(FakeEngine(tmp_path), *EMPTY)) == ""


def test_behind_a_phrase_stand_garments_with_their_share(tmp_path):
    engine = FakeEngine(tmp_path)
    found = provenance.behind(engine, CATEGORY, WEEK, "navy")
    assert found.clicked == drawer.Clicked(CATEGORY, "colour", WEEK, "navy")
    assert found.note.startswith("Navy: 25 to 31 % of upper-body units in the four weeks before 2020-W10.")
    assert found.tiles[0].share == pytest.approx(1500 / 20_000)
    assert [one.leads for one in found.tiles] == [False, True, False, False, False]
    html = provenance.behind_html(found)
    assert "1,500 sold, 7.5 %" in html and html.count(drawertexts.LEADS) == 1 and html.count('data-take="prompt"') == 5
    assert HOSTILE not in html and "1,500 sold, 7.5 %".replace("1,500", "300").split(",")[0] in html
    assert provenance.behind(engine, CATEGORY, WEEK, "striped").note.startswith("Striped: 10 % of")  # nothing before
    taken = drawer.take(engine, found.clicked, found.tiles[0].article_id, "prompt")
    assert taken.prompt == found.tiles[0].caption


def test_what_sold_nothing_in_the_week_is_said(tmp_path, monkeypatch):
    engine = FakeEngine(tmp_path)
    monkeypatch.setattr(engine, "sold_with", lambda *_: ())
    html = provenance.behind_html(provenance.behind(engine, CATEGORY, WEEK, "navy"))
    assert drawertexts.PHRASE_NOT_SOLD in html and texts.NO_BESTSELLERS not in html


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((CATEGORY, WEEK, "lilac"), "Suggestion: 'lilac'"),
        ((CATEGORY, WEEK, None), "Suggestion: None"),
        ((CATEGORY, WEEK, ["navy"]), "is not one of its phrases"),
        (("top6", WEEK, "navy"), "top6"),
        ((CATEGORY, "2031-W01", "navy"), "2031-W01"),
    ],
)
def test_what_the_page_sends_is_checked(tmp_path, given, says):
    with pytest.raises(StudioError, match=says):
        provenance.behind(FakeEngine(tmp_path), *given)


def test_shares_of_the_bundled_shop_are_of_all_that_sold_in_the_week():
    """The articles with each word of an attribute add up to the category's units."""
    shop = Shop.open(StudioConfig().catalogue)
    week = shop.weeks[-2]
    total = units_sold(shop, CATEGORY, week)
    assert total == sum(one.units for one in shop.sold_with(CATEGORY, "colour", week, "", limit=10_000)) > 0
    for phrase in trend_prompt(shop, CATEGORY, week).phrases:
        items = shop.sold_with(CATEGORY, phrase.attribute, week, phrase.words, limit=10_000)
        assert 0 < sum(one.units for one in items) <= total
        assert {one.article_id for one in items} & set(phrase.article_ids)
