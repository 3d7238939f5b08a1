"""A shop in H&M's layout -> data set: every trap of the files, the published layout, and going on after a stop."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from fashiondistill.config import CatalogueConfig, PrepareHmConfig, ProductShotConfig
from fashiondistill.data.catalogue import make_catalogue
from fashiondistill.data.charts import bars, weekly_chart
from fashiondistill.data.folders import open_folder
from fashiondistill.data.hmplan import HmPlan, plan_hm
from fashiondistill.data.hmset import prepare_hm
from fashiondistill.data.pictures import draw_articles
from fashiondistill.data.sales import user_cache_dir
from fashiondistill.data.shop import image_path
from fashiondistill.data.vitonhd import read_article, read_manifest
from fashiondistill.prepare import main
from tests.hm_files import sale, write_sales

GOLDEN = Path(__file__).parent / "golden" / "hm"
WEEKS = ("--first_week=2020-W06", "--last_week=2020-week24")
Capture = pytest.CaptureFixture[str]


def plan(tmp_path: Path, folder: Path = GOLDEN, **changes: object) -> HmPlan:
    return plan_hm(PrepareHmConfig(hm_dir=str(folder), out="unused", cache_dir=str(tmp_path / "cache"), **changes))


def best(found: HmPlan, category: str, week: str) -> list[str]:
    return [p.article_id for p in found.placements if (p.category, p.week.key) == (category, week)]


# The traps, in files that were written by hand.


def test_golden_bestsellers(tmp_path: Path) -> None:
    with open(GOLDEN / "expected_bestsellers.csv", newline="", encoding="utf-8") as file:
        expected = [tuple(row) for row in csv.reader(file)][1:]
    found = plan(tmp_path)
    assert [
        (p.category, p.week.key, p.split, str(p.rank), p.article_id, str(p.units), f"{p.revenue:g}")
        for p in found.placements
    ] == [(*row[:6], f"{float(row[6]):g}") for row in expected]


def test_golden_rows_are_all_accounted_for(tmp_path: Path) -> None:
    found = plan(tmp_path)
    assert [(row.line, row.reason) for row in found.sales.bad_rows] == [
        (7, "t_dat '2020-02-30' does not exist"),
        (16, "t_dat '31/12/2020' is no date: write it as YYYY-MM-DD"),
        (25, "article_id '10877501512' is no number of up to 10 digits"),
        (34, "price '-0.0169322033898305' is not between 0 and 100000000 (a return?)"),
        (43, "6 fields where the header has 5"),
        (52, "a quote is opened and never closed"),
        (61, "3 fields where the header has 5"),
    ]
    assert found.by_week.left_out.rows() == [
        ("hosiery (garment group Socks and Tights)", 9, 1),
        ("product group Nightwear is none of the six categories", 4, 1),
        ("product group Underwear/nightwear is none of the six categories", 4, 1),
        ("article is not in the articles file", 2, 1),
        ("product group Unknown is none of the six categories", 2, 1),
    ]
    lines = (GOLDEN / "transactions_train.csv").read_text(encoding="utf-8").splitlines()
    ranked, left_out = found.by_week.totals["units"].sum(), found.by_week.left_out["rows"].sum()
    assert ranked + left_out == found.sales.num_rows == len(lines) - 1 - len(found.sales.bad_rows)


def test_golden_weeks(tmp_path: Path) -> None:
    weeks = plan(tmp_path).by_week.weeks
    assert [(w.week.published, w.days) for w in weeks if w.partial] == [("2018-week52", 1), ("2021-week1", 1)]
    assert "2020-W53" in [w.week.key for w in weeks]
    kaggle = plan(tmp_path, week="kaggle").by_week.weeks  # ends on Monday 2021-01-04, so windows begin on Tuesdays
    assert [(w.week.key, w.days, w.partial) for w in kaggle][-1] == ("2020-W53", 4, False)
    assert [(w.week.key, w.days, w.partial) for w in kaggle][0] == ("2018-W52", 2, True)


def test_a_design_can_take_one_place(tmp_path: Path) -> None:
    assert best(plan(tmp_path), "top5gub", "2020-W53") == ["0108775015", "0108775044", "0108775051"]
    assert best(plan(tmp_path, dedupe="product"), "top5gub", "2020-W53") == ["0108775015"]


def test_revenue_ranks_otherwise(tmp_path: Path) -> None:
    assert best(plan(tmp_path), "top5glb", "2020-W01") == ["0120129001", "0111586001", "0118458003"]
    assert best(plan(tmp_path, rank_by="revenue", top_k=1), "top5glb", "2020-W01") == ["0120129001"]
    assert best(plan(tmp_path, rank_by="revenue"), "top5gub", "2020-W07")[0] == "0108775051"


def test_audience_categories_and_types_are_filters(tmp_path: Path) -> None:
    found = plan(
        tmp_path, audience=("ladieswear", "Menswear"), categories=("top5glb", "top5gfb"), exclude_types=("Garment set",)
    )
    assert best(found, "top5glb", "2020-W01") == ["0111586001", "0118458003"]
    assert best(found, "top5gfb", "2020-W23") == ["0130036001"]
    reasons = dict(found.by_week.left_out.select("reason", "rows").iter_rows())
    assert reasons["audience Baby/Children was not asked for"] == 3
    assert reasons["product type Garment Set was excluded"] == 2
    assert reasons["category top5shoe was not asked for"] == 8


def test_weeks_can_be_cut_and_rows_outside_are_counted(tmp_path: Path) -> None:
    found = plan(tmp_path, first_week="2020-W07", last_week="2020-week23")
    assert [w.week.key for w in found.by_week.weeks] == ["2020-W07", "2020-W08", "2020-W22", "2020-W23"]
    assert not any(w.partial for w in found.by_week.weeks)
    assert found.num_rows_outside == 35
    assert found.by_week.totals["units"].sum() + found.by_week.left_out["rows"].sum() == found.sales.num_rows - 35


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train_end": "2017-W01"}, r"--train_end 2017-W01 leaves no week to train on, the sales run from 2018-W52 to "
                                    r"2021-W01: for example --train_end 2020-W22 --val_end 2020-W23"),
        ({"train_end": "last week"}, "--train_end: week 'last week' is not understood"),
        ({"train_end": "2020-W30"}, "--val_end 2020-W22 lies before --train_end 2020-W30"),
        ({"val_end": "2021-W53"}, "--val_end: week 2021-W53 does not exist: 2021 has weeks 1 to 52"),
        ({"first_week": "2022-W01"}, "no week of the sales .2018-W52 to 2021-W01. lies between --first_week 2022-W01"),
        ({"audience": ("Pets",)}, "--audience 'Pets' is not usable.*Baby/Children, Divided, Ladieswear, Menswear"),
        ({"categories": ("tops",)}, "category 'tops' is unknown: choose one of top5gub"),
        ({"exclude_types": ("Socks",)}, "--exclude_types 'Socks' is not usable.*Trousers"),
        ({"categories": ("top5shoe",), "exclude_types": ("Flat shoe", "Flat shoes")}, "no sales of the articles"),
    ],
)  # fmt: skip
def test_flags_that_do_not_fit_the_data_are_refused(tmp_path: Path, changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        plan(tmp_path, **changes)


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    shop = shutil.copytree(GOLDEN, tmp_path / "shop")
    (shop / "images").mkdir()
    (tmp_path / "file").write_text("")  # a folder below it cannot be made, not even by root
    command = ["hm", f"--hm_dir={shop}", f"--out={tmp_path / 'set'}", f"--cache_dir={tmp_path / 'file' / 'cache'}"]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: --cache_dir ") and "cannot be written to (Not a directory): choose" in told
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    config = PrepareHmConfig(hm_dir=str(shop), out="unused")
    with pytest.warns(UserWarning, match="read whole each time: .*file.* cannot be written to .*XDG_CACHE_HOME"):
        without = plan_hm(config)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert plan_hm(config).placements == without.placements and any((tmp_path / "cache").rglob("facts.json"))


def test_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert user_cache_dir() == Path("/x/fashiondistill/sales")


# The data set.


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn articles of six categories; one of the best has no picture, one a broken one."""
    folder = tmp_path_factory.mktemp("shop")
    config = CatalogueConfig(num_transactions=4000, num_customers=50, articles_per_category=4, seed=2)
    make_catalogue(config, folder, articles=draw_articles(config, folder))
    best_shoes = plan_hm(PrepareHmConfig(hm_dir=str(folder), out="x", cache_dir=str(folder / "c"))).placements
    first, second = dict.fromkeys(p.article_id for p in best_shoes if p.category == "top5shoe").keys().__iter__(), None
    first, second = next(first), next(first)
    image_path(folder, first).unlink()
    image_path(folder, second).write_bytes(b"no picture")
    with open(folder / "transactions_train.csv", "a", encoding="utf-8") as file:
        file.write(sale("2020-02-31", "<b>") + "\n")
    (folder / "missing.txt").write_text(f"{first} {second}", encoding="utf-8")
    return folder


def run(shop: Path, out: Path, *flags: str) -> int:
    chosen = [f"--hm_dir={shop}", f"--out={out}", f"--cache_dir={shop / 'c'}", "--num_workers=1", *WEEKS, *flags]
    return main(["hm", *chosen, "--categories", "top5shoe", "top5acc"])


@pytest.fixture(scope="module")
def prepared(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared") / "set"
    assert run(shop, out) == 0
    return out


@pytest.fixture
def copy(prepared: Path, tmp_path: Path) -> Path:
    """A data set to go on with."""
    return Path(shutil.copytree(prepared, tmp_path / "copy", copy_function=shutil.copy2))


@pytest.fixture
def shop_copy(shop: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(shop, tmp_path / "shop", copy_function=shutil.copy2))


def snapshot(root: Path) -> dict[str, int]:
    return {str(path.relative_to(root)): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def rows(root: Path) -> list[dict[str, str]]:
    with open(root / "bestsellers.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_layout_is_the_published_one(prepared: Path) -> None:
    in_data = [row for row in rows(prepared) if row["status"] == "ok"]
    expected = set()
    for row in in_data:
        year, week = row["week"].split("-W")
        for kind, suffix in (("images", "jpg"), ("im_sketch", "png"), ("im_seg", "png")):
            expected.add(f"{row['split']}/{kind}/{row['category']}/{year}-week{int(week)}/{row['article_id']}.{suffix}")
    assert {name for name in snapshot(prepared) if name.startswith(("train", "val", "test"))} == expected
    assert any("/2020-week7/" in name for name in expected)
    assert {row["split"] for row in in_data} == {"train", "val", "test"}
    folder = open_folder(prepared)  # as training reads it
    assert len(folder.items) == len(in_data) == len(read_manifest(prepared)) and not folder.orphans
    assert all(item.sketch and item.mask and item.week for item in folder.items)
    assert set(folder.captions) == {item.article_id for item in folder.items}
    assert all(len(parts) == 3 and parts[0] and parts[2] for parts in folder.captions.values())


def test_the_same_article_looks_the_same_in_every_week(prepared: Path) -> None:
    records = read_manifest(prepared)
    often = [r for r in records if r.article_id == records[0].article_id]
    assert len(often) > 1
    first, last = (read_article(prepared, record) for record in (often[0], often[-1]))
    assert np.array_equal(first.image, last.image) and np.array_equal(first.mask, last.mask)
    assert 0.05 < (first.mask > 0).mean() < 0.7
    assert 0.001 < (first.sketch > 128).mean() < 0.2  # bright strokes on black


def test_manifest_counts_what_is_missing_and_why(prepared: Path, shop: Path) -> None:
    manifest = json.loads((prepared / "manifest.json").read_text(encoding="utf-8"))
    missing, broken = (shop / "missing.txt").read_text(encoding="utf-8").split()
    assert [entry["article_id"] for entry in manifest["missing_images"]] == [missing]
    assert [entry["article_id"] for entry in manifest["rejected_images"]] == [broken]
    assert "is not a picture that can be read" in manifest["rejected_images"][0]["reason"]
    counts, table = manifest["counts"], rows(prepared)
    assert counts["bestsellers"] == len(table) and counts["bad_rows"] == 1 and counts["rows"] == 4000
    assert counts["rows_ranked"] + counts["rows_left_out"] + counts["rows_outside_weeks"] == 4000
    assert sum(counts["items"].values()) == sum(row["status"] == "ok" for row in table)
    assert counts["items_of_category"]["top5acc"] == {
        split: sum((r["category"], r["split"], r["status"]) == ("top5acc", split, "ok") for r in table)
        for split in ("train", "val", "test")
    }
    assert {entry["split"] for entry in manifest["weeks"]} == {"train", "val", "test"}
    assert all(entry["days"] == 7 and not entry["partial"] for entry in manifest["weeks"])
    assert re.fullmatch("[0-9a-f]{64}", manifest["inputs"]["transactions"]["sha256"])
    assert manifest["options"]["top_k"] == 5 and "polars" in manifest["versions"]
    unseen = {r["article_id"] for r in table if r["split"] == "train" and r["status"] == "ok"}
    test = [r["article_id"] for r in table if r["split"] == "test" and r["status"] == "ok"]
    assert manifest["unseen_articles"]["test"] == pytest.approx(
        sum(a not in unseen for a in test) / len(test), abs=1e-4
    )
    assert (prepared / "bad_rows.csv").read_text(encoding="utf-8").splitlines() == [
        "file,line,reason",
        "transactions_train.csv,4002,article_id '<b>' is no number of up to 10 digits",
    ]


def test_the_report_stands_alone_and_escapes_what_the_shop_wrote(prepared: Path) -> None:
    text = (prepared / "report.html").read_text(encoding="utf-8")
    assert "http" not in text and "<script" not in text and " src='data:image/jpeg;base64," in text
    assert "<b>&#x27; is no number" not in text and "article_id &#x27;&lt;b&gt;&#x27; is no number" in text
    assert text.count("<svg") == 2 * 2 + 1 and "Accessories" in text
    assert "no image" in text


def test_a_second_run_does_nothing(copy: Path, shop: Path, capsys: Capture) -> None:
    before = snapshot(copy)
    assert run(shop, copy) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert snapshot(copy) == before


def test_other_options_need_another_folder(copy: Path, shop: Path, capsys: Capture) -> None:
    before = snapshot(copy)
    assert run(shop, copy, "--top_k=3") == 2
    assert "was made with other options (--top_k)" in capsys.readouterr().err
    assert snapshot(copy) == before


def test_a_stopped_run_goes_on(copy: Path, shop: Path) -> None:
    before = snapshot(copy)
    for name in ("manifest.json", "manifest.jsonl", "captions.json", "report.html"):
        (copy / name).unlink()
    lines = (copy / "progress.jsonl").read_text(encoding="utf-8").splitlines()
    lost = json.loads(lines[-1])["article_id"]
    (copy / "progress.jsonl").write_text("\n".join([*lines[:-1], lines[-1][:40]]), encoding="utf-8")
    gone = next(name for name in before if name.endswith(".png") and lost not in name)
    (copy / gone).unlink()
    assert run(shop, copy) == 0
    after = snapshot(copy)
    assert set(after) == set(before)
    touched = {Path(name).stem for name in after if name.endswith((".png", ".jpg")) and after[name] != before[name]}
    assert touched == {lost, Path(gone).stem}


def test_new_sales_and_new_pictures_are_taken_in(copy: Path, shop_copy: Path) -> None:
    missing = (shop_copy / "missing.txt").read_text(encoding="utf-8").split()[0]
    dropped = next(row for row in rows(copy) if row["category"] == "top5acc" and row["week"] == "2020-W10")
    table = pl.read_csv(shop_copy / "transactions_train.csv", infer_schema=False).filter(pl.col("article_id") != "<b>")
    table.filter(pl.col("article_id") != dropped["article_id"]).write_csv(shop_copy / "transactions_train.csv")
    other = next(path for path in (shop_copy / "images").rglob("*.jpg") if path.stat().st_size > 1000)
    shutil.copy(other, image_path(shop_copy, missing))
    assert run(shop_copy, copy) == 0
    assert not [name for name in snapshot(copy) if dropped["article_id"] in name]
    assert [name for name in snapshot(copy) if f"/{missing}.jpg" in name]
    assert len(open_folder(copy).items) == sum(row["status"] == "ok" for row in rows(copy))
    before = snapshot(copy)
    assert run(shop_copy, copy) == 0 and snapshot(copy) == before


def test_drawings_of_the_same_folder_stay(copy: Path, shop: Path) -> None:
    assert main(["drawings", f"--out={copy}", "--num_drawings=3", "--num_workers=1"]) == 0
    (copy / "manifest.json").unlink()
    assert run(shop, copy) == 0
    assert sum(record.sender == "drawing" for record in read_manifest(copy)) == 3


def test_empty_splits_are_said(shop: Path, tmp_path: Path, capsys: Capture) -> None:
    assert run(shop, tmp_path / "set", "--val_end=2020-W52", "--train_end=2020-W52") == 0
    out = capsys.readouterr().out
    assert "val is empty" in out and "test is empty" in out
    text = (tmp_path / "set" / "report.html").read_text(encoding="utf-8")
    assert "test is empty: no week of the sales falls into it." in text


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda shop: shutil.rmtree(shop / "images"), "images does not exist: put the pictures there"),
        (lambda shop: [path.unlink() for path in (shop / "images").rglob("*.jpg")], "no bestseller has a picture"),
        (lambda shop: (shop / "articles.csv").unlink(), "articles.csv does not exist"),
        (lambda shop: write_sales(shop, ["x,y,z,1,2"]), "has no usable row"),
    ],
)
def test_shops_that_cannot_be_used_are_refused(
    shop_copy: Path, tmp_path: Path, capsys: Capture, prepare: Callable[[Path], object], words: str
) -> None:
    prepare(shop_copy)
    assert run(shop_copy, tmp_path / "set") == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("flags", [[], ["--hm_dir=x"], ["--hm_dir=x", "--out=y", "--top_k=0"]])
def test_flags_are_checked(flags: list[str], capsys: Capture) -> None:
    assert main(["hm", *flags]) == 2
    assert capsys.readouterr().err.startswith("error: --")


def test_whole_pictures_can_be_kept(shop: Path, tmp_path: Path) -> None:
    config = PrepareHmConfig(
        hm_dir=str(shop), out=str(tmp_path / "set"), cache_dir=str(shop / "c"), categories=("top5acc",), num_workers=1,
        first_week="2020-W06", last_week="2020-W06",
    )  # fmt: skip
    manifest, is_new = prepare_hm(config, ProductShotConfig())
    assert is_new and sum(manifest["counts"]["items"].values()) == len(read_manifest(tmp_path / "set")) > 0
    assert {record.split for record in read_manifest(tmp_path / "set")} == {"train"}
    with Image.open(next((tmp_path / "set").rglob("*.jpg"))) as image:
        assert image.size == (384, 512)


# Charts.


def test_charts_show_gaps_partial_weeks_and_splits() -> None:
    chart = weekly_chart(
        "A & B",
        ["2020-W01", "2020-W02", "2020-W03"],
        [1, None, 3_000_000],
        splits=["train", "train", "val"],
        partial={"2020-W03"},
    )
    assert chart.count("<polyline") == 2 and chart.count("<circle") == 2 and "A &amp; B" in chart
    assert "2020-W03: 3M (partial week)" in chart and ">val<" in chart and "3M" in chart
    assert weekly_chart("x", ["2020-W01"], [None], splits=["train"], partial=set()).count("<circle") == 0
    chart = bars({"Shoes": {"ok": 3}, "Bags": {"ok": 1, "no image": 2}}, ("ok", "no image"))
    assert "1 + 2" in chart and chart.count("<rect") == 2 + 4
