"""The made-up catalogue: H&M's exact layout, the same bytes for the same seed, and shares as announced."""

from __future__ import annotations

import csv
import dataclasses
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fashiondistill.config import CatalogueConfig
from fashiondistill.data import salesrows
from fashiondistill.data.articles import ArticleSpec, make_specs
from fashiondistill.data.assortment import ARTICLE_COLUMNS
from fashiondistill.data.catalogue import main, make_catalogue
from fashiondistill.data.categories import CATEGORIES, CATEGORY_OF_GROUP
from fashiondistill.data.demand import Truth
from fashiondistill.data.shop import Shop, image_path
from fashiondistill.trends import ATTRIBUTES, attribute_shares

SMALL = CatalogueConfig(num_transactions=3000, num_customers=80, articles_per_category=12, seed=5)
LARGE = CatalogueConfig(num_transactions=300_000, num_customers=500, articles_per_category=30, seed=5)
HM_HEADER = (
    "article_id,product_code,prod_name,product_type_no,product_type_name,product_group_name,graphical_appearance_no,"
    "graphical_appearance_name,colour_group_code,colour_group_name,perceived_colour_value_id,"
    "perceived_colour_value_name,perceived_colour_master_id,perceived_colour_master_name,department_no,"
    "department_name,index_code,index_name,index_group_no,index_group_name,section_no,section_name,garment_group_no,"
    "garment_group_name,detail_desc"
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    make_catalogue(SMALL, folder)
    return folder


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Truth]:
    folder = tmp_path_factory.mktemp("large")
    truth = make_catalogue(LARGE, folder, transactions_format="parquet")
    return Shop.open(folder), truth


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def spec(article_id: str = "0654321001", **changes: object) -> ArticleSpec:
    fields = {"category": "top5gub", "garment": "tank top", "colours": ("navy", "white"), "pattern": "striped"}
    return ArticleSpec(**({"article_id": article_id, "caption": "navy and white striped tank top"} | fields | changes))


def test_articles_have_hm_columns_in_order(small: Path) -> None:
    assert lines(small / "articles.csv")[0] == HM_HEADER == ",".join(ARTICLE_COLUMNS)
    with (small / "articles.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * SMALL.articles_per_category
    for row in rows:
        assert re.fullmatch(r"0\d{9}", row["article_id"]) and row["product_code"] == row["article_id"][:7]
        assert all(row.values()) and row["product_group_name"] in CATEGORY_OF_GROUP
    assert len({row["article_id"] for row in rows}) == len(rows)


def test_transactions_are_hm_rows(small: Path) -> None:
    rows = lines(small / "transactions_train.csv")
    assert rows[0] == "t_dat,customer_id,article_id,price,sales_channel_id"
    assert len(rows) == SMALL.num_transactions + 1
    pattern = re.compile(r"20(18|19|20)-\d\d-\d\d,[0-9a-f]{64},0\d{9},0\.\d+,[12]")
    assert all(pattern.fullmatch(row) for row in rows[1:])
    days = [row[:10] for row in rows[1:]]
    assert days == sorted(days) and days[0] == "2018-09-20" and days[-1] == "2020-09-22"
    assert len(set(rows)) < len(rows)  # some rows repeat: two of a kind
    cents = np.array([float(row.split(",")[3]) for row in rows[1:]]) * 590 * 100
    assert np.allclose(cents, cents.round(), atol=1e-6)


def test_customers_are_hm_rows(small: Path) -> None:
    rows = lines(small / "customers.csv")
    assert rows[0] == "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code"
    assert len(rows) == SMALL.num_customers + 1
    buyers = {row.split(",")[1] for row in lines(small / "transactions_train.csv")[1:]}
    assert buyers <= {row.split(",")[0] for row in rows[1:]}
    assert {row.split(",")[1] for row in rows[1:]} == {"", "1.0"}
    assert all(not age or 16 <= int(age) <= 99 for age in (row.split(",")[5] for row in rows[1:]))


@pytest.mark.parametrize("transactions_format", ["csv", "parquet"])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, transactions_format: str) -> None:
    for name in ("one", "two"):
        make_catalogue(SMALL, tmp_path / name, transactions_format=transactions_format)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == ["articles.csv", "customers.csv", f"transactions_train.{transactions_format}", "truth.json"]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    make_catalogue(dataclasses.replace(SMALL, seed=6), tmp_path / "two", transactions_format=transactions_format)
    assert (tmp_path / "one" / names[2]).read_bytes() != (tmp_path / "two" / names[2]).read_bytes()


def test_csv_and_parquet_hold_the_same_sales(small: Path, tmp_path: Path) -> None:
    make_catalogue(SMALL, tmp_path)
    make_catalogue(SMALL, tmp_path, transactions_format="parquet")
    assert not (tmp_path / "transactions_train.csv").exists()
    assert Shop.open(tmp_path).units.equals(Shop.open(small).units)


def test_chunks_do_not_change_the_rows(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(salesrows, "CHUNK_ROWS", 100)
    make_catalogue(SMALL, tmp_path)
    name = "transactions_train.csv"
    assert (tmp_path / name).read_bytes() == (small / name).read_bytes()


def test_truth_survives_its_file(small: Path, tmp_path: Path) -> None:
    made = make_catalogue(SMALL, tmp_path)
    read = Truth.load(small)
    assert (made.weeks, made.shares, made.trends) == (read.weeks, read.shares, read.trends)
    assert len(read.weeks) == 106 and read.weeks[0] == "2018-W38" and read.weeks[-1] == "2020-W39"
    for attribute in ATTRIBUTES:
        for category in CATEGORIES:
            total = np.sum(list(read.shares[attribute][category.folder].values()), axis=0)
            assert total == pytest.approx(np.ones(106), abs=1e-4)
    with pytest.raises(FileNotFoundError, match="truth.json does not exist"):
        Truth.load(tmp_path / "nowhere")


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_measured_shares_are_within_sampling_error(large: tuple[Shop, Truth], attribute: str) -> None:
    shop, truth = large
    categories = shop.articles.select("article_id", "category")
    totals = shop.units.join(categories, on="article_id").group_by("category", "week").agg(pl.col("units").sum())
    units = {(category, week): number for category, week, number in totals.iter_rows()}
    squares = []
    for category in CATEGORIES:
        shares = attribute_shares(shop, category.folder, attribute)
        assert tuple(shares.index) == truth.weeks
        number = np.array([units[category.folder, week] for week in shares.index])
        for word in shares.columns:
            expected = np.array(truth.shares[attribute][category.folder][word])
            many = expected * number > 10  # below, counts are too skew for a normal error
            error = np.sqrt(expected * (1 - expected) / number)
            z = ((shares[word].to_numpy() - expected) / np.maximum(error, 1e-9))[many & (expected < 1)]
            squares.append(z**2)
    found = np.concatenate(squares)
    assert found.max() < 5**2
    assert found.mean() == pytest.approx(1.0, abs=0.08)  # exactly multinomial; 1 also says that nothing is smoothed


def test_season_and_trends_are_in_the_truth(large: tuple[Shop, Truth]) -> None:
    _, truth = large
    shorts = np.array(truth.shares["type"]["top5glb"]["shorts"])
    at = {week: number for number, week in enumerate(truth.weeks)}
    assert shorts[at["2019-W27"]] > 2 * shorts[at["2019-W51"]]
    jackets = np.array(truth.shares["type"]["top5gub"]["jacket"])
    assert jackets[at["2019-W46"]] > 2 * jackets[at["2020-W25"]]
    assert len(truth.trends) == 24
    assert {(t.category, t.attribute, t.rises) for t in truth.trends} == {
        (c.folder, attribute, rises)
        for c in CATEGORIES
        for attribute in ("colour", "pattern")
        for rises in (True, False)
    }
    for trend in truth.trends:
        share = truth.shares[trend.attribute][trend.category][trend.word]
        early, late = np.mean(share[1:27]), np.mean(share[79:105])  # the same season, 18 months apart
        # Patterns also carry the trends of their colours, which can be stronger.
        factor = 1.5 if trend.attribute == "colour" else 1.05
        assert (late > factor * early) if trend.rises else (early > factor * late), trend


def test_given_articles_are_sold_under_their_words(tmp_path: Path) -> None:
    given = [spec(f"06543{n:02d}001", pattern="plain" if n % 2 else "striped") for n in range(9)]
    given.append(spec("0700000001", category="top5acc", garment="handbag", colours=("red",), pattern="plain"))
    make_catalogue(SMALL, tmp_path, articles=given)
    shop = Shop.open(tmp_path)
    assert [category.folder for category in shop.categories] == ["top5gub", "top5acc"]
    top = shop.bestsellers("top5gub", "2020-W07")
    assert [one.rank for one in top] == [1, 2, 3, 4, 5]
    assert top[0].caption in ("navy striped tank top", "navy plain tank top") and top[0].colours == ("navy",)
    bag = shop.bestsellers("top5acc", "2020-W07")[0]
    assert (bag.caption, bag.image) == ("red plain handbag", image_path(tmp_path, "0700000001"))
    assert bag.image == tmp_path / "images" / "070" / "0700000001.jpg" and not bag.image.exists()
    assert 'navy and white striped tank top."' in (tmp_path / "articles.csv").read_text(encoding="utf-8").lower()


def test_every_made_up_word_comes_back_from_the_files(small: Path) -> None:
    read = {row[0]: row[1:] for row in Shop.open(small).articles.select("article_id", *ATTRIBUTES).iter_rows()}
    assert read == {s.article_id: (s.colours[0], s.garment, s.pattern) for s in make_specs(SMALL)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"article_id": "654321001"}, "article_id '654321001'.*10 digits"),
        ({"category": "tops"}, "category 'tops' is unknown"),
        ({"colours": ("navi",)}, r"colours \('navi',\).*choose"),
        ({"colours": ()}, r"colours \(\).*choose"),
        ({"pattern": "dotty"}, "pattern 'dotty'.*choose"),
        ({"garment": "bag"}, "garment 'bag'.*choose another noun"),
    ],
)
def test_bad_articles_name_field_value_and_remedy(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        spec(**changes)


def test_bad_arguments(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0654321001 is given more than once"):
        make_catalogue(SMALL, tmp_path, articles=[spec(), spec()])
    with pytest.raises(ValueError, match="articles is an empty list"):
        make_catalogue(SMALL, tmp_path, articles=[])
    with pytest.raises(ValueError, match="transactions_format 'xls'"):
        make_catalogue(SMALL, tmp_path, transactions_format="xls")
    assert not list(tmp_path.iterdir())


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--num_transactions", "500", "--num_customers", "20", "--articles_per_category", "6"]
    assert main(["--out", str(tmp_path / "shop"), *flags, "--transactions_format", "parquet"]) == 0
    assert "500 sales in 106 weeks" in capsys.readouterr().out
    assert Shop.open(tmp_path / "shop").units["units"].sum() == 500
    assert main(["--out", str(tmp_path), "--num_customers", "0"]) == 2
    assert capsys.readouterr().err.startswith("error: --num_customers 0 is not usable")


def test_drawn_articles_are_sold_with_their_pictures(tmp_path):
    flags = ["--num_transactions", "30000", "--num_customers", "50", "--articles_per_category", "3"]
    assert main(["--out", str(tmp_path), "--pictures", "drawn", *flags]) == 0
    shop = Shop.open(tmp_path)
    assert shop.articles.height == 18
    best = shop.bestsellers("top5acc", "2020-W10")
    assert best and all(item.image.is_file() for item in best)
    assert {item.caption.split()[-1] for item in best} <= {"cap", "beanie", "hat"}  # the first kinds


def test_pictures_of_a_folder_that_is_no_data_set_are_refused(tmp_path, capsys):
    assert main(["--out", str(tmp_path / "out"), "--pictures", str(tmp_path)]) == 2
    assert "manifest.jsonl" in capsys.readouterr().err
