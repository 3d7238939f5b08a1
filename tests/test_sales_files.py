"""Files as shops really send them: broken rows are named by their line and cost themselves only; the cache keeps it."""

from __future__ import annotations

import datetime
import gzip
import json
import os
import zipfile
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashiondistill.data import csvtext, sales, tables, transactions
from fashiondistill.data import shop as shop_module
from fashiondistill.data.assortment import ARTICLE_COLUMNS, read_articles
from fashiondistill.data.csvtext import rows_of_lines
from fashiondistill.data.sales import DailySales, open_sales
from fashiondistill.data.shop import Shop
from tests.hm_files import CUSTOMER, HEADER, UPPER, article_row, sale, write_articles, write_sales

GOOD = sale("2020-01-01", "0108775015")
NAME = "transactions_train.csv"
Counts = dict[tuple[str, int], int]


def counts(found: DailySales) -> Counts:
    """(day, article) -> units."""
    frame = found.frame.group_by("day", "article").agg(pl.col("units").sum()).collect()
    return {(str(day), article): units for day, article, units in frame.iter_rows()}


def read(folder: Path, **options: Path) -> tuple[Counts, list[tuple[int, str]]]:
    with open_sales(folder, **options) as found:
        bad = found.source.bad_rows
        assert found.source.num_rows == sum(counts(found).values()) == sum(found.rows_of_day.values())
        assert all(row.file.startswith("transactions_train") for row in bad)
        return counts(found), [(row.line, row.reason) for row in bad]


BROKEN = {
    sale("2020-02-30", "0108775015"): "t_dat '2020-02-30' does not exist",
    sale("2019-02-29", "0108775015"): "t_dat '2019-02-29' does not exist",
    sale("01/02/2020", "0108775015"): "t_dat '01/02/2020' is no date: write it as YYYY-MM-DD",
    sale("2020-1-1", "0108775015"): "t_dat '2020-1-1' is no date: write it as YYYY-MM-DD",
    sale("", "0108775015"): "t_dat '' is no date: write it as YYYY-MM-DD",
    sale("0200-01-01", "0108775015"): "t_dat '0200-01-01' is not between 1990 and 2099",
    sale("2920-01-01", "0108775015"): "t_dat '2920-01-01' is not between 1990 and 2099",
    sale("2020-01-01", "12345678901"): "article_id '12345678901' is no number of up to 10 digits",
    sale("2020-01-01", "108775015.0"): "article_id '108775015.0' is no number of up to 10 digits",
    sale("2020-01-01", "-5"): "article_id '-5' is no number of up to 10 digits",
    sale("2020-01-01", "\u0661\u0662"): "article_id '\u0661\u0662' is no number of up to 10 digits",
    sale("2020-01-01", ""): "article_id '' is no number of up to 10 digits",
    sale("2020-01-01", "0108775015", -0.05): "price '-0.05' is not between 0 and 100000000 (a return?)",
    sale("2020-01-01", "0108775015", "nan"): "price 'nan' is no number",
    sale("2020-01-01", "0108775015", "inf"): "price 'inf' is no number",
    sale("2020-01-01", "0108775015", ""): "price '' is no number",
    sale("2020-01-01", "0108775015", "1_000"): "price '1_000' is no number",
    sale("2020-01-01", "0108775015", "0,05"): "6 fields where the header has 5",
    "2020-01-01,ab,0108775015,0.05": "4 fields where the header has 5",
    f'2020-01-01,"{CUSTOMER},0108775015,0.05,2': "a quote is opened and never closed",
    '2020-01-01,"a"b,0108775015,0.05,2': "no CSV (',' expected after '\"')",
    ",,,,": "article_id '' is no number of up to 10 digits",
    HEADER: "article_id 'article_id' is no number of up to 10 digits",
}


@pytest.mark.parametrize("line", BROKEN, ids=list(BROKEN.values()))
def test_a_bad_row_is_named_and_costs_itself_only(tmp_path: Path, line: str) -> None:
    write_sales(tmp_path, [GOOD, GOOD, line, GOOD, ""])
    assert read(tmp_path) == ({("2020-01-01", 108775015): 3}, [(4, BROKEN[line])])


def test_all_bad_rows_of_one_file_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvtext, "BLOCK_BYTES", 600)  # so that good and bad blocks alternate
    lines: list[str] = []
    for line in BROKEN:
        lines += [GOOD] * 5 + [line]
    write_sales(tmp_path, lines)
    found, bad = read(tmp_path)
    assert found == {("2020-01-01", 108775015): 5 * len(BROKEN)}
    assert bad == [(2 + 6 * number + 5, reason) for number, reason in enumerate(BROKEN.values())]


@pytest.mark.parametrize(
    "line",
    [
        sale("2020-01-01", "108775015"),
        sale(" 2020-01-01 ", " 0108775015 ", " 0.05 "),
        f'"2020-01-01","{CUSTOMER}","0108775015","0.05","2"',
        '2020-01-01,"a, b",0108775015,5e-2,2',
        "2020-01-01,,0108775015,.05,",
        sale("2020-01-01", "0108775015", 0),
    ],
)
def test_odd_but_clear_rows_are_read(tmp_path: Path, line: str) -> None:
    write_sales(tmp_path, [GOOD, line])
    assert read(tmp_path) == ({("2020-01-01", 108775015): 2}, [])


EMPTY_AT_THE_END = ["2020-01-01,a,0108775015,0.05,", '2020-01-01,"a, ""b"", c",0108775015,0.05,'] * 20


def test_an_empty_last_column_is_parsed_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sales(tmp_path, EMPTY_AT_THE_END)
    monkeypatch.setattr(transactions, "_parse_lines", lambda *_: pytest.fail("read row by row"))
    assert read(tmp_path) == ({("2020-01-01", 108775015): 40}, [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2020-01-01,a,0108775015,0.05", "4 fields where the header has 5"),
        ('2020-01-01,"a, b",0108775015,0.05', "4 fields where the header has 5"),  # as many commas as the others
        ('2020-01-01,x"y,"0108775015",0.05', "a quote is opened and never closed"),
    ],
)
def test_a_short_row_is_found_among_rows_that_end_empty(tmp_path: Path, line: str, reason: str) -> None:
    write_sales(tmp_path, [*EMPTY_AT_THE_END, line, *EMPTY_AT_THE_END])
    assert read(tmp_path) == ({("2020-01-01", 108775015): 80}, [(42, reason)])


def test_bytes_of_other_encodings_are_no_reason_to_drop_a_row(tmp_path: Path) -> None:
    body = f"{HEADER}\n{GOOD}\n2020-01-01,caf\u00e9,0108775015,0.05,2\n2020-\u00e9,x,0108775015,0.05,2\n"
    (tmp_path / NAME).write_bytes(body.encode("latin-1"))
    found, bad = read(tmp_path)
    assert found == {("2020-01-01", 108775015): 2}
    assert bad == [(4, "t_dat '2020-\u00e9' is no date: write it as YYYY-MM-DD")]


@pytest.mark.parametrize(
    "body",
    [
        "\ufeff" + f"{HEADER}\n{GOOD}\n",  # byte order mark
        f"{HEADER}\r\n{GOOD}\r\n\r\n",
        f"{HEADER}\n{GOOD}",  # no line feed at the end
        f"{HEADER}\n\n{GOOD}\n\n\n",
        f'"t_dat" , "customer_id","article_id","price","sales_channel_id"\n{GOOD}\n',
        f"note,{HEADER},note\nx,{GOOD},y\n",  # further columns, two of a name
        "price,t_dat,article_id\n0.05,2020-01-01,0108775015\n",  # another order, fewer columns
        "article_id,t_dat\n0108775015,2020-01-01\n",  # no prices
    ],
)
def test_files_of_any_clear_shape_are_read(tmp_path: Path, body: str) -> None:
    (tmp_path / NAME).write_bytes(body.encode("utf-8"))
    assert read(tmp_path) == ({("2020-01-01", 108775015): 1}, [])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "has no header"),
        (b"\n\n", "has no header"),
        (f"{HEADER}\n{GOOD}\n".encode("utf-16"), "is UTF-16 text: save it as CSV in UTF-8"),
        (f"caf\u00e9,{HEADER}\n".encode("latin-1"), "is not text in UTF-8"),
        (HEADER.encode(), "has no usable row"),
        (HEADER.replace(",", ";").encode(), "lacks column t_dat, article_id.*separated by commas"),
        (b"date,article_id\n", "lacks column t_dat: it must have H&M's columns t_dat, article_id"),
        (f"{HEADER}\r{GOOD}\r".encode(), "line 1 is no CSV"),
        (b"t_dat,article_id,t_dat\n", "has column t_dat more than once"),
        (f"{HEADER}\n2020-13-01,a,b,c,d\n".encode(), "no usable row: transactions_train.csv line 2: article_id 'b'"),
        (HEADER.encode() + b"\n" + b"x" * 3_000_000, "a line is longer than 1048576 bytes"),
        (b"x" * 3_000_000, "line 1 is longer than 1048576 bytes"),
    ],
)
def test_files_that_are_no_sales_are_refused(tmp_path: Path, body: bytes, words: str) -> None:
    (tmp_path / NAME).write_bytes(body)
    with pytest.raises(ValueError, match=words):
        read(tmp_path)


def test_a_missing_file_is_named_with_the_forms_it_may_have(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"transactions_train\.csv does not exist \(nor \.parquet, \.csv\.gz"):
        read(tmp_path)


def test_too_many_bad_rows_end_the_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_BAD_ROWS", 3)
    write_sales(tmp_path, [GOOD, *["x,y,z,1,2"] * 4])
    with pytest.raises(ValueError, match="more than 3 bad rows, the first: transactions_train.csv line 3: article_id"):
        read(tmp_path)


# Packed files


def packed(folder: Path, body: bytes, form: str) -> Path:
    path = folder / f"{NAME}.{form}"
    if form == "gz":
        path.write_bytes(gzip.compress(body))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(NAME, body)
            archive.writestr("__MACOSX/._x", b"")
    return path


@pytest.mark.parametrize("form", ["gz", "zip"])
def test_packed_files_are_read(tmp_path: Path, form: str) -> None:
    packed(tmp_path, f"{HEADER}\n{GOOD}\nx,y,0108775015,0.05,2\n".encode(), form)
    assert read(tmp_path) == ({("2020-01-01", 108775015): 1}, [(3, "t_dat 'x' is no date: write it as YYYY-MM-DD")])


@pytest.mark.parametrize("form", ["gz", "zip"])
def test_bombs_are_refused_early(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvtext, "FREE_BYTES", 2**20)
    body = f"{HEADER}\n".encode() + f"{GOOD}\n".encode() * 300_000
    path = packed(tmp_path, body, form)
    assert len(body) > 250 * path.stat().st_size
    with pytest.raises(ValueError, match="unpacks to more than 200 times its size"):
        read(tmp_path)


@pytest.mark.parametrize("form", ["gz", "zip"])
def test_packed_files_that_were_cut_off_are_refused(tmp_path: Path, form: str) -> None:
    path = packed(tmp_path, os.urandom(20_000).hex().encode(), form)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="damaged or cut off|cannot be unpacked"):
        read(tmp_path)


def test_an_archive_of_several_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / f"{NAME}.zip", "w") as archive:
        archive.writestr("a.csv", GOOD)
        archive.writestr("b.csv", GOOD)
    with pytest.raises(ValueError, match="holds 2 files"):
        read(tmp_path)


# Parquet


@pytest.mark.parametrize("dates_as", [pl.Date, pl.String, pl.Datetime])
@pytest.mark.parametrize("ids_as", [pl.Int64, pl.String, pl.Categorical])
def test_parquet_of_any_types_is_read_and_bad_rows_are_numbered(tmp_path: Path, dates_as: type, ids_as: type) -> None:
    days = pl.Series("t_dat", [datetime.date(2020, 1, 1)] * 3 + [None, datetime.date(1970, 1, 1)]).cast(dates_as)
    articles = pl.Series("article_id", ["0108775015"] * 5).cast(ids_as if ids_as != pl.Int64 else pl.String)
    frame = pl.DataFrame([days, articles.cast(ids_as), pl.Series("price", [0.05, -1.0, 0.0, 0.05, 0.05])])
    frame.write_parquet(tmp_path / "transactions_train.parquet")
    found, bad = read(tmp_path)
    assert found == {("2020-01-01", 108775015): 2}
    assert bad == [
        (2, "price '-1.0' is not between 0 and 100000000 (a return?)"),
        (4, "t_dat '' is no date: write it as YYYY-MM-DD"),
        (5, "t_dat '1970-01-01' is not between 1990 and 2099"),
    ]


@pytest.mark.parametrize("row_group_size", [1, 7, 1000])
def test_parquet_is_read_in_slices_whatever_its_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row_group_size: int
) -> None:
    days = [datetime.date(2020, 1, 1 + number % 5) for number in range(100)]
    frame = pl.DataFrame({"t_dat": days, "article_id": range(100), "price": [0.1] * 50 + [-1.0] + [0.1] * 49})
    frame.write_parquet(tmp_path / "transactions_train.parquet", row_group_size=row_group_size)
    monkeypatch.setattr(transactions, "BATCH_ROWS", 30)
    bad = tables.BadRows(tmp_path / "transactions_train.parquet")
    assert list(transactions.read_rows(bad.path, bad, lambda rows: rows.height)) == [30, 29, 30, 10]
    assert [row.line for row in bad.rows] == [51]
    assert read(tmp_path)[0] == {(str(day), number): 1 for number, day in enumerate(days) if number != 50}


def test_parquet_comes_before_csv_and_must_be_one(tmp_path: Path) -> None:
    write_sales(tmp_path, [GOOD])
    path = tmp_path / "transactions_train.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(ValueError, match="transactions_train.parquet is no Parquet file"):
        read(tmp_path)
    pl.DataFrame({"t_dat": [["2020-01-01"]], "article_id": [1]}).write_parquet(path)
    with pytest.raises(ValueError, match="column t_dat holds List"):
        read(tmp_path)
    pl.DataFrame({"t_dat": ["2020-01-01"] * 5000, "article_id": range(5000)}).write_parquet(path)
    body = bytearray(path.read_bytes())
    body[100:4000] = b"\x7f" * 3900
    path.write_bytes(body)
    with pytest.raises(ValueError, match="Parquet file"):
        read(tmp_path)


# Properties

FIELDS = st.sampled_from(
    ["2020-01-01", "2020-12-31", "2020-02-30", "0108775015", "108775015", "12345678901", "0.05", "-1", "1e-2", "", " ",
     '"', '"x"', 'a"b', "x,y", "nan", "caf\u00e9", "2"]
)  # fmt: skip
LINES = st.lists(
    st.one_of(
        st.just(GOOD),
        st.lists(FIELDS, min_size=3, max_size=6).map(",".join),
        st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=30),
    ),
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(LINES, st.sampled_from([200, 2000]))
def test_every_line_is_counted_or_named(tmp_path_factory: pytest.TempPathFactory, lines: list[str], size: int) -> None:
    folder = tmp_path_factory.mktemp("lines")
    write_sales(folder, [GOOD, *lines])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csvtext, "BLOCK_BYTES", size)
        found, bad = read(folder)
    filled = [number for number, line in enumerate(lines, start=3) if line.encode().strip()]
    assert len(filled) + 1 == sum(found.values()) + len(bad)
    assert {line for line, _ in bad} <= set(filled)
    # One after the other, each line must fare as it did among its neighbours.
    alone: Counter[tuple[str, int]] = Counter()
    for line in lines:
        write_sales(folder, [GOOD, line])
        alone.update(read(folder)[0])
    alone[("2020-01-01", 108775015)] -= len(lines) - 1
    assert {key: units for key, units in alone.items() if units} == found


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")), min_size=2, max_size=4)))
def test_rows_with_line_breaks_come_back_whole(rows: list[list[str]]) -> None:
    rows = [row for row in rows if len(row) == 3 and sum(text.count("\n") for text in row) < 15]
    body = "\n".join(",".join('"' + text.replace('"', '""') + '"' for text in row) for row in rows)
    read_rows = list(rows_of_lines(body.encode().split(b"\n"), first_line=1, num_columns=3))
    assert [fields for _, fields in read_rows] == rows
    line = 1
    for (number, _), row in zip(read_rows, rows, strict=True):
        assert number == line
        line += 1 + sum(text.count("\n") for text in row)


# The cache


def test_the_cache_answers_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    path = write_sales(tmp_path, [GOOD, "x,y,1,1,2"])
    first = read(tmp_path, cache_dir=cache)
    with monkeypatch.context() as patch:
        patch.setattr(sales, "read_rows", lambda *_: pytest.fail("the file was read again"))
        assert read(tmp_path, cache_dir=cache) == first
    assert len(first[1]) == 1
    os.utime(path, ns=(1, 1))
    assert read(tmp_path, cache_dir=cache) == first
    write_sales(tmp_path, [GOOD, GOOD])
    assert read(tmp_path, cache_dir=cache) == ({("2020-01-01", 108775015): 2}, [])
    entries = list(cache.glob("*/*"))
    assert len(entries) == 1 and entries[0].name.startswith(f"{path.stat().st_size}-")  # earlier states are gone
    facts = json.loads((entries[0] / "facts.json").read_text(encoding="utf-8"))
    assert facts["source"]["sha256"] == tables.sha256_of(path) and len(facts["source"]["sha256"]) == 64


def test_a_failed_reading_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    write_sales(tmp_path, ["x,y,1,1,2"])
    with pytest.raises(ValueError, match="no usable row"):
        read(tmp_path, cache_dir=tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*/*"))


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_sales(tmp_path, [GOOD])

    def grow(file: Path) -> str:
        with open(path, "a", encoding="utf-8") as text:
            text.write(GOOD + "\n")
        return tables.sha256_of(file)

    monkeypatch.setattr(sales, "sha256_of", grow)
    with pytest.raises(ValueError, match="changed while it was read"):
        read(tmp_path, cache_dir=tmp_path / "cache")


# Articles


def test_articles_have_hm_columns_and_padded_ids(tmp_path: Path) -> None:
    row = article_row("108775015", detail_desc="", product_code="", prod_name='Strap top, "basic"')
    write_articles(tmp_path, [row])
    found = read_articles(tmp_path)
    assert found.frame.columns == list(ARTICLE_COLUMNS) and len(ARTICLE_COLUMNS) == 25
    (only,) = found.frame.iter_rows(named=True)
    assert (only["article_id"], only["product_code"], only["detail_desc"]) == ("0108775015", "0108775", None)
    assert (only["prod_name"], only["section_no"]) == ('Strap top, "basic"', 7)
    assert (found.source.bad_rows, found.source.notes, found.source.num_rows) == ((), (), 1)


def test_bad_articles_are_named_and_the_others_kept(tmp_path: Path) -> None:
    path = write_articles(
        tmp_path,
        [
            article_row("0108775015", detail_desc="One line\nand another"),
            article_row("01087750155"),
            article_row("108775015"),
            article_row("", section_no="x"),
            article_row("0108775051", section_no="x"),
        ],
    )
    path.write_text(path.read_text(encoding="utf-8") + '0108775052,"open\n0108775053,short\n', encoding="utf-8")
    found = read_articles(tmp_path)
    assert found.frame["article_id"].to_list() == ["0108775015", "0108775051"]
    assert [(row.line, row.reason) for row in found.source.bad_rows] == [
        (4, "article_id '01087750155' is no number of up to 10 digits"),
        (5, "article_id 0108775015 is there again: line 2 was kept"),
        (6, "article_id '' is no number of up to 10 digits"),
        (8, "a quote is opened and never closed"),
        (9, "2 fields where the header has 25"),
    ]
    assert found.source.notes == (
        "section_no: 1 values are no whole number and were taken as empty (first: line 7, 'x')",
    )


def test_articles_in_windows_1252_are_read_and_noted(tmp_path: Path) -> None:
    path = write_articles(tmp_path, [article_row("0100000001", prod_name="Cr\u00eape"), article_row("0100000002")])
    text = path.read_text(encoding="utf-8")
    path.write_bytes(text.encode("cp1252"))
    found = read_articles(tmp_path)
    assert found.frame["prod_name"].to_list() == ["Cr\u00eape", "a b"]
    assert found.source.notes == ("1 lines are not UTF-8 and were read as Windows-1252 (first: line 2)",)


def test_columns_that_nobody_needs_may_be_missing(tmp_path: Path) -> None:
    write_articles(tmp_path, [article_row("0100000001")], without=("detail_desc", "section_no", "product_code"))
    found = read_articles(tmp_path)
    assert found.frame.select("product_code", "detail_desc", "section_no").rows() == [("0100000", None, None)]
    assert found.source.notes == ("no column product_code, section_no, detail_desc: taken as empty",)
    write_articles(tmp_path, [article_row("0100000001")], without=("colour_group_name",))
    with pytest.raises(ValueError, match=r"articles\.csv lacks column colour_group_name: it must have"):
        read_articles(tmp_path)


def test_articles_may_be_parquet_or_packed(tmp_path: Path) -> None:
    path = write_articles(tmp_path, [article_row("0100000001"), article_row("0100000002")])
    expected = read_articles(tmp_path).frame
    (tmp_path / "articles.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert read_articles(tmp_path).frame.equals(expected)
    expected.with_columns(pl.col("article_id").cast(pl.Int64)).write_parquet(tmp_path / "articles.parquet")
    assert read_articles(tmp_path).frame.equals(expected)


def test_a_shop_opens_with_bad_rows_and_warns_of_them(tmp_path: Path) -> None:
    write_articles(tmp_path, [article_row("0100000001", UPPER), article_row("x")])
    write_sales(tmp_path, [sale("2020-01-01", "0100000001"), "2020-01-01,a,0100000001,-1,2"])
    with pytest.warns(UserWarning, match="2 rows in .* were left out, the first: articles.csv line 3: article_id 'x'"):
        shop = Shop.open(tmp_path)
    assert [row.line for row in shop.bad_rows] == [3, 3]
    assert shop.bestsellers("top5gub", "2020-W01")[0].units == 1


# The shop's cache


def many_sales(folder: Path) -> None:
    """Six weeks, three articles."""
    articles = ["0100000001", "0100000002", "0100000003"]
    write_articles(folder, [article_row(article, UPPER) for article in articles])
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=number) for number in range(40)]
    write_sales(folder, [sale(str(day), articles[(day.day * n) % 3]) for day in days for n in range(5)])


def bestsellers_of(shop: Shop) -> list:
    return [shop.bestsellers("top5gub", week) for week in shop.weeks]


def test_a_shop_keeps_a_copy_of_large_sales_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many_sales(tmp_path)
    cache = tmp_path / "cache"
    first = Shop.open(tmp_path, cache_dir=cache)
    assert not cache.exists()
    monkeypatch.setattr(shop_module, "CACHED_FROM_BYTES", 1000)
    Shop.open(tmp_path, cache_dir=cache)
    monkeypatch.setattr(sales, "read_rows", lambda *_: pytest.fail("the file was read again"))
    again = Shop.open(tmp_path, cache_dir=cache)
    assert again.units.equals(first.units) and again.days == first.days
    assert bestsellers_of(again) == bestsellers_of(first)


@pytest.mark.parametrize("num_rows", [1, 4, 1000])
def test_ranking_a_few_weeks_at_a_time_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_rows: int
) -> None:
    many_sales(tmp_path)
    expected = Shop.open(tmp_path)
    assert len(expected.weeks) == 6 and all(len(found) == 3 for found in bestsellers_of(expected))
    monkeypatch.setattr(shop_module, "CHUNK_ROWS", num_rows)
    assert bestsellers_of(Shop.open(tmp_path)) == bestsellers_of(expected)


def test_a_shop_opens_without_its_cache_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many_sales(tmp_path)
    monkeypatch.setattr(shop_module, "CACHED_FROM_BYTES", 1000)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.warns(UserWarning, match="read whole each time: .*file/cache cannot be written to .*XDG_CACHE_HOME"):
        shop = Shop.open(tmp_path, cache_dir=tmp_path / "file" / "cache")
    assert len(shop.weeks) == 6
