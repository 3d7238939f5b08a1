"""Drawn garments: every kind's picture, mask, sketch and words fit together and are the same for the same seed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from fashiondistill.config import GROUND, PrepareDrawingsConfig
from fashiondistill.data import drawingset
from fashiondistill.data.attributes import COLOUR_BY_WORD, COLOURS, PATTERNS, compose_caption
from fashiondistill.data.categories import CATEGORIES, PHOTO_LABELS, get_category
from fashiondistill.data.drawings import (
    FILL,
    KINDS,
    TEMPLATES,
    TRAINING_KINDS,
    DrawnGarment,
    draw_garment,
    template_sketch,
)
from fashiondistill.data.drawingset import FIRST_ID, prepare_drawings, split_of
from fashiondistill.data.folders import open_folder
from fashiondistill.data.measure import measure_colours, measure_pattern, name_colours
from fashiondistill.data.vitonhd import (
    UNDATED,
    ArticlePictures,
    ArticleRecord,
    read_article,
    read_manifest,
    write_article,
    write_manifest,
)
from fashiondistill.prepare import main

JEWELLERY = ("necklace", "earrings")  # thin: a mask of a few per cent


def drawn(kind: str, *, seed: int = 1, pattern: str = "", colours: tuple[str, ...] = ("red", "navy")) -> DrawnGarment:
    """The kind's last pattern, unless one is given."""
    return draw_garment(kind, colours=colours, pattern=pattern or KINDS[kind].patterns[-1], seed=seed)


@pytest.fixture(scope="module", params=list(KINDS))
def each(request: pytest.FixtureRequest) -> tuple[str, list[DrawnGarment]]:
    """Every kind with two seeds."""
    return request.param, [drawn(request.param, seed=seed) for seed in (1, 2)]


def test_sizes_and_types(each: tuple[str, list[DrawnGarment]]) -> None:
    for one in each[1]:
        assert one.image.shape == (512, 384, 3) and one.image.dtype == np.uint8
        assert one.sketch.shape == one.mask.shape == (512, 384)
        assert one.sketch.dtype == one.mask.dtype == np.uint8
        assert set(np.unique(one.mask)) == {0, 255}
        assert one.sketch.max() > 200 and np.median(one.sketch) == 0  # bright strokes on black


def test_garments_fill_the_frame_on_the_flat_ground(each: tuple[str, list[DrawnGarment]]) -> None:
    kind, garments = each
    for one in garments:
        left, top, width, height = cv2.boundingRect(one.mask)
        assert max(width / 384, height / 512) == pytest.approx(FILL, abs=0.03)
        assert abs(left + width / 2 - 192) < 4 and abs(top + height / 2 - 256) < 4
        assert (one.mask > 0).mean() > (0.01 if kind in JEWELLERY else 0.08)
        outside = cv2.dilate(one.mask, np.ones((5, 5))) == 0
        assert (one.image[outside] == GROUND).all()
        inside = cv2.erode(one.mask, np.ones((5, 5))) > 0
        assert np.abs(one.image[inside].astype(int) - GROUND).max(axis=1).mean() > 30


def test_sketch_lies_on_the_outline_of_the_mask(each: tuple[str, list[DrawnGarment]]) -> None:
    kind, garments = each
    for one in garments:
        edge = cv2.morphologyEx(one.mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        near_stroke = cv2.dilate((one.sketch > 100).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert near_stroke[edge].mean() > 0.97
        far = cv2.dilate(one.mask, np.ones((9, 9))) == 0
        assert one.sketch[far].max(initial=0) == 0
        if kind not in JEWELLERY:  # which are outlines only
            inside = cv2.erode(one.mask, np.ones((7, 7))) > 0
            assert 0.001 < (one.sketch[inside] > 100).mean() < 0.25  # seams, and mostly cloth


def test_words_are_those_of_the_captions(each: tuple[str, list[DrawnGarment]]) -> None:
    kind, garments = each
    pattern = KINDS[kind].patterns[-1]
    for one in garments:
        assert one.caption == f"red and navy {pattern} {kind}"
        assert one.garment == kind and one.category == KINDS[kind].category
        assert get_category(one.category).folder == one.category
    assert set(KINDS[kind].patterns) <= set(PATTERNS) and len(KINDS[kind].patterns) >= 1


def test_another_seed_draws_another_garment(each: tuple[str, list[DrawnGarment]]) -> None:
    first, second = each[1]
    for name in ("image", "sketch", "mask"):
        assert not np.array_equal(getattr(first, name), getattr(second, name))


@pytest.mark.parametrize("kind", ["t-shirt", "shoes", "handbag"])  # the set below compares those of TRAINING_KINDS
def test_the_same_seed_draws_the_same(kind: str) -> None:
    first, second = drawn(kind), drawn(kind)
    for name in ("image", "sketch", "mask"):
        assert np.array_equal(getattr(first, name), getattr(second, name))


def test_shape_does_not_depend_on_colour() -> None:
    red, navy = (drawn("dress", colours=(colour,), pattern="plain") for colour in ("red", "navy"))
    assert np.array_equal(red.sketch, navy.sketch) and np.array_equal(red.mask, navy.mask)
    assert not np.array_equal(red.image, navy.image)


@pytest.mark.parametrize("kind", ["dress", "boxer shorts"])
def test_drawn_colours_are_measured_as_such(kind: str) -> None:
    for colour in ("red", "black", "yellow", "white"):
        one = drawn(kind, colours=(colour,), pattern="plain")
        inside = cv2.erode(one.mask, np.ones((9, 9), np.uint8)) > 0
        mean = one.image[inside].mean(axis=0)
        assert np.abs(mean - COLOUR_BY_WORD[colour].rgb).max() < 40, (kind, colour, mean)


def test_measured_words_are_the_drawn_ones() -> None:
    num_right, num_plain, num_all = 0, 0, 0
    for number, colour in enumerate(("red", "navy", "black", "yellow", "green", "camel")):
        for kind in ("t-shirt", "trousers"):
            one = drawn(kind, seed=number, colours=(colour,), pattern="plain")
            num_right += measure_colours(one.image, one.mask)[0].word == colour
            num_all += 1
            num_plain += measure_pattern(one.image, one.mask) == "plain"
    assert num_right >= 0.95 * num_all
    assert num_plain >= 0.8 * num_all  # seams and shaded folds of bright cloth can pass for a print
    for seed in range(2):
        striped = drawn("t-shirt", seed=seed, colours=("navy", "yellow"), pattern="striped")
        assert measure_pattern(striped.image, striped.mask) == "striped"
        assert {c.word for c in measure_colours(striped.image, striped.mask)} == {"navy", "yellow"}


def test_every_prototype_has_its_own_name() -> None:
    assert name_colours(np.uint8([colour.rgb for colour in COLOURS])) == [colour.word for colour in COLOURS]


def test_captions_are_composed_in_one_form() -> None:
    caption = compose_caption(colours=["navy", "white"], pattern="striped", garment="t-shirt", details=("short", "x"))
    assert caption == "navy and white striped t-shirt, short, x"
    assert compose_caption(colours=["red"], pattern="plain", garment="dress") == "red plain dress"


@pytest.mark.parametrize("category", [category.folder for category in CATEGORIES])
def test_every_category_has_a_template(category: str) -> None:
    sketch = template_sketch(category)
    assert sketch.shape == (512, 384) and sketch.dtype == np.float32
    assert sketch.min() == 0 and 0.8 < sketch.max() <= 1
    assert 0.005 < (sketch > 0.5).mean() < 0.1
    assert KINDS[TEMPLATES[category]].category == category
    rows, columns = np.flatnonzero((sketch > 0.5).any(1)), np.flatnonzero((sketch > 0.5).any(0))
    assert max(np.ptp(rows) / 512, np.ptp(columns) / 384) > 0.8
    assert np.array_equal(sketch, template_sketch(category))


def test_templates_differ_and_unknown_categories_are_named() -> None:
    assert len({template_sketch(category.folder).tobytes() for category in CATEGORIES}) == 6
    with pytest.raises(ValueError, match="category 'hats' is unknown: choose one of top5gub"):
        template_sketch("hats")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "sock"}, "kind 'sock' is unknown: choose one of t-shirt, trousers"),
        ({"colours": ("navi",)}, r"colours \('navi',\): choose one or two of black"),
        ({"colours": ()}, r"colours \(\): choose one or two"),
        ({"colours": ("red", "navy", "black")}, "choose one or two"),
        ({"pattern": "dotty"}, "pattern 'dotty' is unknown: choose one of plain"),
    ],
)
def test_bad_arguments_name_what_exists(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        draw_garment(**({"kind": "dress", "colours": ("red",), "pattern": "plain", "seed": 0} | changes))


# As a data set.


def test_training_kinds_are_what_photos_lack() -> None:
    nouns = {noun for _, noun in PHOTO_LABELS.values()}
    assert not nouns & set(TRAINING_KINDS)
    assert {KINDS[kind].category for kind in TRAINING_KINDS} == {"top5acc", "top5underwear"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("drawings") / "set"
    assert main(["drawings", f"--out={out}", "--num_drawings=10", "--seed=4", "--num_workers=1"]) == 0
    return out


def test_every_kind_has_the_same_share_in_every_split() -> None:
    count = len(TRAINING_KINDS)
    for kind in range(count):
        splits = [split_of(number) for number in range(kind, 40 * count, count)]
        assert (splits.count("val"), splits.count("test")) == (2, 2)


def test_a_set_holds_every_kind(written: Path) -> None:
    records = read_manifest(written)
    assert [r.article_id for r in records] == [f"{FIRST_ID + n:010d}" for n in range(10)]
    assert {r.garment for r in records} == set(TRAINING_KINDS)
    for record in records:
        assert record.week == UNDATED and record.score == 1 and record.pattern in KINDS[record.garment].patterns
        assert record.caption == compose_caption(
            colours=list(record.colours), pattern=record.pattern, garment=record.garment
        )
        pictures = read_article(written, record)
        assert pictures.mask.max() == 255 and pictures.sketch.max() > 200


@pytest.mark.timeout(60, method="thread")  # the other method would wait for the worker that hangs
def test_several_processes_draw_the_same_even_after_opencv_has_started_its_threads(
    written: Path, tmp_path: Path
) -> None:
    cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.uint8), (0, 0), 3)  # a forked worker would hang after this
    prepare_drawings(PrepareDrawingsConfig(str(tmp_path), num_drawings=10, seed=4, num_workers=2))
    assert (tmp_path / "manifest.jsonl").read_bytes() == (written / "manifest.jsonl").read_bytes()
    files = sorted(path.relative_to(written) for path in written.rglob("*.*g") if path.is_file())
    assert len(files) == 30 and all((written / f).read_bytes() == (tmp_path / f).read_bytes() for f in files)


def test_a_photo_with_a_drawings_id_is_not_overwritten(tmp_path: Path) -> None:
    record = ArticleRecord(
        article_id=f"{FIRST_ID + 1:010d}", split="train", category="top5gub", week=UNDATED, garment="shirt",
        caption="red plain shirt", colours=("red",), colour_rgb=((190, 40, 46),), pattern="plain", source="photo",
        sender="anna", score=0.99,
    )  # fmt: skip
    one = drawn("t-shirt")
    write_article(tmp_path, record, ArticlePictures(one.image, one.sketch, one.mask))
    write_manifest(tmp_path, [record])
    with pytest.raises(ValueError, match=r"--num_drawings 5: ids \['0900000001'\] belong to photos. Draw fewer"):
        prepare_drawings(PrepareDrawingsConfig(str(tmp_path), num_drawings=5, num_workers=1))
    assert read_manifest(tmp_path) == [record]
    assert len(prepare_drawings(PrepareDrawingsConfig(str(tmp_path), num_drawings=1, num_workers=1))) == 1
    assert len(json.loads((tmp_path / "captions.json").read_text(encoding="utf-8"))) == 2


def files_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.*g") if path.is_file())


def test_another_number_or_seed_leaves_nothing_of_the_earlier_run(written: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(written, tmp_path / "set"))
    prepare_drawings(PrepareDrawingsConfig(str(out), num_drawings=3, seed=4, num_workers=1))
    assert files_of(out) == files_of(written)[:9] and len(open_folder(out).items) == 3
    kept = [record for record in read_manifest(written) if record.article_id <= f"{FIRST_ID + 2:010d}"]
    assert read_manifest(out) == kept
    prepare_drawings(PrepareDrawingsConfig(str(out), num_drawings=2, seed=5, num_workers=1))
    assert files_of(out) == files_of(written)[:6]
    assert {record.source.split(":")[2] for record in read_manifest(out)} == {"5"}
    assert set(open_folder(out).captions) == {record.article_id for record in read_manifest(out)}


def test_a_killed_run_leaves_no_caption_of_another_picture(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Path(shutil.copytree(written, tmp_path / "set"))
    draw = drawingset._draw_one

    def die(job: tuple[int, int, Path]) -> ArticleRecord:
        if job[0] == 1:
            raise KeyboardInterrupt
        return draw(job)

    monkeypatch.setattr(drawingset, "_draw_one", die)
    with pytest.raises(KeyboardInterrupt):
        prepare_drawings(PrepareDrawingsConfig(str(out), num_drawings=2, seed=5, num_workers=1))
    assert read_manifest(out) == [] and len(files_of(out)) == 3
    monkeypatch.undo()
    prepare_drawings(PrepareDrawingsConfig(str(out), num_drawings=2, seed=5, num_workers=1))
    assert len(read_manifest(out)) == 2 and len(files_of(out)) == 6


def test_drawings_leave_a_shops_captions_as_they_are(tmp_path: Path) -> None:
    record = ArticleRecord(
        article_id="0108775015", split="train", category="top5gub", week="2020-W07", garment="shirt",
        caption="red plain shirt", colours=("red",), colour_rgb=((190, 40, 46),), pattern="plain", source="shop",
        sender="shop", score=0.99,
    )  # fmt: skip
    words = ["Shirt in an airy weave.", "red, solid", "shirt"]
    write_manifest(tmp_path, [record], captions={record.article_id: words})
    for number in (2, 1):
        prepare_drawings(PrepareDrawingsConfig(str(tmp_path), num_drawings=number, num_workers=1))
        captions = json.loads((tmp_path / "captions.json").read_text(encoding="utf-8"))
        assert captions[record.article_id] == words and len(captions) == number + 1


def test_missing_files_of_an_article_are_named(written: Path) -> None:
    record = read_manifest(written)[0]
    moved = ArticleRecord(**(record.__dict__ | {"week": "2020-W10"}))
    with pytest.raises(FileNotFoundError, match=f"images of article {record.article_id} is missing: .*Run prepare"):
        read_article(written, moved)
    with pytest.raises(FileNotFoundError, match="manifest.jsonl is missing: make a data set with"):
        read_manifest(written / "none")
