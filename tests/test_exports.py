"""ZIP, CSV, SVG, PDF and palettes: they open in other programs and say what they should."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
import zipfile

import cv2
import numpy as np
import pandas as pd
import pypdfium2
import pytest

from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.drawings import template_sketch
from fashiondistill.exports.archive import board_zip
from fashiondistill.exports.colournames import TEXTILE_COLOURS
from fashiondistill.exports.linesheet import linesheet_pdf
from fashiondistill.exports.palette import nearest_name, palette
from fashiondistill.exports.passport import read_passport
from fashiondistill.exports.strokes import trace
from fashiondistill.exports.svg import sketch_svg
from fashiondistill.exports.tables import safe_cell, scores_csv
from tests.passports import PROMPT, passport, picture

BOARD = [passport(1), passport(2, word="red", notes="cream"), passport(3, word="white", category="top5gfb")]


# ---- palette


def test_every_name_is_nearest_to_its_own_prototype_and_there_are_many() -> None:
    assert len(TEXTILE_COLOURS) > 90 and all(name == name.lower() for name in TEXTILE_COLOURS)
    assert {name: nearest_name(rgb) for name, rgb in TEXTILE_COLOURS.items()} == {n: n for n in TEXTILE_COLOURS}


def test_palette_names_cloth_and_its_shares() -> None:
    (navy, red) = palette(picture("navy", stripe="red"))
    assert (navy.name, navy.hex) == ("navy", "#242b44") and red.name == "red"
    assert navy.share == pytest.approx(2 / 3, abs=0.02) and navy.share + red.share == pytest.approx(1, abs=0.02)
    assert palette(picture("navy", stripe="red")) == (navy, red)  # no chance in it


def test_palette_sees_white_cloth_but_not_the_ground_behind_a_handle() -> None:
    assert [swatch.name for swatch in palette(picture("white"))] == ["white"]
    bag = picture("olive")
    bag[150:250, 140:240] = 246
    assert [swatch.name for swatch in palette(bag)] == ["olive"]
    assert len(palette(np.full((512, 384, 3), 246, np.uint8))) == 1


# ---- SVG


def rasterised(svg: str, *, scale: int = 4) -> np.ndarray:
    """What a viewer would draw, float [512, 384]: Beziers flattened, round strokes with OpenCV."""
    canvas = np.zeros((512 * scale, 384 * scale), np.uint8)
    for path in ElementTree.fromstring(svg.encode()).iter("{http://www.w3.org/2000/svg}path"):
        points: list[np.ndarray] = []
        for letter, numbers in re.findall(r"([MCZl])([^MCZl]*)", path.get("d")):
            values = np.array(numbers.split(), float).reshape(-1, 2)
            if letter == "M":
                points = [values[0]]
            elif letter == "C":
                curve, t = np.stack([points[-1], *values]), np.linspace(0, 1, 12)[1:, None]
                weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
                points += list(weights @ curve)
        drawn = ((np.array(points) * scale - 0.5) * 16).round().astype(np.int32)
        width = path.get("stroke-width")
        if width is None:
            cv2.fillPoly(canvas, [drawn], 255, cv2.LINE_AA, 4)
        else:
            cv2.polylines(canvas, [drawn], False, 255, max(1, round(float(width) * scale)), cv2.LINE_AA, 4)
    return cv2.resize(canvas, (384, 512), interpolation=cv2.INTER_AREA) / 255


def overlap(sketch: np.ndarray, again: np.ndarray) -> tuple[float, float, float]:
    """IoU, and the shares of either's ink that lie within a pixel of the other's."""
    one, other = sketch > 0.5, again > 0.5
    near_one, near_other = (cv2.dilate(each.astype(np.uint8), np.ones((3, 3))) > 0 for each in (one, other))
    return (
        (one & other).sum() / (one | other).sum(),
        (one & near_other).sum() / one.sum(),
        (other & near_one).sum() / other.sum(),
    )


@pytest.mark.parametrize("category", [one.folder for one in CATEGORIES])
def test_svg_draws_the_sketch_again(category: str) -> None:
    sketch = template_sketch(category)
    svg = sketch_svg(sketch, title='a <b> & "c"\x00')
    iou, kept, added = overlap(sketch, rasterised(svg))
    assert iou > 0.75 and kept > 0.985 and added > 0.985  # lines of 2.5 pixels: a tenth of a pixel off costs 0.08
    assert svg.count("<path") < 80 and len(svg) < 14_000  # strokes to be edited, not a cloud of specks


def test_svg_knows_areas_dots_hairlines_and_loops() -> None:
    ink = np.zeros((512, 384), np.uint8)  # OpenCV softens edges in 8 bits only
    cv2.circle(ink, (150, 200), 40, 255, -1, cv2.LINE_AA)
    cv2.line(ink, (20, 20), (330, 20), 128, 1)
    cv2.circle(ink, (250, 400), 60, 255, 3, cv2.LINE_AA)
    cv2.circle(ink, (40, 460), 2, 255, -1)
    sketch = ink.astype(np.float32) / 255
    width = sketch[330:470, 190:320].sum() / (2 * np.pi * 60)
    strokes, areas = trace(sketch)
    assert len(areas) == 1 and len(strokes) == 3
    loop = max(strokes, key=lambda one: len(one.points) * one.closed)
    assert loop.closed and loop.width == pytest.approx(width, abs=0.4)
    assert min(one.ink for one in strokes) == pytest.approx(0.5, abs=0.1)
    assert overlap(sketch * 1.1, rasterised(sketch_svg(sketch)))[0] > 0.9


def test_svg_of_white_paper_is_a_valid_empty_drawing() -> None:
    root = ElementTree.fromstring(sketch_svg(np.zeros((512, 384), np.float32)).encode())
    assert root.get("viewBox") == "0 0 384 512" and not list(root.iter("{http://www.w3.org/2000/svg}path"))


# ---- CSV


def test_csv_opens_in_excel_and_pandas() -> None:
    data = scores_csv(BOARD)
    assert data.startswith(b"\xef\xbb\xbffile,rank,combined,clip_i,clip_t,category,week,prompt,seed")
    table = pd.read_csv(io.BytesIO(data), dtype={"nearest_article_id": str}, encoding="utf-8-sig")
    assert list(table["prompt"]) == [PROMPT] * 3 and list(table["rank"]) == [1, 2, 3]
    assert list(table["palette_names"]) == ["navy", "red", "white"] and table["palette_hex"][0] == "#242b44"
    assert table["clip_t"].dtype == float and table["nearest_article_id"][0] == "0100000000"
    assert table["notes"].fillna("").tolist() == ["", "cream", ""] and data.count(b"\r\n") == 4


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "\uff1d1"])
def test_formulas_stay_words(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    rows = list(csv.reader(io.StringIO(scores_csv([passport(prompt=f"{text} x", notes=text)]).decode("utf-8-sig"))))
    assert not [cell for cell in rows[1] if cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_plain_words_are_left_alone() -> None:
    assert safe_cell("navy - striped") == "navy - striped" and safe_cell("") == ""


# ---- ZIP


def test_zip_holds_a_board_that_can_be_read_again() -> None:
    twice = [*BOARD, passport(1)]
    data = board_zip(twice, title="Spring")
    assert data == board_zip(twice, title="Spring")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        board = json.loads(archive.read("board.json"))
        assert board["title"] == "Spring" and [one["rank"] for one in board["designs"]] == [1, 2, 3, 1]
        assert sorted(names) == sorted(
            ["board.json", "scores.csv", "sketches/sketch1.svg", "sketches/sketch2.svg"]
            + [one["file"] for one in board["designs"]]
        )
        assert len(set(names)) == len(names) and board["designs"][3]["file"].endswith("rank1-2.png")
        for one, entry in zip(twice, board["designs"], strict=True):
            back = read_passport(archive.read(entry["file"]))
            assert back.describe() == one.describe() == {key: entry[key] for key in one.describe()}
            assert archive.read(entry["sketch"]).startswith(b"<?xml")
        files = [row["file"] for row in csv.DictReader(io.StringIO(archive.read("scores.csv").decode("utf-8-sig")))]
        assert files == [one["file"] for one in board["designs"]]


def test_nothing_to_export_is_said() -> None:
    for export in (scores_csv, lambda none: board_zip(none, title=""), lambda none: linesheet_pdf(none, title="")):
        with pytest.raises(ValueError, match="^export: there is no design to export"):
            export([])


# ---- PDF


def test_line_sheet_has_every_design_in_order_with_fonts_and_page_numbers() -> None:
    board = [passport(n, prompt=f"prompt number {n}", notes="x " * 300 if n == 2 else "") for n in range(1, 7)]
    pdf = pypdfium2.PdfDocument(linesheet_pdf(board, title="Fr\u00fchling \U0001f457"))
    assert len(pdf) == 2 and pdf[0].get_size() == pytest.approx((841.9, 595.3), abs=0.1)
    first, second = (pdf[n].get_textpage().get_text_bounded() for n in range(2))
    assert "Fr\u00fchling \ufffd" in first and "Page 1 of 2" in first and "Page 2 of 2" in second
    assert "Upper body \u00b7 Week 2020-W10 \u00b7 6 designs" in first
    assert [first.index(f"prompt number {n}") for n in range(1, 5)] == sorted(
        first.index(f"prompt number {n}") for n in range(1, 5)
    )
    assert "prompt number 5" in second and "prompt number 5" not in first
    assert "Navy" in first and "#242B44" in first and "Combined 0.530" in first and "\u2026" in first
    data = linesheet_pdf(board[:1], title="")
    assert data.count(b"/FontFile2") == 2 and b"DejaVuSans" in data


def test_nothing_of_a_line_sheet_runs_into_its_neighbour_or_off_the_page() -> None:
    """The gutters between the columns and the margins stay white, whatever the words."""
    long = passport(1, prompt="W" * 400, notes="mmmm " * 200)
    page = pypdfium2.PdfDocument(linesheet_pdf([long] * 4, title="W" * 300))[0].render(scale=2).to_numpy()
    per_mm = page.shape[1] / 297
    column = (297 - 28 - 21) / 4
    for start, end in [(0, 13), (284, 297)] + [
        (14 + n * (column + 7) - 6, 14 + n * (column + 7) - 1) for n in (1, 2, 3)
    ]:
        gutter = page[round(32 * per_mm) : round(197 * per_mm), round(start * per_mm) : round(end * per_mm)]
        assert gutter.min() == 255
    assert page[round(190 * per_mm) : round(198 * per_mm)].min() == 255  # and above the footer
