"""The Trends tab as data: every plot has axes, a sentence and a table; clicks lead to pictures."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from studio import trendboard, trendtexts
from studio.state import StudioError
from studio.trendfacts import map_points, to_plane
from tests.fake_engine import EMPTY, FakeEngine

WEEK = "2020-W10"


@pytest.fixture(scope="module")
def cards(engine: FakeEngine) -> dict[str, dict]:
    plots, _ = trendboard.board(engine, "top5gub", "colour", WEEK, [np.full((512, 384, 3), 90, np.uint8)])
    return {card["key"]: card for card in json.loads(plots)}


def test_every_plot_has_axes_a_sentence_and_a_table(cards: dict[str, dict]) -> None:
    assert cards.keys() == trendtexts.TITLES.keys()
    for key, card in cards.items():
        layout, rows = card["figure"]["layout"], list(csv.reader(io.StringIO(card["csv"])))
        assert layout["xaxis"]["title"]["text"] and card["figure"]["data"], key
        assert key == "momentum" or key == "heat" or layout["yaxis"]["title"]["text"], key
        assert card["words"].endswith((".", "!")) and len(card["words"]) > 30, key
        assert len(rows) > 4 and {len(row) for row in rows} == {len(rows[0])}, key
        assert layout["paper_bgcolor"] == "rgba(0,0,0,0)" and card["title"].startswith(trendtexts.TITLES[key])


def test_forecast_tells_its_interval_and_its_backtest(cards: dict[str, dict]) -> None:
    words = cards["forecast"]["words"]
    for part in (
        "is expected to go from",
        "With 80 % certainty that week will count",
        "(light band)",
        "(dark band)",
        "WAPE",
        "MASE",
        "than \u201clike last week\u201d",
        "light bands held",
    ):
        assert part in words
    rows = list(csv.DictReader(io.StringIO(cards["forecast"]["csv"])))
    assert {row["week"] for row in rows} == {f"2020-W{number}" for number in range(11, 19)}
    order = ("low_80", "true_low_80", "forecast", "true_high_80", "high_80")
    for row in rows:
        shares = [float(row[name]) for name in order]
        assert shares == sorted(shares)


def test_points_say_what_they_stand_for(cards: dict[str, dict]) -> None:
    for key in ("momentum", "life", "ribbon", "map"):
        for trace in cards[key]["figure"]["data"]:
            for week, word in ((row[0], row[1]) for row in trace["customdata"]):
                assert isinstance(week, str) and isinstance(word, str)
    stars = [trace for trace in cards["map"]["figure"]["data"] if trace["name"] == trendtexts.MAP_OWN]
    assert len(stars) == 1 and len(stars[0]["customdata"]) == 1


def test_a_category_without_sales_in_the_week_still_has_a_board(engine: FakeEngine) -> None:
    plots, _ = trendboard.board(engine, *EMPTY[:1], "colour", EMPTY[1], [])
    assert all(card["words"] for card in json.loads(plots))


def test_pictures_behind_a_click(engine: FakeEngine) -> None:
    title, tiles = trendboard.pictures(engine, "top5gub", "colour", WEEK, "navy")
    assert title == "Navy, 2020-W10" and len(tiles) == 5 and tiles[0].picture.startswith("data:image/jpeg")
    for given in ((None, "navy"), (WEEK, None), (WEEK, 3), ("2031-W01", "navy")):
        with pytest.raises(StudioError):
            trendboard.pictures(engine, "top5gub", "colour", *given)
    with pytest.raises(StudioError, match="unknown"):
        trendboard.board(engine, "top5gub", "price", WEEK, [])


def test_map_keeps_distances_of_flat_data_and_shows_no_later_week(engine: FakeEngine) -> None:
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(20, 2)) @ np.linalg.qr(rng.normal(size=(2, 2)))[0] @ np.eye(2, 7)
    plane = to_plane(flat)
    first, second = (np.linalg.norm(one[:, None] - one[None], axis=-1) for one in (flat, plane))
    assert first == pytest.approx(second) and np.array_equal(plane, to_plane(flat))
    assert to_plane(np.ones((1, 7))).tolist() == [[0, 0]]
    sold = {key: engine.bestsellers("top5gub", key) for key in ("2020-W01", "2020-W02")}
    looks = {item.article_id: rng.normal(size=4) for items in sold.values() for item in items}
    assert {key for point in map_points(sold, "2020-W01", looks, []) for key in point.weeks} == {"2020-W01"}
    assert map_points({}, "2020-W01", {}, []) == ()


def test_own_designs_stay_with_their_category(engine: FakeEngine) -> None:
    blouse, trousers = (np.full((512, 384, 3), grey, np.uint8) for grey in (90, 200))
    own = trendboard.keep_designs({}, "top5gub", [trousers])
    own = trendboard.keep_designs(trendboard.keep_designs(own, "top5glb", [trousers] * 3), "top5gub", [blouse])
    for category, count in (("top5gub", 1), ("top5glb", 3), ("top5shoe", 0)):
        plots, _ = trendboard.board(engine, category, "colour", WEEK, trendboard.designs_of(own, category))
        traces = next(card for card in json.loads(plots) if card["key"] == "map")["figure"]["data"]
        stars = [len(trace["customdata"]) for trace in traces if trace["name"] == trendtexts.MAP_OWN]
        assert stars == ([count] if count else [])
    assert trendboard.designs_of(own, ["top5gub"]) == []
