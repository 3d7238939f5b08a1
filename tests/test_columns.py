"""Another shop's export, mapped by the documented example, becomes a shop that every part of the code reads."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from fashiondistill.config import MapColumnsConfig
from fashiondistill.data import columns, csvtext
from fashiondistill.data.columns import map_columns
from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week
from fashiondistill.forecast.words import describe_next_week
from fashiondistill.prepare import main

EXAMPLE = Path(__file__).parents[1] / "docs" / "columns.toml"
PRODUCTS = [
    "sku;title;kind;department;colour;pattern;description;photo",
    "A-1;Ida;Hemd;Oberteile;blau;gestreift;Ein Hemd.;p/a1.png",
    "A-2;Ida;Hemd;Oberteile;beige;uni;Ein Hemd.;p/missing.png",
    "B-1;Max;Hose;Hosen;schwarz;uni;;",
    "A-1;again;Hemd;Oberteile;blau;uni;;",
]


def export(folder: Path, *, num_weeks: int = 12, more: tuple[str, ...] = ()) -> Path:
    """Twelve weeks of sales in semicolons, decimal commas and German dates."""
    (folder / "p").mkdir(parents=True)
    (folder / "products.csv").write_text("\n".join(PRODUCTS) + "\n", encoding="utf-8")
    Image.new("RGB", (40, 60), (52, 96, 170)).save(folder / "p" / "a1.png")
    rows = ["date;sku;unit_price;quantity;customer"]
    for number in range(num_weeks * 7):
        day = Week(2024, 50).monday.fromordinal(Week(2024, 50).monday.toordinal() + number)
        rows += [f"{day:%d.%m.%Y};A-1;19,95;3;c1", f"{day:%d.%m.%Y};A-2;9,50;1;c2", f"{day:%d.%m.%Y};B-1;30;2;c1"]
    (folder / "orders.csv").write_text("\n".join([*rows, *more]) + "\n", encoding="utf-8")
    return folder


def mapped(tmp_path: Path, **changes: str) -> MapColumnsConfig:
    return MapColumnsConfig(
        **({"source": str(tmp_path / "export"), "columns": str(EXAMPLE), "out": str(tmp_path / "shop")} | changes)
    )


def test_documented_example_becomes_a_shop(tmp_path: Path) -> None:
    bad = ("01.02.2025;A-9;1;1;c", "31.02.2025;A-1;1;1;c", "01.02.2025;A-1;gratis;1;c", "01.02.2025;A-1;1;-1;c")
    export(tmp_path / "export", more=bad)
    found = map_columns(mapped(tmp_path))
    assert (found.num_articles, found.num_units, found.num_pictures) == (3, 12 * 7 * 6, 1)
    assert found.left_out == {
        "products.csv: article_id is there again": 1,
        "products.csv: picture left out": 1,
        "orders.csv: article is not in the articles": 1,
        "orders.csv: t_dat is no date as in date_format": 1,
        "orders.csv: price is no number": 1,
        "orders.csv: quantity below 1": 1,
    }
    lines = pl.read_csv(tmp_path / "shop" / "bad_rows.csv").filter(pl.col("file") == "orders.csv")["line"].to_list()
    assert sorted(lines) == [12 * 21 + 2 + n for n in range(4)]
    shop = Shop.open(tmp_path / "shop")
    first = shop.bestsellers("top5gub", "2025-W05")[0]
    assert (first.caption, first.units, first.image.is_file()) == ("blue striped shirt", 21, True)
    week = shop.units.filter((pl.col("week") == "2025-W05") & (pl.col("article_id") == first.article_id))
    assert week["revenue"].item() == pytest.approx(21 * 19.95)
    assert describe_next_week(shop, "top5gub", shop.weeks[-1]).text == "blue striped shirt"


def test_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = (
        "01.02.2025;A-9;1;1;c", "01.02.2025;A-1;5;40;c9", "01.02.2025;B-1;gratis;1;c",
        *(f'01.02.2025;A-1;5;1;"c{number}, with a\nline break"' for number in range(20)),
    )  # fmt: skip
    export(tmp_path / "export", more=more)
    whole = map_columns(mapped(tmp_path))
    monkeypatch.setattr(csvtext, "BLOCK_BYTES", 300)
    monkeypatch.setattr(csvtext, "MAX_LINE_BYTES", 200)
    monkeypatch.setattr(columns, "PART_UNITS", 10)
    sizes: list[int] = []
    by_unit = columns._by_unit
    monkeypatch.setattr(columns, "_by_unit", lambda rows: (sizes.append(p.height) or p for p in by_unit(rows)))
    assert map_columns(mapped(tmp_path, out=str(tmp_path / "again"))) == whole
    assert len(sizes) > 60 and max(sizes) <= 10 + 40  # a part and one row's units more
    for name in ("bad_rows.csv", "articles.csv", "ids.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "shop" / name).read_bytes()
    frames = [pl.read_parquet(tmp_path / name / "transactions_train.parquet") for name in ("shop", "again")]
    breaks = frames[0]["customer_id"].str.ends_with(", with a\nline break").sum()
    assert breaks == 20 and frames[0].equals(frames[1]) and not list((tmp_path / "again").glob("*part*"))


def test_packed_files_and_quotes_that_never_close(tmp_path: Path, capsys) -> None:
    folder = export(tmp_path / "export", num_weeks=1)
    text = (folder / "orders.csv").read_bytes()
    (folder / "orders.csv.gz").write_bytes(gzip.compress(text))
    changed = tmp_path / "columns.toml"
    changed.write_text(EXAMPLE.read_text(encoding="utf-8").replace("orders.csv", "orders.csv.gz"), encoding="utf-8")
    assert map_columns(mapped(tmp_path, columns=str(changed))).num_units == 42
    (folder / "orders.csv").write_bytes(text + b'01.02.2025;A-1;5;1;"c\n')
    config = mapped(tmp_path)
    assert main(["columns", "--source", config.source, "--columns", config.columns, "--out", config.out]) == 2
    assert "a quote is opened and never closed" in capsys.readouterr().err


def test_ids_stay_when_articles_come_and_go(tmp_path: Path) -> None:
    export(tmp_path / "export")
    map_columns(mapped(tmp_path))
    before = dict(pl.read_csv(tmp_path / "shop" / "ids.csv", infer_schema=False).iter_rows())
    rows = [PRODUCTS[0], "NEW;Ida;Hemd;Oberteile;blau;uni;;", *PRODUCTS[2:4]]
    (tmp_path / "export" / "products.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    map_columns(mapped(tmp_path))
    after = dict(pl.read_csv(tmp_path / "shop" / "ids.csv", infer_schema=False).iter_rows())
    assert {sku: after[sku] for sku in before} == before and after["NEW"] not in before.values()
    assert set(pl.read_csv(tmp_path / "shop" / "articles.csv", infer_schema=False)["article_id"]) == {
        after[sku] for sku in ("NEW", "A-2", "B-1")
    }


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"sku" ', '"SKU" ', "lacks the column of article_id = 'SKU' in [articles]: it has sku, title"),
        ('prod_name = "title"', "", "[articles] lacks prod_name"),
        ("[transactions]", "[sales]", "lacks the table [transactions]"),
        ("quantity =", "quantities =", "[transactions] has 'quantities', which is none of"),
        ('"products.csv"', '"wares.csv"', "wares.csv does not exist: [articles]"),
        ("%d.%m.%Y", "%m/%d/%Y", "no row can be used, the first: t_dat is no date as in date_format (09.12.2024)"),
        ("[articles]", "[articles", "is no TOML file"),
    ],
)
def test_a_wrong_mapping_names_its_entry(tmp_path: Path, old: str, new: str, words: str, capsys) -> None:
    export(tmp_path / "export", num_weeks=1)
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "columns.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    config = mapped(tmp_path, columns=str(tmp_path / "columns.toml"))
    status = main(["columns", "--source", config.source, "--columns", config.columns, "--out", config.out])
    told = capsys.readouterr().err
    assert status == 2 and told.startswith("error: ") and words in told and told.count("\n") == 1


def test_pictures_stay_inside_the_source(tmp_path: Path) -> None:
    export(tmp_path / "export", num_weeks=1)
    shutil.move(tmp_path / "export" / "p" / "a1.png", tmp_path / "a1.png")
    text = (tmp_path / "export" / "products.csv").read_text(encoding="utf-8")
    (tmp_path / "export" / "products.csv").write_text(text.replace("p/a1.png", "../a1.png"), encoding="utf-8")
    with pytest.raises(ValueError, match="'../a1.png' lies outside --source"):
        map_columns(mapped(tmp_path))
