"""H&M's files -> weekly units and bestsellers: the traps of the format, and bad input."""

from __future__ import annotations

import datetime
import random
from pathlib import Path

import polars as pl
import pytest

from fashiondistill.data.bestsellers import (
    ARTICLE_COLUMNS,
    read_articles,
    weekly_bestsellers,
    weekly_units,
    weekly_units_and_days,
)

SALES = [
    ("2019-12-29", "0108775015"),
    ("2019-12-30", "0108775015"),
    ("2019-12-30", "0108775015"),  # a repeated row is a second unit
    ("2020-01-05", "0108775044"),
    ("2020-12-31", "0108775044"),
    ("2021-01-03", "0108775044"),
]


def write_sales(folder: Path, rows: list[tuple[str, str]] = SALES, *, header: str = "") -> None:
    lines = [header or "t_dat,customer_id,article_id,price,sales_channel_id"]
    lines += [f"{day},{'ab' * 32},{article},0.0508,2" for day, article in rows]
    (folder / "transactions_train.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_articles(folder: Path, groups: dict[str, str], *, without: tuple[str, ...] = ()) -> None:
    numbers = {name: 7 for name in ARTICLE_COLUMNS if name.endswith(("_no", "_id", "_code"))}
    rows = [
        {name: numbers.get(name, "a, b") for name in ARTICLE_COLUMNS}
        | {"article_id": article, "product_code": article[:7], "index_code": "A", "product_group_name": group}
        for article, group in groups.items()
    ]
    pl.DataFrame(rows).drop(without).write_csv(folder / "articles.csv")


def units_frame(rows: list[tuple[str, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"week": pl.String, "article_id": pl.String, "units": pl.Int64}, orient="row")


def articles_frame(groups: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame({"article_id": list(groups), "product_group_name": list(groups.values())})


def test_weeks_are_iso_weeks_and_repeated_rows_are_units(tmp_path: Path) -> None:
    write_sales(tmp_path)
    assert weekly_units(tmp_path).rows() == [
        ("2019-W52", "0108775015", 1),
        ("2020-W01", "0108775015", 2),
        ("2020-W01", "0108775044", 1),
        ("2020-W53", "0108775044", 2),
    ]


def test_days_with_sales_are_counted_across_articles(tmp_path: Path) -> None:
    write_sales(tmp_path)
    assert weekly_units_and_days(tmp_path)[1] == {"2019-W52": 1, "2020-W01": 2, "2020-W53": 2}


def test_lost_leading_zeros_come_back(tmp_path: Path) -> None:
    write_sales(tmp_path, [("2020-01-01", "108775015"), ("2020-01-01", "0108775015")])
    assert weekly_units(tmp_path).rows() == [("2020-W01", "0108775015", 2)]
    write_articles(tmp_path, {"108775015": "Shoes"})
    frame = read_articles(tmp_path)
    assert frame["article_id"].to_list() == ["0108775015"]
    assert frame.columns == list(ARTICLE_COLUMNS) and len(ARTICLE_COLUMNS) == 25


@pytest.mark.parametrize("dates_as", [pl.Date, pl.String])
@pytest.mark.parametrize("ids_as", [pl.Int64, pl.String])
def test_parquet_of_any_types_gives_the_same(tmp_path: Path, dates_as: type, ids_as: type) -> None:
    write_sales(tmp_path)
    expected = weekly_units(tmp_path)
    days = pl.Series("t_dat", [datetime.date.fromisoformat(day) for day, _ in SALES]).cast(dates_as)
    frame = pl.DataFrame([days, pl.Series("article_id", [article for _, article in SALES]).cast(ids_as)])
    frame.write_parquet(tmp_path / "transactions_train.parquet")
    (tmp_path / "transactions_train.csv").unlink()
    assert weekly_units(tmp_path).equals(expected)


def test_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    write_sales(tmp_path)
    expected = weekly_units(tmp_path)
    write_sales(tmp_path, random.Random(3).sample(SALES, len(SALES)))
    assert weekly_units(tmp_path).equals(expected)


def test_ties_go_to_the_lower_id_in_any_order_of_rows() -> None:
    articles = articles_frame({f"01{n:08d}": "Shoes" for n in range(8)})
    rows = [("2020-W07", f"01{n:08d}", 3 if n else 1) for n in range(8)] + [("2020-W08", "0100000000", 2)]
    expected = [("top5shoe", "2020-W07", n, f"01{n:08d}", 3) for n in range(1, 6)]
    expected.append(("top5shoe", "2020-W08", 1, "0100000000", 2))
    for seed in range(5):
        shuffled = units_frame(random.Random(seed).sample(rows, len(rows)))
        found = weekly_bestsellers(shuffled, articles.sample(fraction=1.0, shuffle=True, seed=seed))
        assert found.rows() == expected
        assert found.columns == ["category", "week", "rank", "article_id", "units"]


def test_every_group_is_ranked_by_itself_and_others_are_ignored() -> None:
    articles = articles_frame({"0100000001": "Garment Upper body", "0100000002": "Underwear", "0100000003": "Swimwear"})
    units = units_frame([("2020-W07", f"010000000{n}", n) for n in (1, 2, 3)])
    assert weekly_bestsellers(units, articles).select("category", "rank", "article_id").rows() == [
        ("top5gub", 1, "0100000001"),
        ("top5underwear", 1, "0100000002"),
    ]
    with pytest.raises(ValueError, match="top_k 0"):
        weekly_bestsellers(units, articles, top_k=0)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"articles\.csv does not exist: give a folder"):
        read_articles(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"transactions_train\.csv does not exist.*give a folder"):
        weekly_units(tmp_path)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    write_articles(tmp_path, {"0108775015": "Shoes"}, without=("colour_group_name", "detail_desc"))
    with pytest.raises(ValueError, match=r"articles\.csv lacks column colour_group_name, detail_desc:"):
        read_articles(tmp_path)
    write_sales(tmp_path, header="date,customer_id,article_id,price,sales_channel_id")
    with pytest.raises(ValueError, match=r"transactions_train\.csv lacks column t_dat:"):
        weekly_units(tmp_path)


def test_bad_dates_and_ids_are_named(tmp_path: Path) -> None:
    write_sales(tmp_path, [("01/02/2020", "0108775015")])
    with pytest.raises(ValueError, match="01/02/2020.*YYYY-MM-DD"):
        weekly_units(tmp_path)
    write_articles(tmp_path, {"01087750155": "Shoes"})
    with pytest.raises(ValueError, match="article_id '01087750155'"):
        read_articles(tmp_path)
    write_articles(tmp_path, {"108775015": "Shoes", "0108775015": "Shoes"})
    with pytest.raises(ValueError, match="0108775015 is in .* more than once"):
        read_articles(tmp_path)
