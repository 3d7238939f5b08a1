"""Photos and labels -> data set: drawn garments on an uneven, noisy ground stand in for photos with a known truth."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fashiondistill.config import GROUND, PrepareDrawingsConfig, PreparePhotosConfig
from fashiondistill.data.attributes import COLOUR_BY_WORD
from fashiondistill.data.drawings import draw_garment
from fashiondistill.data.drawingset import prepare_drawings
from fashiondistill.data.lines import MAX_INK, draw_lines, draw_outline
from fashiondistill.data.masks import garment_mask
from fashiondistill.data.photos import PhotoRejected, lines_from_photo, prepare_photo
from fashiondistill.data.photoset import _article_ids, prepare_photos, split_senders
from fashiondistill.data.placing import FILL, place_garment
from fashiondistill.data.vitonhd import DRAWING, ArticleRecord, article_path, read_article, read_manifest
from fashiondistill.prepare import main

Capture = pytest.CaptureFixture[str]


@dataclass(frozen=True)
class Shot:
    """A photo that is made up: what it shows, who sent it, and what its caption must be."""

    name: str
    sender: str
    label: str
    kind: str
    colours: tuple[str, ...]
    pattern: str
    caption: str
    seed: int = 2


SHOTS = (
    Shot("a1", "anna", "T-Shirt", "t-shirt", ("red",), "plain", "red plain t-shirt, short sleeves"),
    Shot("a2", "anna", "Dress", "dress", ("navy",), "plain", "navy plain dress, knee length", 14),
    Shot("b1", "ben", "Pants", "trousers", ("black",), "plain", "black plain trousers, regular fit"),
    Shot("c1", "carl", "Skirt", "skirt", ("mustard",), "plain", "mustard plain skirt, knee length"),
    Shot("d1", "dora", "Shoes", "shoes", ("brown",), "plain", "brown plain shoes"),
    Shot(
        "e1", "emil", "T-Shirt", "t-shirt", ("navy", "yellow"), "striped",
        "navy and yellow striped t-shirt, short sleeves", seed=4,  # wide stripes: narrow ones blend when measured
    ),
)  # fmt: skip
BAD = {  # name -> sender, label, reason
    "x1": ("anna", "Not sure", "label 'Not sure' names no garment"),
    "x2": ("ben", "Dress", "photo: there is no file"),
    "x3": ("dora", "Dress", "x3.png is not a picture that can be read"),
    "x4": ("dora", "T-Shirt", "mask score"),
}
SHARES = ("--val_share=0.1", "--test_share=0.1", "--num_workers=1", "--min_score=0.7")


def photo_of(shot: Shot) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [640, 480, 3] photo with light from one side, and the true mask uint8 [640, 480]."""
    drawn = draw_garment(shot.kind, colours=shot.colours, pattern=shot.pattern, seed=shot.seed)
    generator = np.random.default_rng(2)
    y, x = np.linspace(-1, 1, 640)[:, None, None], np.linspace(-1, 1, 480)[None, :, None]
    ground = np.array([150, 170, 190]) + 18 * y + 12 * x
    picture, mask = np.zeros((640, 480, 3), np.uint8), np.zeros((640, 480), np.uint8)
    top, left = 64 + int(generator.integers(-20, 21)), 48 + int(generator.integers(-15, 16))
    window = slice(top, top + 512), slice(left, left + 384)
    picture[window], mask[window] = drawn.image, drawn.mask
    alpha = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.8)[..., None]
    mixed = picture * alpha + ground * (1 - alpha) + generator.normal(0, 6, (640, 480, 1))
    return mixed.clip(0, 255).round().astype(np.uint8), mask


def iou(first: np.ndarray, second: np.ndarray) -> float:
    return np.count_nonzero((first > 0) & (second > 0)) / np.count_nonzero((first > 0) | (second > 0))


def write_labels(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    with open(folder / "images.csv", "w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([("image", "sender_id", "label", "kids"), *((*row, "False") for row in rows)])


def all_rows() -> list[tuple[str, str, str]]:
    rows = [(shot.name, shot.sender, shot.label) for shot in SHOTS]
    return rows + [(f"{name}.png" if name == "x3" else name, bad[0], bad[1]) for name, bad in BAD.items()]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    (folder / "images").mkdir()
    for number, shot in enumerate(SHOTS):
        image = Image.fromarray(photo_of(shot)[0])
        image.save(folder / "images" / f"{shot.name}{('.jpg', '.png', '.webp')[number % 3]}", quality=92)
    Image.new("RGB", (300, 400), (90, 120, 90)).save(folder / "images" / "x1.jpg")
    (folder / "images" / "x3.png").write_text("no picture", encoding="utf-8")
    noise = np.random.default_rng(0).integers(0, 255, (400, 300, 3), np.uint8)
    Image.fromarray(noise).save(folder / "images" / "x4.jpg")
    write_labels(folder, all_rows())
    return folder


@pytest.fixture(scope="module")
def prepared(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared") / "set"
    assert main(["photos", f"--photos={photos}", f"--out={out}", *SHARES]) == 0
    return out


@pytest.fixture
def copy(prepared: Path, tmp_path: Path) -> Path:
    """A data set to go on with."""
    return Path(shutil.copytree(prepared, tmp_path / "copy", copy_function=shutil.copy2))


def by_source(root: Path) -> dict[str, ArticleRecord]:
    return {record.source: record for record in read_manifest(root)}


def snapshot(root: Path) -> dict[str, int]:
    """File -> time of last change, of all pictures."""
    return {str(p.relative_to(root)): p.stat().st_mtime_ns for p in root.rglob("*") if p.suffix in (".jpg", ".png")}


# The data set.


def test_layout_is_the_published_one(prepared: Path) -> None:
    records = read_manifest(prepared)
    assert sorted(record.source for record in records) == sorted(shot.name for shot in SHOTS)
    expected = {article_path(prepared, r, kind) for r in records for kind in ("images", "im_sketch", "im_seg")}
    assert {path for path in prepared.rglob("*") if path.suffix in (".jpg", ".png")} == expected
    assert {p.name for p in prepared.iterdir() if p.is_file()} == {
        "manifest.jsonl", "captions.json", "rejects.csv", "progress.jsonl", "run.json",
    }  # fmt: skip
    assert not list(prepared.rglob("*.part"))
    for record in records:
        stem = f"{record.split}/images/{record.category}/undated/{record.article_id}.jpg"
        with Image.open(prepared / stem) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (384, 512))
        with Image.open(article_path(prepared, record, "im_seg")) as seg:
            assert seg.mode == "P" and set(np.unique(np.asarray(seg))) == {0, 1}
        with Image.open(article_path(prepared, record, "im_sketch")) as sketch:
            assert sketch.mode == "L" and np.median(np.asarray(sketch)) == 0
        assert len(record.article_id) == 10 and record.article_id.startswith("0")


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_masks_match_the_truth(prepared: Path, shot: Shot) -> None:
    image, truth = photo_of(shot)
    found = garment_mask(image)
    assert iou(found.mask, truth) > 0.95 and 0.7 < found.score <= 1
    pictures = read_article(prepared, by_source(prepared)[shot.name])
    # The placed mask is drawn in by a pixel or two on purpose, which costs narrow sleeves the most.
    assert iou(pictures.mask, place_garment(image, truth)[1]) > 0.84
    outside = cv2.dilate(pictures.mask, np.ones((9, 9))) == 0
    assert np.abs(pictures.image[outside].astype(int) - GROUND).max() <= 12  # JPEG


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
def test_captions_say_what_was_drawn(prepared: Path, shot: Shot) -> None:
    record = by_source(prepared)[shot.name]
    assert record.caption == shot.caption
    assert (record.colours, record.pattern, record.garment) == (shot.colours, shot.pattern, shot.kind)
    for word, rgb in zip(record.colours, record.colour_rgb, strict=True):
        assert np.abs(np.array(rgb) - COLOUR_BY_WORD[word].rgb).max() < 45
    captions = json.loads((prepared / "captions.json").read_text(encoding="utf-8"))
    assert captions[record.article_id] == [shot.caption, f"{', '.join(shot.colours)}, {shot.pattern}", shot.kind]


def test_sketches_draw_the_outline_and_stay_sparse(prepared: Path) -> None:
    for record in read_manifest(prepared):
        pictures = read_article(prepared, record)
        edge = cv2.morphologyEx(pictures.mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        near_stroke = cv2.dilate((pictures.sketch > 100).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        assert near_stroke[edge].mean() > 0.97, record.source
        inside = cv2.erode(pictures.mask, np.ones((15, 15), np.uint8)) > 0
        assert (pictures.sketch[inside] > 96).mean() < 1.5 * MAX_INK, record.source
        assert pictures.sketch[cv2.dilate(pictures.mask, np.ones((9, 9))) == 0].max() == 0


def test_rejects_are_listed_with_reasons(prepared: Path) -> None:
    with open(prepared / "rejects.csv", newline="", encoding="utf-8") as handle:
        rejects = {Path(row["image"]).stem: row for row in csv.DictReader(handle)}
    assert set(rejects) == set(BAD)
    for name, (_, label, reason) in BAD.items():
        assert rejects[name]["label"] == label and reason in rejects[name]["reason"]
    assert "x2.jpg" in rejects["x2"]["reason"]


def test_report_counts_accepted_and_rejected(copy: Path, photos: Path, capsys: Capture) -> None:
    assert main(["photos", f"--photos={photos}", f"--out={copy}", *SHARES]) == 0
    output = capsys.readouterr().out
    assert "accepted 6 of 10 photos" in output and "rejects.csv lists every reason" in output


# Splits.


def test_no_sender_is_in_two_splits(prepared: Path) -> None:
    splits: dict[str, set[str]] = {}
    for record in read_manifest(prepared):
        splits.setdefault(record.sender, set()).add(record.split)
    assert set(splits) == {shot.sender for shot in SHOTS}
    assert all(len(found) == 1 for found in splits.values())
    assert {split for found in splits.values() for split in found} == {"train", "val", "test"}


@given(
    st.dictionaries(st.text(min_size=1, max_size=6), st.integers(1, 60), min_size=1, max_size=60),
    st.floats(0, 0.49),
    st.floats(0, 0.49),
)
@settings(max_examples=60, deadline=None)
def test_split_senders_keeps_to_its_shares(counts: dict[str, int], val: float, test: float) -> None:
    val, test = round(val, 3), round(test, 3)
    splits = split_senders(counts, val=val, test=test)
    assert set(splits) == set(counts) and set(splits.values()) <= {"train", "val", "test"}
    total = sum(counts.values())
    for name, share in (("val", val), ("test", test)):
        limit = max(1.0, 0.25 * share * total)
        chosen = [counts[sender] for sender, split in splits.items() if split == name]
        assert sum(chosen) <= share * total + limit and all(count <= limit for count in chosen)
        assert share > 0 or not chosen
    shuffled = dict(reversed(counts.items()))
    assert split_senders(shuffled, val=val, test=test) == splits


@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=50))
@settings(max_examples=30, deadline=None)
def test_article_ids_are_distinct_ten_digits(names: list[str]) -> None:
    ids = _article_ids(names)
    assert len(set(ids.values())) == len(names)
    assert all(len(i) == 10 and i.isdigit() and i.startswith("0") for i in ids.values())
    assert _article_ids(names[::-1]) == ids


# Interrupted and repeated runs.


def run_again(photos: Path, out: Path) -> list[str]:
    """Names of the photos that were prepared in this run."""
    path = out / "progress.jsonl"
    before = len(path.read_text(encoding="utf-8").splitlines())
    prepare_photos(
        PreparePhotosConfig(str(photos), str(out), min_score=0.7, val_share=0.1, test_share=0.1, num_workers=1)
    )
    lines = path.read_text(encoding="utf-8").splitlines()[before:]
    return [entry["name"] for entry in map(json.loads, lines) if "name" in entry]


def test_a_finished_run_is_not_done_again(photos: Path, copy: Path) -> None:
    before, manifest = snapshot(copy), (copy / "manifest.jsonl").read_bytes()
    assert run_again(photos, copy) == []
    assert snapshot(copy) == before and (copy / "manifest.jsonl").read_bytes() == manifest


@pytest.mark.parametrize("end", ['{"name": "e1", "label": "T-Shirt", "record": {"article_id": "0"}', '{"na'])
def test_a_killed_run_goes_on_where_it_stopped(photos: Path, copy: Path, prepared: Path, end: str) -> None:
    path = copy / "progress.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if '"name": "e1"' not in line]
    assert len(kept) == len(lines) - 1
    path.write_text("\n".join([*kept, end]), encoding="utf-8")  # the last line was cut off by the kill
    article_path(copy, by_source(copy)["c1"], "im_sketch").unlink()  # and a file was lost
    (copy / "manifest.jsonl").unlink()
    assert run_again(photos, copy) == ["c1", "e1"]
    assert (copy / "manifest.jsonl").read_bytes() == (prepared / "manifest.jsonl").read_bytes()
    assert snapshot(copy).keys() == snapshot(prepared).keys()
    assert run_again(photos, copy) == []


@pytest.fixture
def few(photos: Path, tmp_path: Path) -> Path:
    """A folder of one photo."""
    (tmp_path / "few" / "images").mkdir(parents=True)
    shutil.copy(photos / "images" / "c1.jpg", tmp_path / "few" / "images")
    write_labels(tmp_path / "few", [("c1", "carl", "Skirt")])
    return tmp_path / "few"


def test_a_kill_before_the_first_photo_is_a_fresh_start(few: Path, tmp_path: Path) -> None:
    for text in ("", '{"opti'):
        (tmp_path / "progress.jsonl").write_text(text, encoding="utf-8")
        assert run_again(few, tmp_path)[-1:] == ["c1"]
        assert run_again(few, tmp_path) == []


def test_changed_labels_move_only_what_they_concern(photos: Path, copy: Path, tmp_path: Path) -> None:
    """A sender's photos that change splits leave no copy in the old one."""
    changed = tmp_path / "changed"
    shutil.copytree(photos, changed)
    records = by_source(copy)
    held_out = next(r for r in records.values() if r.split == "test")
    rows = [(n, "anna" if n == held_out.source else s, "Top" if n == "b1" else lab) for n, s, lab in all_rows()]
    write_labels(changed, rows)
    done = run_again(changed, copy)
    assert held_out.source in done and "b1" in done and "a1" not in done
    after = by_source(copy)
    assert after["b1"].garment == "top" and after[held_out.source].split == "train"
    senders: dict[str, set[str]] = {}
    for record in after.values():
        senders.setdefault(record.sender, set()).add(record.split)
    assert all(len(splits) == 1 for splits in senders.values())
    counts = Counter(path.stem for path in copy.glob("*/images/*/*/*.jpg"))
    assert set(counts) == {record.article_id for record in after.values()} and set(counts.values()) == {1}


def test_other_options_are_refused(photos: Path, copy: Path, capsys: Capture) -> None:
    assert main(["photos", f"--photos={photos}", f"--out={copy}", "--num_workers=1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --out") and "was made with" in error and "Choose another folder" in error


def test_captions_can_be_written_again(photos: Path, copy: Path, capsys: Capture) -> None:
    before = read_manifest(copy)
    progress = (copy / "progress.jsonl").read_text(encoding="utf-8")
    (copy / "progress.jsonl").write_text(progress.replace(", short sleeves", ""), encoding="utf-8")
    assert run_again(photos, copy) == []  # the captions of an older version
    assert [r.caption for r in read_manifest(copy)] != [r.caption for r in before]
    assert main(["captions", f"--out={copy}"]) == 0
    assert "2 captions changed" in capsys.readouterr().out
    assert read_manifest(copy) == before
    assert (copy / "progress.jsonl").read_text(encoding="utf-8") == progress
    (copy / "progress.jsonl").unlink()
    assert main(["captions", f"--out={copy}"]) == 2
    assert "progress.jsonl is missing" in capsys.readouterr().err


def test_drawings_are_added_and_stay(photos: Path, copy: Path, capsys: Capture) -> None:
    assert main(["drawings", f"--out={copy}", "--num_drawings=12", "--num_workers=1"]) == 0
    assert "drew 12 garments" in capsys.readouterr().out
    assert run_again(photos, copy) == []
    records = read_manifest(copy)
    assert Counter(record.sender == DRAWING for record in records) == {True: 12, False: 6}
    assert len({record.category for record in records if record.sender == DRAWING}) == 6
    for record in records:
        assert read_article(copy, record).mask.max() == 255
    prepare_drawings(PrepareDrawingsConfig(str(copy), num_drawings=3, num_workers=1))
    assert Counter(record.sender == DRAWING for record in read_manifest(copy)) == {True: 3, False: 6}


# Bad input.


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,label\na1,Dress\n", "columns sender_id are missing; it needs image, sender_id, label"),
        ("", "columns image, sender_id, label are missing"),
        ("image,sender_id,label\n", "lists no photos: add a row for each"),
        ("image,sender_id,label\na1,anna,Dress\na2\n", "row 2 lacks image, sender_id or label"),
        ("image,sender_id,label\na1,,Dress\n", "row 1 lacks image, sender_id or label"),
        ("image,sender_id,label\na1,anna,Dress\na1,ben,Dress\n", "a1 is listed more than once"),
        ("image,sender_id,label\na1,anna,Robe d'\xe9t\xe9\n", "is no CSV text .*Save it as CSV in UTF-8"),
    ],
)
def test_bad_labels_are_named(tmp_path: Path, capsys: Capture, text: str, words: str) -> None:
    (tmp_path / "images.csv").write_bytes(text.encode("latin-1"))
    assert main(["photos", f"--photos={tmp_path}", f"--out={tmp_path / 'out'}", "--num_workers=1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: --labels") and error.count("\n") == 1
    with pytest.raises(ValueError, match=words):
        prepare_photos(PreparePhotosConfig(str(tmp_path), str(tmp_path / "out")))
    assert not (tmp_path / "out").exists()


def test_missing_folders_are_named(tmp_path: Path, capsys: Capture) -> None:
    for flags, words in (
        ([f"--photos={tmp_path / 'none'}", f"--out={tmp_path / 'out'}"], "--labels: there is no file"),
        ([f"--out={tmp_path / 'out'}"], "--photos '' is not usable: give the folder"),
        ([f"--photos={tmp_path}"], "--out '' is not usable: give the folder to write to"),
    ):
        assert main(["photos", *flags]) == 2
        assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_segmenter_that_is_not_installed_says_how_and_leaves_the_folder_usable(
    few: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rembg", None)
    flags = ["photos", f"--photos={few}", f"--out={tmp_path / 'out'}", *SHARES]
    assert main([*flags, "--segmenter=rembg"]) == 2
    assert "pip install 'rembg[cpu]'" in capsys.readouterr().err
    assert main(flags) == 0


# Single photos.


def test_reasons_for_rejection() -> None:
    with pytest.raises(PhotoRejected, match="label 'Sock' names no garment"):
        prepare_photo(np.zeros((64, 64, 3), np.uint8), "Sock", min_score=0.5)
    flat = np.full((300, 200, 3), 128, np.uint8)
    with pytest.raises(PhotoRejected, match=r"mask score 0.00 is below 0.5: garment size"):
        prepare_photo(flat, "Dress", min_score=0.5)
    image, _ = photo_of(SHOTS[0])
    with pytest.raises(PhotoRejected, match=r"garment is only \d+ pixels long"):
        prepare_photo(cv2.resize(image, (96, 128), interpolation=cv2.INTER_AREA), "T-Shirt", min_score=0.2)


def test_lines_from_a_photo_are_a_sketch_for_the_canvas() -> None:
    image, truth = photo_of(SHOTS[1])
    sketch = lines_from_photo(image)
    assert sketch.dtype == np.float32 and sketch.shape == (512, 384) and 0 <= sketch.min() < sketch.max() <= 1
    outline = draw_outline(place_garment(image, truth)[1]) > 100
    near = cv2.dilate((sketch > 0.4).astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    assert near[outline].mean() > 0.95
    with pytest.raises(ValueError, match="photo: no garment stands out .* upload an edge map instead"):
        lines_from_photo(np.full((300, 200, 3), 200, np.uint8))


@given(st.integers(40, 300), st.integers(40, 300))
@settings(max_examples=15, deadline=None)
def test_placing_centres_and_fills(height: int, width: int) -> None:
    image, mask = np.full((400, 400, 3), 60, np.uint8), np.zeros((400, 400), np.uint8)
    mask[20 : 20 + height, 30 : 30 + width] = 255
    picture, placed = place_garment(image, mask)
    left, top, placed_width, placed_height = cv2.boundingRect(placed)
    assert max(placed_height / 512, placed_width / 384) == pytest.approx(FILL, abs=0.04)
    assert abs(left + placed_width / 2 - 192) < 2 and abs(top + placed_height / 2 - 256) < 2
    assert tuple(picture[0, 0]) == (GROUND,) * 3 and abs(int(picture[256, 192, 0]) - 60) <= 2


def test_busy_prints_do_not_drown_the_drawing() -> None:
    drawn = draw_garment("t-shirt", colours=("white", "black"), pattern="checked", seed=3)
    lines = draw_lines(drawn.image, drawn.mask)
    inside = cv2.erode(drawn.mask, np.ones((15, 15), np.uint8)) > 0
    assert (lines[inside] > 96).mean() < 1.5 * MAX_INK
