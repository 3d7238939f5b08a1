"""Drawn garments: every kind's picture, mask, sketch and words fit together and are the same for the same seed."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from fashiondistill.config import GROUND, PrepareDrawingsConfig
from fashiondistill.data import drawingset
from fashiondistill.data.attributes import COLOURS, PATTERNS, compose_caption
from fashiondistill.data.categories import CATEGORIES, get_category
from fashiondistill.data.drawings import (
    KINDS,
    TEMPLATES,
    DrawnGarment,
    draw_garment,
    template_sketch,
)
from fashiondistill.data.drawingset import FIRST_ID, place_of, prepare_drawings
from fashiondistill.data.folders import open_folder
from fashiondistill.data.measure import measure_colours, measure_pattern, name_colours
from fashiondistill.data.tokens import MAX_TOKENS, count_clip_tokens
from fashiondistill.data.vector.kinds import PRINTS_OF_MATERIAL, phrase
from fashiondistill.data.vector.laying import FILL
from fashiondistill.data.vector.patterns import PRINTS
from fashiondistill.data.vector.textures import MATERIALS, TEXTURES
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

THIN = ("necklace", "earrings", "bracelet", "belt", "sunglasses", "heels", "bra")  # a mask of a few per cent


def drawn(kind: str, *, seed: int = 1, pattern: str = "", colours: tuple[str, ...] = ("red", "navy")) -> DrawnGarment:
    """The kind's last pattern, unless one is given."""
    return draw_garment(kind, colours=colours, pattern=pattern or KINDS[kind].patterns[-1], seed=seed)


FEW = (
    "t-shirt",
    "coat",
    "jeans",
    "skirt",
    "dress",
    "sneakers",
    "heels",
    "cap",
    "tote bag",
    "necklace",
    "bra",
    "briefs",
)


@pytest.fixture(scope="module", params=FEW)
def each(request: pytest.FixtureRequest) -> tuple[str, list[DrawnGarment]]:
    """Kinds of every builder with two seeds."""
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
        assert left > 0 and top > 0 and left + width < 384 and top + height < 512
        assert (one.mask > 0).mean() > (0.01 if kind in THIN else 0.08)
        outside = cv2.dilate(one.mask, np.ones((5, 5))) == 0
        assert (one.image[outside] == GROUND).all()
        inside = cv2.erode(one.mask, np.ones((5, 5))) > 0
        assert np.abs(one.image[inside].astype(int) - GROUND).max(axis=1).mean() > 30


def test_sketch_lies_on_the_outline_of_the_mask(each: tuple[str, list[DrawnGarment]]) -> None:
    for one in each[1]:
        edge = cv2.morphologyEx(one.mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        near_stroke = cv2.dilate((one.sketch > 100).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert near_stroke[edge].mean() > 0.97
        far = cv2.dilate(one.mask, np.ones((9, 9))) == 0
        assert one.sketch[far].max(initial=0) == 0
        inside = cv2.erode(one.mask, np.ones((7, 7))) > 0
        if each[0] not in THIN:
            assert 0.001 < (one.sketch[inside] > 100).mean() < 0.25  # seams, and mostly cloth


def test_words_are_those_of_the_parameters(each: tuple[str, list[DrawnGarment]]) -> None:
    kind, garments = each
    for one in garments:
        head, *details = one.caption.split(", ")
        assert head == f"{' and '.join(one.colours)} {one.pattern} {kind}" and tuple(details) == one.details
        said = {phrase(name, one.traits[name]) for name in KINDS[kind].said if name in one.traits} | {
            PRINTS[one.print_name].words,
            MATERIALS[one.material].words,
        }
        assert set(details) - {"gold", "silver", "rose gold"} == said - {""}
        assert PRINTS[one.print_name].pattern == one.pattern
        assert one.garment == kind and one.category == KINDS[kind].category
        assert get_category(one.category).folder == one.category
        assert count_clip_tokens(one.caption) <= MAX_TOKENS
        for name, value in one.traits.items():
            assert value in KINDS[kind].traits.get(name, ()) or KINDS[kind].fixed[name] == value


def test_every_pattern_of_every_kind_has_a_cloth() -> None:
    for kind, made in KINDS.items():
        assert set(made.patterns) <= set(PATTERNS) and "plain" in made.patterns
        for print_name in made.prints:
            cloths = [m for m in made.materials if print_name in PRINTS_OF_MATERIAL.get(m, PRINTS)]
            assert cloths, f"no cloth of {kind} can be {print_name}"
        assert set(made.materials) <= set(MATERIALS)
        assert get_category(made.category).folder == made.category
    assert {material.texture for material in MATERIALS.values()} <= set(TEXTURES)
    assert {kind.category for kind in KINDS.values()} == {category.folder for category in CATEGORIES}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(FEW)))
def test_every_kind_can_be_drawn(kind: str) -> None:
    one = drawn(kind, seed=3, pattern="plain", colours=("navy",))
    assert one.sketch.max() > 200 and 0.01 < (one.mask > 0).mean() < 0.75
    far = cv2.dilate(one.mask, np.ones((9, 9))) == 0
    assert one.sketch[far].max(initial=0) == 0 and (one.image[far] == GROUND).all()


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


SWATCHES = {  # of each category, enough cloth to measure
    "top5gub": "t-shirt", "top5glb": "trousers", "top5gfb": "dress", "top5shoe": "loafers", "top5acc": "tote bag",
    "top5underwear": "briefs",
}  # fmt: skip


def test_measured_colour_is_the_asked_word() -> None:
    """Every word in one category, the dark and the pale ones, which lie closest together, in all."""
    wrong, asked = [], 0
    for number, colour in enumerate(COLOURS):
        for place, kind in enumerate(SWATCHES.values()):
            if number % 6 == place or colour.word in ("black", "white", "navy"):
                one = drawn(kind, seed=number, colours=(colour.word,), pattern="plain")
                seen = measure_colours(one.image, one.mask)[0].word
                wrong += [(colour.word, kind, one.material, seen)] if seen != colour.word else []
                asked += 1
    assert not wrong and asked == len(COLOURS) + 15


def test_black_cloth_shows_its_folds_and_seams() -> None:
    for kind in ("t-shirt", "jeans", "boots"):
        one = drawn(kind, colours=("black",), pattern="plain", seed=4)
        inside = cv2.erode(one.mask, np.ones((9, 9), np.uint8)) > 0
        light = cv2.cvtColor(cv2.GaussianBlur(one.image, (0, 0), 1.5), cv2.COLOR_RGB2LAB)[..., 0][inside] * (100 / 255)
        low, high = np.percentile(light, (3, 97))
        assert high - low > 7, (kind, low, high)  # photographed black cloth spans 8 to 20


def test_measured_stripes_are_the_drawn_ones() -> None:
    for seed in range(4):
        striped = drawn("t-shirt", seed=seed, colours=("navy", "yellow"), pattern="striped")
        assert measure_pattern(striped.image, striped.mask) == "striped"
    wide = drawn("t-shirt", seed=4, colours=("navy", "yellow"), pattern="striped")  # narrow ones blend when measured
    assert wide.print_name == "wide horizontal stripes"
    assert [c.word for c in measure_colours(wide.image, wide.mask)] == ["navy", "yellow"]


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
        ({"kind": "sock"}, "kind 'sock' is unknown: choose one of t-shirt, long-sleeved top"),
        ({"colours": ("navi",)}, r"colours \('navi',\): choose one or two of black"),
        ({"colours": ()}, r"colours \(\): choose one or two"),
        ({"colours": ("red", "navy", "black")}, "choose one or two"),
        ({"pattern": "dotty"}, "pattern 'dotty' is unknown: choose one of plain"),
        ({"kind": "jeans", "pattern": "checked"}, "pattern 'checked' of 'jeans': choose one of plain"),
    ],
)
def test_bad_arguments_name_what_exists(changes: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        draw_garment(**({"kind": "dress", "colours": ("red",), "pattern": "plain", "seed": 0} | changes))


# As a data set.


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("drawings") / "set"
    assert main(["drawings", f"--out={out}", "--num_drawings=10", "--seed=4", "--num_workers=1"]) == 0
    return out


SHARES = PrepareDrawingsConfig("x").shares


def test_categories_have_their_shares_and_kinds_follow_each_other() -> None:
    places = [place_of(number, SHARES) for number in range(400)]
    counts = Counter(KINDS[kind].category for kind, _ in places)
    assert [counts[category.folder] for category in CATEGORIES] == [4 * share for share in SHARES]
    kinds = Counter(kind for kind, _ in places)
    for category in CATEGORIES:
        own = [kinds[kind] for kind, made in KINDS.items() if made.category == category.folder]
        assert max(own) - min(own) <= 1
    assert {KINDS[kind].category for kind, _ in places[:12]} == {category.folder for category in CATEGORIES}
    only_bags = [place_of(number, (0, 0, 0, 0, 1, 0))[0] for number in range(9)]
    assert {KINDS[kind].category for kind in only_bags} == {"top5acc"}


def test_every_kind_has_the_same_share_in_every_split() -> None:
    splits = Counter(place_of(number, SHARES) for number in range(12_000))
    for kind in KINDS:
        number = sum(splits[kind, split] for split in ("train", "val", "test"))
        assert splits[kind, "val"] / number == pytest.approx(0.05, abs=0.02)
        assert splits[kind, "test"] / number == pytest.approx(0.05, abs=0.02)


def test_a_set_holds_what_was_planned(written: Path) -> None:
    records = read_manifest(written)
    assert [r.article_id for r in records] == [f"{FIRST_ID + n:010d}" for n in range(10)]
    assert [(r.garment, r.split) for r in records] == [place_of(number, SHARES) for number in range(10)]
    for record in records:
        assert record.week == UNDATED and record.score == 1 and record.pattern in KINDS[record.garment].patterns
        words = compose_caption(colours=list(record.colours), pattern=record.pattern, garment=record.garment)
        assert record.caption.split(", ")[0] == words
        pictures = read_article(written, record)
        assert pictures.mask.max() == 255 and pictures.sketch.max() > 200


def test_a_repeated_run_draws_nothing_and_a_lost_file_again(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Path(shutil.copytree(written, tmp_path / "set"))
    number, draw = [], drawingset._draw_one
    monkeypatch.setattr(drawingset, "_draw_one", lambda job: number.append(job[0]) or draw(job))
    config = PrepareDrawingsConfig(str(out), num_drawings=10, seed=4, num_workers=1)
    prepare_drawings(config)
    assert number == []
    next(path for path in out.rglob("0900000003.jpg")).unlink()
    prepare_drawings(config)
    assert number == [3]
    assert (out / "manifest.jsonl").read_bytes() == (written / "manifest.jsonl").read_bytes()
    assert files_of(out) == files_of(written)


def test_a_stopped_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number, draw = [], drawingset._draw_one

    def stop(job: tuple) -> ArticleRecord:
        if job[0] == 2 and number.count(2) == 0:
            number.append(2)
            raise KeyboardInterrupt
        number.append(job[0])
        return draw(job)

    monkeypatch.setattr(drawingset, "_draw_one", stop)
    config = PrepareDrawingsConfig(str(tmp_path), num_drawings=3, seed=4, num_workers=1)
    with pytest.raises(KeyboardInterrupt):
        prepare_drawings(config)
    with open(tmp_path / drawingset.FINISHED, "a", encoding="utf-8") as handle:
        handle.write('{"article_id": "09000')  # a line that was being written
    assert len(prepare_drawings(config)) == 3 and number == [0, 1, 2, 2]


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
