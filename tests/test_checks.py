"""prepare check: each fault is found, counted and named; a sound folder passes; the exit status says which it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashiondistill.config import STARTER, CheckConfig, PrepareDrawingsConfig
from fashiondistill.data.checks import ERROR, NOTE, WARNING, CheckReport, check_folder
from fashiondistill.data.dataset import GarmentDataset
from fashiondistill.data.drawingset import prepare_drawings
from fashiondistill.data.folders import Item
from fashiondistill.data.vitonhd import read_manifest
from fashiondistill.prepare import main
from tests.datasets import index_picture, save_item, save_published

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_published(tmp_path_factory.mktemp("published"), size=(96, 144))


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "set"))


def check(root: Path, **options: object) -> CheckReport:
    return check_folder(CheckConfig(dataset_path=str(root), num_workers=1, **options))


def found(report: CheckReport) -> dict[str, tuple[str, int, str]]:
    return {finding.what: (finding.severity, finding.count, finding.first) for finding in report.findings}


def item(root: Path) -> Item:
    return GarmentDataset(root, "val").items[1]


def edit_captions(root: Path, change: Callable[[dict], object]) -> None:
    captions = json.loads((root / "captions.json").read_text(encoding="utf-8"))
    change(captions)
    (root / "captions.json").write_text(json.dumps(captions), encoding="utf-8")


def inverted(path: Path) -> None:
    with Image.open(path) as file:
        Image.fromarray(255 - np.asarray(file)).save(path)


def test_published_folder_passes_and_is_counted(root: Path, capsys: Capture) -> None:
    assert main(["check", str(root), "--num_workers=1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == "split category pictures articles first week last week weeks missing".split()
    assert lines[1].split() == ["train", "top5gub", "11", "11", "2019-W51", "2020-W07", "3"]
    assert lines[2].split() == ["val", "top5gub", "5", "5", "2020-W08", "2020-W10", "0"]
    assert lines[-1] == "19 pictures: 0 kinds of errors, 0 kinds of warnings."
    assert found(check(root))["sketches bright on black"][:2] == (NOTE, 19)


FAULTS: list[tuple[str, str, Callable[[Path], object]]] = [
    (ERROR, "pictures without a sketch", lambda r: item(r).sketch.unlink()),
    (ERROR, "pictures without a mask", lambda r: item(r).mask.unlink()),
    (ERROR, "sketches or masks without a picture", lambda r: item(r).image.unlink()),
    (ERROR, "articles without a caption", lambda r: edit_captions(r, lambda c: c.pop(item(r).article_id))),
    (ERROR, "picture files that cannot be read", lambda r: item(r).image.write_bytes(b"no picture")),
    (ERROR, "sketch files that cannot be read", lambda r: item(r).sketch.write_bytes(b"no picture")),
    (ERROR, "sketches that are no line drawings", lambda r: Image.new("L", (96, 144), 128).save(item(r).sketch)),
    (ERROR, "empty masks", lambda r: index_picture(np.zeros((144, 96), np.uint8)).save(item(r).mask)),
    (ERROR, "masks with colours instead of classes", lambda r: Image.new("RGB", (96, 144)).save(item(r).mask)),
    (
        ERROR, "sketches or masks of other proportions than their picture",
        lambda r: index_picture(np.ones((100, 96), np.uint8)).save(item(r).mask),
    ),
    (ERROR, "equal pictures of different articles in more than one split", lambda r: shutil.copyfile(
        GarmentDataset(r, "train").items[0].image, item(r).image)),
    (ERROR, "splits that overlap in time", lambda r: [
        (r / "val" / kind / "top5gub/2020-week8").rename(r / "val" / kind / "top5gub/2020-week7")
        for kind in ("images", "im_sketch", "im_seg")]),
    (WARNING, "sketches dark on white (inverted when read)", lambda r: inverted(item(r).sketch)),
    (WARNING, "sketches without strokes", lambda r: Image.new("L", (96, 144)).save(item(r).sketch)),
    (WARNING, "masks that cover the whole picture", lambda r: Image.new("1", (384, 512), 1).save(item(r).mask)),
    (WARNING, "files that belong to nothing", lambda r: item(r).image.with_suffix(".jpg.part").touch()),
    (
        WARNING, "captions over 77 tokens (cut when they are read)",
        lambda r: edit_captions(r, lambda c: c.update({item(r).article_id: ["word " * 80]})),
    ),
    (NOTE, "captions of articles without a picture", lambda r: edit_captions(r, lambda c: c.update({"0": ["Hat."]}))),
    (NOTE, "articles that sold in more than one split", lambda r: [
        shutil.copyfile(path, path.parents[4] / "val" / path.parents[2].name / "top5gub/2020-week8" / path.name)
        for path in (r / "train").rglob("0633148001*")]),
]  # fmt: skip


@pytest.mark.parametrize(("severity", "what", "damage"), FAULTS, ids=[what for _, what, _ in FAULTS])
def test_faults_are_found_and_named(
    root: Path, severity: str, what: str, damage: Callable[[Path], object], capsys: Capture
) -> None:
    shape = "pull" if "whole picture" in what else "pad"
    assert what not in found(check(root, shape=shape))
    damage(root)
    report = check(root, shape=shape)
    after = found(report)
    assert after[what][0] == severity and after[what][1] in (1, 2) and after[what][2]
    assert str(root) not in after[what][2] or severity == ERROR
    assert (report.num_errors > 0) == (severity == ERROR)
    assert main(["check", str(root), "--num_workers=1", f"--shape={shape}"]) == (severity == ERROR)
    assert f"{severity.upper()}  " in capsys.readouterr().out


def test_polarity_is_a_note_if_all_agree(root: Path) -> None:
    for path in root.rglob("im_sketch/*/*/*.png"):
        inverted(path)
    assert found(check(root))["sketches dark on white (inverted when read)"][:2] == (NOTE, 19)


def test_unseen_share_counts_pictures_whose_article_train_lacks(root: Path) -> None:
    for kind, path in ((path.parents[2].name, path) for path in list((root / "train").rglob("0633157001*"))):
        shutil.copyfile(path, root / "val" / kind / "top5gub/2020-week8" / path.name)
    notes = [(f.what, f.count) for f in check(root).findings if "that train lacks" in f.what]
    assert notes == [
        ("pictures of val show articles that train lacks (83.3% of 6)", 5),
        ("pictures of test show articles that train lacks (100.0% of 3)", 3),
    ]


def test_prepared_data_sets_pass_and_undated_articles_must_not_cross_splits(tmp_path: Path) -> None:
    prepare_drawings(PrepareDrawingsConfig(out=str(tmp_path), num_drawings=20, num_workers=1))
    report = check(tmp_path, tokenizer=str(STARTER / "tokenizer"))
    assert report.num_errors == 0 and {row[4] for row in report.counts} == {"undated"}
    record = next(r for r in read_manifest(tmp_path) if r.split == "train")
    for path in list((tmp_path / "train").rglob(f"{record.article_id}*")):
        copy = tmp_path / "test" / path.relative_to(tmp_path / "train")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    after = found(check(tmp_path))
    assert after["undated articles in more than one split"] == (ERROR, 1, record.article_id)


def test_other_vocabularies_count_otherwise(root: Path) -> None:
    edit_captions(root, lambda captions: captions.update({item(root).article_id: ["jacquard peplum " * 15]}))
    what = "captions over 77 tokens (cut when they are read)"
    assert what not in found(check(root)) and found(check(root, tokenizer=str(STARTER / "tokenizer")))[what][1] == 1


def test_workers_give_the_same_report(root: Path) -> None:
    item(root).sketch.write_bytes(b"no picture")
    alone = check(root)
    assert check_folder(CheckConfig(dataset_path=str(root), num_workers=2)) == alone


def test_folders_that_cannot_be_listed_are_bad_input(tmp_path: Path, capsys: Capture) -> None:
    assert main(["check", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: --dataset_path {tmp_path} holds no pictures")
    save_item(tmp_path, ("train", "top5gub", "2020-week1", "0000000001"), size=(96, 144), seed=0)
    assert main(["check", str(tmp_path)]) == 2 and "captions.json is missing" in capsys.readouterr().err
    with pytest.raises(SystemExit) as error:
        main(["check"])
    assert error.value.code == 2
