"""CLIP evaluation: each picture against its own references, the published files, intervals, judge, and what fails."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashiondistill.scoring import ClipScorer
from tests import tiny
from train import evaluate, predictions
from train.evaluate import ClipEvaluationConfig
from train.intervals import bootstrap

PROMPTS = {"0100000001": "red t-shirt", "0100000002": "navy t-shirt"}
COLOURS = {"0100000001": "red", "0100000002": "navy", "0200000001": "red", "0200000002": "navy"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two articles drawn twice, one reference each (two of the first), in the published layout."""
    root = tmp_path_factory.mktemp("evaluated")
    tiny.save_clip_folder(root / "clip")
    tiny.save_clip_folder(root / "judge", seed=5)
    lines = ["Captions used", "=" * 50]
    for number in range(4):
        article_id = list(PROMPTS)[number % 2]
        name = f"{article_id}_pred_{number:04d}.jpg"
        write(root / "predictions" / "top5gub" / name, COLOURS[article_id], seed=number)
        write(root / "other" / "top5gub" / name, "yellow", seed=number)
        lines += [f"Image: {name}", f"Product ID: {article_id}", "Base Style (for reference only): Image: of a top"]
        lines += [f"Final Generation Prompt: {PROMPTS[article_id]}", "Temporal Weights: [1.0]", "-" * 40]
    for article_id, reference in (("0100000001", "0200000001"), ("0100000002", "0200000002")):
        write(root / "ref_image" / "top5gub" / f"{article_id}_{reference}.jpg", COLOURS[reference], seed=9)
    write(root / "ref_image" / "top5gub" / "0100000001_0200000003.jpg", "green", seed=10)
    write(root / "ref_image" / "top5shoe" / "0100000002_0200000009.jpg", "green", seed=10)  # another category's
    (root / "captions_used.txt").write_text("\n".join([*lines, "Total images: 4"]), encoding="utf-8")
    return root


def write(path: Path, colour: str, *, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(tiny.picture(seed=seed, colours=(colour,))).save(path, quality=95)


def config_of(folder: Path, out: Path, **changes: object) -> ClipEvaluationConfig:
    values = {
        "input_dir": str(folder / "predictions"),
        "captions_file": str(folder / "captions_used.txt"),
        "reference_dir": str(folder / "ref_image"),
        "output_dir": str(out),
        "clip": str(folder / "clip"),
        "device": "cpu",
        "batch_size": 3,
    }
    return ClipEvaluationConfig(**(values | changes))


def pixels_of(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def test_scores_are_cosines_with_the_own_references(folder: Path, tmp_path: Path) -> None:
    summary = evaluate.evaluate(config_of(folder, tmp_path))
    scorer = ClipScorer.load(folder / "clip", "cpu")
    rows = json.loads((tmp_path / "individual_scores.json").read_text())
    assert [Path(row["image_path"]).name[:10] for row in rows] == [
        "0100000001",
        "0100000001",
        "0100000002",
        "0100000002",
    ]
    for row in rows:
        image = scorer.embed_images([pixels_of(Path(row["image_path"]))])[0]
        own = sorted((folder / "ref_image" / "top5gub").glob(f"{Path(row['image_path']).name[:10]}_*.jpg"))
        assert row["references"] == [str(path) for path in own]
        expected = np.mean([scorer.embed_images([pixels_of(path)])[0] @ image for path in own])
        assert row["clip_i_score"] == pytest.approx(expected, abs=1e-5)
        assert row["clip_t_score"] == pytest.approx(scorer.embed_texts([row["caption"]])[0] @ image, abs=1e-5)
        assert row["combined_score"] == pytest.approx(0.6 * row["clip_i_score"] + 0.4 * row["clip_t_score"])
        assert row["image_size"] == [384, 512]
    for name in ("clip_i", "clip_t", "combined"):
        values = [row[f"{name}_score"] for row in rows]
        assert summary[f"{name}_average"] == pytest.approx(np.mean(values))
        assert summary[f"{name}_min"] == min(values) and summary[f"{name}_std"] == pytest.approx(np.std(values))
        low, high = summary[f"{name}_interval"]
        assert low <= summary[f"{name}_average"] <= high
    assert summary["processed_images"] == 4 and summary["failed_images"] == 0
    assert summary["evaluation_config"]["reference_images_count"] == 3
    assert set(summary["evaluation_config"]) >= {"clip_i_weight", "clip_t_weight", "device_used"}


def test_the_published_files_are_written(folder: Path, tmp_path: Path) -> None:
    words = ["--input_dir", str(folder / "predictions"), "--captions_file", str(folder / "captions_used.txt")]
    words += ["--reference_dir", str(folder / "ref_image"), "--output_dir", str(tmp_path), "--device", "cpu"]
    words += ["--clip", str(folder / "clip"), "--create_visualizations"]
    assert evaluate.main(words) == 0
    names = {"summary.json", "individual_scores.json", "scores.csv", "clip_analysis.png", "run.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    with open(tmp_path / "scores.csv", newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert list(rows[0]) == ["image_path", "caption", "clip_t_score", "clip_i_score", "combined_score"]
    assert len(rows) == 4
    chart = np.asarray(Image.open(tmp_path / "clip_analysis.png").convert("RGB"))
    assert chart.shape[1] > 1000 and len(np.unique(chart.reshape(-1, 3), axis=0)) > 20


def test_batches_change_no_score(folder: Path, tmp_path: Path) -> None:
    found = []
    for size in (1, 4):
        evaluate.evaluate(config_of(folder, tmp_path / str(size), batch_size=size))
        rows = json.loads((tmp_path / str(size) / "individual_scores.json").read_text())
        found.append([row["combined_score"] for row in rows])
    assert found[0] == pytest.approx(found[1], abs=1e-5)


def test_without_references_the_words_count_alone(folder: Path, tmp_path: Path) -> None:
    summary = evaluate.evaluate(config_of(folder, tmp_path, reference_dir=""))
    assert "clip_i_average" not in summary
    assert summary["combined_average"] == summary["clip_t_average"]
    assert "clip_i_score" not in (tmp_path / "scores.csv").read_text().splitlines()[0]


def test_the_judge_and_the_win_rate(folder: Path, tmp_path: Path) -> None:
    summary = evaluate.evaluate(
        config_of(folder, tmp_path, judge=str(folder / "judge"), baseline_dir=str(folder / "other"))
    )
    row = json.loads((tmp_path / "individual_scores.json").read_text())[0]
    assert row["judge_clip_i_score"] != row["clip_i_score"]
    assert summary["baseline"]["pairs"] == 4 and 0 <= summary["baseline"]["win_rate"] <= 1
    assert set(summary["judge"]["baseline"]) >= {"win_rate", "win_rate_interval", "clip_i_average"}
    with pytest.raises(ValueError, match="--judge .* is the CLIP that scores"):
        evaluate.evaluate(config_of(folder, tmp_path, judge=str(folder / "clip")))
    same = evaluate.evaluate(config_of(folder, tmp_path, baseline_dir=str(folder / "predictions")))
    assert same["baseline"]["win_rate"] == 0.5


def test_what_cannot_be_scored_is_listed(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "predictions" / "top5gub"
    own.mkdir(parents=True)
    for path in (folder / "predictions" / "top5gub").iterdir():
        (own / path.name).write_bytes(path.read_bytes())
    damaged = own / "0100000001_pred_0000.jpg"
    damaged.write_bytes(damaged.read_bytes()[:-500])
    (own / "0100000009_pred_0007.jpg").write_bytes((own / "0100000002_pred_0001.jpg").read_bytes())
    summary = evaluate.evaluate(config_of(folder, tmp_path / "out", input_dir=str(tmp_path / "predictions")))
    reasons = {Path(one["image_path"]).name: one["reason"] for one in summary["failures"]}
    assert summary["processed_images"] == 3 and summary["failed_images"] == 2 and summary["total_images"] == 5
    assert "damaged or cut off" in reasons[damaged.name]
    assert reasons["0100000009_pred_0007.jpg"] == "no entry in the captions file"
    for path in own.iterdir():
        path.write_bytes(b"nothing")
    words = ["--input_dir", str(tmp_path / "predictions"), "--captions_file", str(folder / "captions_used.txt")]
    words += ["--clip", str(folder / "clip"), "--device", "cpu", "--output_dir", str(tmp_path / "none")]
    assert evaluate.main(words) == 2
    assert "no picture could be scored, of 5" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input_dir": "nowhere"}, "--input_dir nowhere does not exist"),
        ({"captions_file": "nowhere.txt"}, "--captions_file nowhere.txt does not exist"),
        ({"reference_dir": "nowhere"}, "--reference_dir nowhere does not exist"),
        ({"baseline_dir": "nowhere"}, "--baseline_dir nowhere does not exist"),
        ({"clip": "nowhere"}, "nowhere/open_clip_config.json is missing"),
    ],
)
def test_missing_paths_are_named(folder: Path, tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(FileNotFoundError, match=message):
        evaluate.evaluate(config_of(folder, tmp_path, **changes))


def test_captions_are_read_by_line(tmp_path: Path) -> None:
    path = tmp_path / "captions_used.txt"
    path.write_text(
        "Image: a.jpg\nBase Style: Image: b.jpg\nFinal Generation Prompt: red top. Image: soft\nImage: b.jpg\n"
        "Final Generation Prompt: \nImage: c+(1).jpg\nFinal Generation Prompt: blue\n",
        encoding="utf-8",
    )
    assert predictions.read_captions(path) == {"a.jpg": "red top. Image: soft", "c+(1).jpg": "blue"}
    path.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no 'Image:' entry"):
        predictions.read_captions(path)


def test_long_captions_lose_words_at_the_end_and_are_counted(folder: Path, tmp_path: Path) -> None:
    text = (folder / "captions_used.txt").read_text().replace("red t-shirt", "red t-shirt " * 60)
    (tmp_path / "captions.txt").write_text(text)
    summary = evaluate.evaluate(config_of(folder, tmp_path / "out", captions_file=str(tmp_path / "captions.txt")))
    assert summary["processed_images"] == 4 and summary["captions_cut"] == 2


def test_intervals_draw_whole_articles() -> None:
    values, groups = [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0], list("aaaabbbb")
    grouped = bootstrap(values, groups)
    single = bootstrap(values, list("abcdefgh"))
    assert grouped.mean == single.mean == 0.5
    assert (grouped.low, grouped.high) == (0.0, 1.0) and single.low > 0
