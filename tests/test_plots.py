"""The trend plot: every share is in it once, garments have their own colours, and the chosen week is marked."""

from __future__ import annotations

import base64
import datetime
import json

import numpy as np
import pandas as pd
import pytest

from fashiondistill.data.attributes import COLOUR_BY_WORD
from studio import texts
from studio.plots import NUM_WORDS, PALETTE, shares_figure, word_colour
from tests.fake_engine import FakeEngine

KEYS = ["2019-W52", "2020-W01", "2020-W02"]


def figure_of(shares: pd.DataFrame, week: str = "2020-W01") -> dict:
    return json.loads(shares_figure(shares, week=week).to_json())


def test_shares_stack_to_a_hundred_largest_word_first():
    figure = figure_of(pd.DataFrame({"red": [0.2, 0.3, 0.1], "navy": [0.8, 0.7, 0.9]}, index=KEYS))
    assert [trace["name"] for trace in figure["data"]] == ["navy", "red"]
    heights = np.array([[0.8, 0.7, 0.9], [0.2, 0.3, 0.1]]) * 100
    for trace, expected in zip(figure["data"], heights, strict=True):
        assert trace["stackgroup"] == "shares"
        assert list(_numbers(trace["y"])) == pytest.approx(expected)
    assert figure["layout"]["yaxis"]["range"] == [0, 100]


def test_words_beyond_the_limit_are_summed_up_not_dropped(tmp_path):
    shares = FakeEngine(tmp_path).shares("top5gub", "colour")
    figure = figure_of(shares)
    assert len(shares.columns) == NUM_WORDS + 1 == len(figure["data"])
    assert figure["data"][-1]["name"] == texts.OTHER_WORDS
    total = sum(_numbers(trace["y"]) for trace in figure["data"])
    assert total == pytest.approx(np.full(len(shares), 100.0))


def test_the_chosen_week_is_marked_on_its_monday():
    shares = pd.DataFrame({"navy": [1.0, 1.0, 1.0]}, index=KEYS)
    for week, monday in (("2019-W52", "2019-12-23"), ("2020-W01", "2019-12-30")):
        layout = figure_of(shares, week)["layout"]
        assert [shape["x0"] for shape in layout["shapes"]] == [monday]
        assert [note["text"] for note in layout["annotations"]] == [week]
    days = [str(day)[:10] for day in shares_figure(shares, week="2020-W01").data[0].x]
    assert days == [str(datetime.date(2019, 12, 23) + datetime.timedelta(weeks=n)) for n in range(3)]


def test_colours_are_the_garments_own():
    assert word_colour("navy", 3) == "rgb({}, {}, {})".format(*COLOUR_BY_WORD["navy"].rgb)
    assert word_colour("hoodie", 1) == PALETTE[1] and word_colour("hoodie", 1 + len(PALETTE)) == PALETTE[1]


def test_grounds_are_clear_so_that_dark_pages_stay_dark():
    layout = figure_of(pd.DataFrame({"navy": [1.0, 1.0, 1.0]}, index=KEYS))["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"


def test_missing_shares_count_as_nothing_sold():
    figure = figure_of(pd.DataFrame({"navy": [1.0, np.nan, 0.5], "red": [np.nan, np.nan, 0.5]}, index=KEYS))
    assert list(_numbers(figure["data"][0]["y"])) == [100, 0, 50]


def test_a_category_that_never_sold_gives_an_empty_plot():
    figure = figure_of(pd.DataFrame(index=pd.Index([], dtype="str")))
    assert figure["data"] == [] and figure["layout"]["annotations"][0]["text"] == "2020-W01"


def _numbers(value: dict | list) -> np.ndarray:
    """Plotly writes arrays of numbers as base64."""
    if isinstance(value, list):
        return np.array(value, float)
    return np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"]).astype(float)
