"""Sales per day -> the weekly bestsellers: weeks, ties, rankings, and the same result as plain pandas."""

from __future__ import annotations

import datetime
import random
from pathlib import Path

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.bestsellers import COLUMNS, ENGINES, ours, reference
from fashiondistill.config import CatalogueConfig
from fashiondistill.data import bestsellers
from fashiondistill.data.assortment import place_articles, read_articles
from fashiondistill.data.bestsellers import (
    UNKNOWN_ARTICLE,
    Ranking,
    SalesByWeek,
    sales_by_week,
    weekly_bestsellers,
    weekly_units_and_days,
)
from fashiondistill.data.catalogue import make_catalogue
from fashiondistill.data.sales import open_sales
from fashiondistill.data.weeks import WeekCalendar
from tests.hm_files import LOWER, SHOES, UPPER, article_row, sale, write_articles, write_sales

ISO_WEEKS = WeekCalendar()
UNITS = Ranking(top_k=5, rank_by="units", dedupe="article")
SALES = [
    ("2019-12-29", "0108775015"),
    ("2019-12-30", "0108775015"),
    ("2019-12-30", "0108775015"),  # a repeated row is a second unit
    ("2020-01-05", "0108775044"),
    ("2020-12-31", "0108775044"),
    ("2021-01-03", "0108775044"),
]


def units_frame(rows: list[tuple[str, str, int, float]]) -> pl.DataFrame:
    types = {"week": pl.String, "article_id": pl.String, "units": pl.Int64, "revenue": pl.Float64}
    return pl.DataFrame(rows, schema=types, orient="row")


def articles_frame(groups: dict[str, str], **changes: object) -> pl.DataFrame:
    return pl.DataFrame([article_row(article, group, **changes) for article, group in groups.items()])


def ranked(folder: Path, ranking: Ranking = UNITS, calendar: WeekCalendar = ISO_WEEKS) -> SalesByWeek:
    articles = read_articles(folder).frame
    with open_sales(folder) as sales:
        return sales_by_week(sales, articles, place_articles(articles), calendar=calendar, ranking=ranking)


def test_weeks_are_iso_weeks_and_repeated_rows_are_units(tmp_path: Path) -> None:
    write_sales(tmp_path, [sale(*row) for row in SALES])
    units, days, source = weekly_units_and_days(tmp_path)
    assert units.drop("revenue").rows() == [
        ("2019-W52", "0108775015", 1),
        ("2020-W01", "0108775015", 2),
        ("2020-W01", "0108775044", 1),
        ("2020-W53", "0108775044", 2),
    ]
    assert units["revenue"].to_list() == [0.05, 0.1, 0.05, 0.1]
    assert days == {"2019-W52": 1, "2020-W01": 2, "2020-W53": 2}  # days with sales, of all articles
    assert (source.num_rows, source.bad_rows) == (6, ())


def test_ties_go_to_revenue_then_to_the_lower_id_in_any_order_of_rows() -> None:
    articles = articles_frame({f"01{n:08d}": SHOES for n in range(8)})
    rows = [("2020-W07", f"01{n:08d}", 3 if n else 1, 9.0 if n == 6 else 1.0) for n in range(8)]
    rows.append(("2020-W08", "0100000000", 2, 1.0))
    expected = [("top5shoe", "2020-W07", n + 1, f"01{i:08d}", 3) for n, i in enumerate((6, 1, 2, 3, 4))]
    expected.append(("top5shoe", "2020-W08", 1, "0100000000", 2))
    for seed in range(5):
        shuffled = units_frame(random.Random(seed).sample(rows, len(rows)))
        found = weekly_bestsellers(shuffled, articles.sample(fraction=1.0, shuffle=True, seed=seed), ranking=UNITS)
        assert found.drop("revenue").rows() == expected
        assert found.columns == ["category", "week", "rank", "article_id", "units", "revenue"]


def test_revenue_is_another_ranking() -> None:
    articles = articles_frame({f"01{n:08d}": SHOES for n in range(4)})
    rows = [("2020-W07", f"01{n:08d}", units, revenue) for n, (units, revenue) in enumerate(
        [(9, 1.0), (3, 5.0), (4, 5.0), (1, 7.0)]
    )]  # fmt: skip
    found = weekly_bestsellers(units_frame(rows), articles, ranking=Ranking(3, "revenue", "article"))
    assert [int(article) - 10**8 for article in found["article_id"]] == [3, 2, 1]
    found = weekly_bestsellers(units_frame(rows), articles, ranking=Ranking(3, "units", "article"))
    assert [int(article) - 10**8 for article in found["article_id"]] == [0, 2, 1]


def test_a_design_takes_one_place_when_colourways_are_put_together() -> None:
    ids = ["0100000001", "0100000002", "0100000003", "0200000001", "0300000001", "0300000002"]
    articles = articles_frame(dict.fromkeys(ids, UPPER))
    rows = [("2020-W07", article, units, 1.0) for article, units in zip(ids, (9, 8, 7, 6, 2, 3), strict=True)]
    found = weekly_bestsellers(units_frame(rows), articles, ranking=Ranking(5, "units", "product"))
    assert found.select("rank", "article_id", "units").rows() == [
        (1, "0100000001", 9), (2, "0200000001", 6), (3, "0300000002", 3),
    ]  # fmt: skip


def test_every_group_is_ranked_by_itself_and_others_are_ignored() -> None:
    articles = articles_frame({"0100000001": UPPER, "0100000002": "Underwear", "0100000003": "Swimwear"})
    units = units_frame([("2020-W07", f"010000000{n}", n, 1.0) for n in (1, 2, 3)])
    assert weekly_bestsellers(units, articles, ranking=UNITS).select("category", "rank", "article_id").rows() == [
        ("top5gub", 1, "0100000001"),
        ("top5underwear", 1, "0100000002"),
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0, "units", "article"), "top_k 0"),
        ((5, "margin", "article"), "rank_by 'margin'.*units, revenue"),
        ((5, "units", "colour"), "dedupe 'colour'.*article, product"),
    ],
)
def test_bad_rankings_are_refused(values: tuple, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Ranking(*values)


def test_every_row_is_ranked_or_left_out_with_a_reason(tmp_path: Path) -> None:
    write_articles(
        tmp_path,
        [
            article_row("0100000001", LOWER, garment_group_name="Trousers"),
            article_row("0100000002", LOWER, garment_group_name="Socks and Tights"),
            article_row("0100000003", "Swimwear"),
            article_row("0100000004", SHOES),
        ],
    )
    sold = ["0100000001", "0100000002", "0100000002", "0100000003", "0999999999", "0999999998", "0999999998"]
    write_sales(tmp_path, [sale("2020-01-01", article) for article in sold])
    found = ranked(tmp_path)
    assert found.bestsellers["article_id"].to_list() == ["0100000001"]
    assert found.left_out.rows() == [
        (UNKNOWN_ARTICLE, 3, 2),
        ("hosiery (garment group Socks and Tights)", 2, 1),
        ("product group Swimwear is none of the six categories", 1, 1),
    ]
    assert found.totals.rows() == [("top5glb", "2020-W01", 1, 0.05, 1)]


@pytest.mark.parametrize(
    ("group", "garment_group", "fault"),
    [
        ("Garment Upper body", "Jersey Fancy", ""),
        ("Underwear", "Under-, Nightwear", ""),
        ("Garment Full body", "Dressed", ""),  # a garment set
        ("Garment Lower body", "Trousers", ""),
        ("Garment Lower body", "Socks and Tights", "hosiery (garment group Socks and Tights)"),
        ("Socks & Tights", "Socks and Tights", "product group Socks & Tights is none of the six categories"),
        ("", "", "product group  is none of the six categories"),
        ("Swimwear", "Swimwear", "product group Swimwear is none of the six categories"),
    ],
)
def test_what_has_a_place_in_the_data_set(group: str, garment_group: str, fault: str) -> None:
    placed = place_articles(pl.DataFrame([article_row("0100000001", group, garment_group_name=garment_group)]))
    assert (placed["left_out"][0] or "") == fault


def test_first_and_last_week_are_partial_if_the_data_does_not_cover_them(tmp_path: Path) -> None:
    write_articles(tmp_path, [article_row("0100000001")])
    days = [datetime.date(2018, 9, 20) + datetime.timedelta(days=number) for number in range(734)]
    write_sales(tmp_path, [sale(str(day), "0100000001") for day in days if day.weekday() != 6])
    iso = ranked(tmp_path).weeks
    assert len(iso) == 106
    assert [(w.week.key, w.days) for w in iso if w.partial] == [("2018-W38", 3), ("2020-W39", 2)]
    assert {w.days for w in iso if not w.partial} == {6}  # closed on Sundays is no partial week
    kaggle = ranked(tmp_path, calendar=WeekCalendar.ending(days[-1])).weeks
    assert len(kaggle) == 105
    assert [(w.week.key, w.days) for w in kaggle if w.partial] == [("2018-W38", 5)]


def test_revenue_needs_prices(tmp_path: Path) -> None:
    write_articles(tmp_path, [article_row("0100000001")])
    write_sales(tmp_path, ["2020-01-01,0100000001"], header="t_dat,article_id")
    assert ranked(tmp_path).bestsellers["revenue"].to_list() == [0.0]
    with pytest.raises(ValueError, match="--rank_by revenue: .*has no column price"):
        ranked(tmp_path, Ranking(5, "revenue", "article"))


def test_sums_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_articles(tmp_path, [article_row("0100000001")])
    write_sales(tmp_path, [sale("2020-01-01", "0100000001", 99_000_000)] * 1000)
    with pytest.raises(ValueError, match="a price of 99000000 is too large"):
        ranked(tmp_path)


def test_a_few_weeks_at_a_time_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_catalogue(CatalogueConfig(3000, 50, 12, seed=5), tmp_path)
    whole = ranked(tmp_path, Ranking(3, "revenue", "product"))
    monkeypatch.setattr(bestsellers, "CHUNK_ROWS", 100)
    parts = ranked(tmp_path, Ranking(3, "revenue", "product"))
    assert parts.bestsellers.equals(whole.bestsellers) and parts.totals.equals(whole.totals)
    assert parts.left_out.equals(whole.left_out) and parts.weeks == whole.weeks


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    make_catalogue(CatalogueConfig(40_000, 300, 200, seed=3), folder)
    return folder


@pytest.mark.parametrize("engine", [name for name in ENGINES if "DuckDB" not in name])
def test_every_engine_of_the_benchmark_agrees_with_pandas(shop: Path, tmp_path: Path, engine: str) -> None:
    pd.testing.assert_frame_equal(ENGINES[engine](shop, tmp_path), reference(shop), check_dtype=False)


ROWS = st.lists(
    st.tuples(
        st.dates(datetime.date(2018, 12, 20), datetime.date(2021, 1, 12)),
        st.integers(0, 11),
        st.sampled_from([0.0, 0.0101694915, 0.0508305085, 0.3]),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=25, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_pandas_agrees_and_order_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[datetime.date, int, float]], rng: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("ties")
    groups = (UPPER, LOWER, SHOES, "Swimwear")
    write_articles(folder, [article_row(f"010000{n // 3}00{n % 3}", groups[n % 4]) for n in range(12)])
    lines = [sale(str(day), f"010000{n // 3}00{n % 3}", price) for day, n, price in rows]
    write_sales(folder, lines)
    found = ours(folder, None)
    expected = reference(folder)
    assert found.to_dict("list") == expected.to_dict("list")
    rng.shuffle(lines)
    write_sales(folder, lines)
    for ranking in (UNITS, Ranking(2, "revenue", "product"), Ranking(1, "units", "product")):
        before = _brute_force(rows, groups, ranking)
        assert ranked(folder, ranking).bestsellers.select("category", "week", "rank", "article_id").rows() == before
    assert ours(folder, None)[COLUMNS].equals(found)


def _brute_force(
    rows: list[tuple[datetime.date, int, float]], groups: tuple[str, ...], ranking: Ranking
) -> list[tuple]:
    """The ranking in plain Python."""
    folders = {UPPER: "top5gub", LOWER: "top5glb", SHOES: "top5shoe"}
    sums: dict[tuple[str, str], dict[int, list[int]]] = {}
    for day, n, price in rows:
        group = groups[n % 4]
        if group in folders:
            iso = day.isocalendar()
            of_week = sums.setdefault((folders[group], f"{iso.year}-W{iso.week:02d}"), {})
            units, revenue = of_week.get(n, [0, 0])
            of_week[n] = [units + 1, revenue + round(price * 10**8)]
    result = []
    for (folder, week), articles in sorted(sums.items()):
        order = (0, 1) if ranking.rank_by == "units" else (1, 0)
        best = sorted(articles, key=lambda n: (*(-articles[n][place] for place in order), n))
        if ranking.dedupe == "product":
            best = [n for place, n in enumerate(best) if n // 3 not in {m // 3 for m in best[:place]}]
        for rank, n in enumerate(best[: ranking.top_k], start=1):
            result.append((folder, week, rank, f"010000{n // 3}00{n % 3}"))
    return result
