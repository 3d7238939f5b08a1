"""python -m fashiondistill.generate with tiny models and a made-up shop: what it writes, and every bad input."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashiondistill.data.drawings import template_sketch
from fashiondistill.data.shop import Shop
from fashiondistill.export import read_png_metadata
from fashiondistill.generate import main
from fashiondistill.trends import trend_prompt
from tests import tiny

Capture = pytest.CaptureFixture[str]
FEW_STEPS = {"num_candidates": 3, "num_inference_steps": 2}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """model/, shop/ and sketch.png (dark lines on white) for all tests."""
    folder = tmp_path_factory.mktemp("shared")
    tiny.save_model(folder / "model")
    tiny.save_catalogue(folder / "shop")
    Image.fromarray((255 - template_sketch(tiny.CATEGORY) * 255).astype(np.uint8)).save(folder / "sketch.png")
    return folder


def flags(shared: Path, to: Path, **changes: object) -> list[str]:
    """A command line that works, changed; None leaves a flag out."""
    values: dict[str, object] = {
        "sketch": shared / "sketch.png",
        "category": tiny.CATEGORY,
        "week": tiny.WEEK,
        "prompt": tiny.CAPTION,
        "out": to,
        "model": shared / "model",
        "catalogue": shared / "shop",
        "device": "cpu",
        **FEW_STEPS,
    }
    return [f"--{name}={value}" for name, value in (values | changes).items() if value is not None]


def pixels(folder: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(path)) for path in sorted(folder.glob("rank_*.png"))]


@pytest.fixture(scope="module")
def run(shared: Path) -> Path:
    """The folder of one run that went well."""
    assert main(flags(shared, shared / "run")) == 0
    return shared / "run"


def test_files_of_a_run(run: Path) -> None:
    assert sorted(path.name for path in run.iterdir()) == [
        "contact_sheet.png", "rank_1.png", "rank_2.png", "rank_3.png", "ranking.json", "run.json",
    ]  # fmt: skip
    rows = json.loads((run / "ranking.json").read_text(encoding="utf-8"))
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert sorted(row["candidate"] for row in rows) == [0, 1, 2]
    assert [row["combined"] for row in rows] == sorted((row["combined"] for row in rows), reverse=True)
    for row in rows:
        path = run / f"rank_{row['rank']}.png"
        assert read_png_metadata(path) == row
        assert row["combined"] == pytest.approx(0.6 * row["clip_i"] + 0.4 * row["clip_t"], abs=2e-4)
        assert (row["week"], row["category"], row["prompt"]) == (tiny.WEEK, tiny.CATEGORY, tiny.CAPTION)
        with Image.open(path) as image:
            assert image.size == (384, 512)
    with Image.open(run / "contact_sheet.png") as sheet:
        assert sheet.width > 4 * 384 and sheet.height > 512
    assert len({image.tobytes() for image in pixels(run)}) == 3


def test_ranking_names_real_bestsellers_and_the_model(run: Path, shared: Path) -> None:
    rows = json.loads((run / "ranking.json").read_text(encoding="utf-8"))
    sold = {item.article_id for item in Shop.open(shared / "shop").bestsellers(tiny.CATEGORY, tiny.WEEK)}
    assert {row["nearest_article_id"] for row in rows} <= sold
    assert {row["model"] for row in rows} == {rows[0]["model"]} and rows[0]["model"].startswith("model-")


def test_run_json_is_enough_to_run_it_again(run: Path, shared: Path, tmp_path: Path) -> None:
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert {"torch", "diffusers", "numpy"} <= set(record["versions"])
    settings = record["settings"]["GenerateRequest"] | record["settings"]["GenerateConfig"]
    again = [f"--{name}={value}" for name, value in (settings | {"out": tmp_path}).items()]
    assert main(again) == 0
    assert all(np.array_equal(a, b) for a, b in zip(pixels(run), pixels(tmp_path), strict=True))


def test_the_same_seed_gives_the_same_pixels_and_another_does_not(run: Path, shared: Path, tmp_path: Path) -> None:
    assert main(flags(shared, tmp_path / "same", seed=0)) == 0
    assert all(np.array_equal(a, b) for a, b in zip(pixels(run), pixels(tmp_path / "same"), strict=True))
    names = ("ranking.json", "rank_1.png", "contact_sheet.png")
    assert all((run / name).read_bytes() == (tmp_path / "same" / name).read_bytes() for name in names)
    assert main(flags(shared, tmp_path / "other", seed=1, num_candidates=1)) == 0
    assert not any(np.array_equal(pixels(tmp_path / "other")[0], image) for image in pixels(run))


def test_the_published_polarity_gives_the_same_pixels(run: Path, shared: Path, tmp_path: Path) -> None:
    bright = 255 - np.asarray(Image.open(shared / "sketch.png"))
    Image.fromarray(bright).save(tmp_path / "bright.png")
    assert main(flags(shared, tmp_path / "out", sketch=tmp_path / "bright.png")) == 0
    for a, b in zip(pixels(run), pixels(tmp_path / "out"), strict=True):
        assert np.abs(a.astype(int) - b).mean() < 0.5


def test_weeks_in_either_writing_and_the_trend_as_prompt(shared: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(flags(shared, tmp_path, prompt=None, week="2020-week10", num_candidates=1)) == 0
    row = read_png_metadata(tmp_path / "rank_1.png")
    assert row["prompt"] == trend_prompt(Shop.open(shared / "shop"), tiny.CATEGORY, tiny.WEEK).text
    printed = re.search(r"#1  CLIP-I (\S+)  CLIP-T (\S+)  combined (\S+)  -> .*rank_1.png", capsys.readouterr().out)
    assert [float(n) for n in printed.groups()] == pytest.approx(
        [row[name] for name in ("clip_i", "clip_t", "combined")], abs=0.001
    )


# Bad input: exit status 2 and one line that names what is wrong and what to do.


def refused(capfd: Capture, arguments: list[str]) -> str:
    """The one line of the error."""
    capfd.readouterr()
    try:
        status = main(arguments)
    except SystemExit as leaving:  # argparse's own checks
        status = leaving.code
    output = capfd.readouterr()
    lines = [line for line in output.err.splitlines() if "error: " in line]  # beside progress bars and usage
    assert status == 2 and len(lines) == 1 and output.err.endswith(f"{lines[0]}\n")
    assert not any(word in output.err for word in ("Traceback", "Token indices")) and output.out == ""
    return lines[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"week": "2031-W01"}, "week 2031-W01 has no sales: choose a week from 2018-W38 to 2020-W39"),
        ({"week": "spring"}, "week 'spring'.*2020-W07"),
        ({"week": "2020-W54"}, "week 2020-W54 does not exist: 2020 has weeks 1 to 53"),
        ({"category": "tops"}, r"category 'tops' is unknown: choose one of top5gub"),
        ({"category": "top5glb"}, "bestsellers: none has a picture to compare with.*images/ of the catalogue"),
        ({"seed": -1}, "seed -1 is out of range: choose 0 to 4294967295"),
        ({"seed": "x"}, "argument --seed: invalid int value: 'x'"),
        ({"num_candidates": 9}, "--num_candidates 9 is not usable: choose 1 to 8"),
        ({"num_inference_steps": 0}, "--num_inference_steps 0 is not usable: choose 1 to 100"),
        ({"guidance_scale": "nan"}, "--guidance_scale nan is not usable: choose 1 to 20"),
        ({"sketch_influence": 1.5}, "--sketch_influence 1.5 is not usable: choose 0 to 1"),
        ({"clip_i_weight": 0, "clip_t_weight": 0}, "one of --clip_i_weight and --clip_t_weight must be above 0"),
        ({"prompt": "red " * 90}, "prompt has 92 tokens, the text encoder takes 77. Shorten it"),
        ({"device": "tpu"}, "argument --device: invalid choice: 'tpu'"),
        ({"sketch": None}, "--sketch '' is not usable: give a picture file"),
        ({"category": None}, "--category '' is not usable: give one of the six folder names"),
        ({"week": None}, "--week '' is not usable: give an ISO week such as 2020-W10"),
        ({"out": ""}, "--out '' is not usable: give the folder to write to"),
        ({"steps": 3}, "unrecognized arguments: --steps=3"),
    ],
)
def test_bad_values(shared: Path, tmp_path: Path, capfd: Capture, changes: dict, words: str) -> None:
    line = refused(capfd, flags(shared, tmp_path / "out", **changes))
    assert re.search(words, line), line
    assert not (tmp_path / "out").exists()


def test_bad_sketches(shared: Path, tmp_path: Path, capfd: Capture) -> None:
    Image.new("L", (384, 512), 255).save(tmp_path / "blank.png")
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    data = (shared / "sketch.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    for name, words in {
        "none.png": "sketch: there is no file",
        "text.png": "sketch: .*text.png is not a picture",
        "cut.png": "sketch: .*cut.png is damaged or cut off",
        "blank.png": "holds no strokes. Give dark lines on white, or bright on black",
    }.items():
        line = refused(capfd, flags(shared, tmp_path / "out", sketch=tmp_path / name))
        assert re.search(words, line), line
    assert not (tmp_path / "out").exists()


def test_bad_folders(shared: Path, tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for changes, words in (
        ({"model": tmp_path / "none"}, "none holds no model_index.json. Give a folder written by save_pretrained"),
        (
            {"catalogue": tmp_path / "none"},
            "none/articles.csv does not exist (nor .parquet, .csv.gz, .csv.zip): give a folder",
        ),
        ({"out": tmp_path / "file"}, "is a file; give the folder to write to"),
    ):
        assert words in refused(capfd, flags(shared, tmp_path / "out", **changes))


@pytest.mark.parametrize("listed", [True, False])
def test_damaged_models(shared: Path, tmp_path: Path, capfd: Capture, listed: bool) -> None:
    model = Path(shutil.copytree(shared / "model", tmp_path / "model"))
    weights = model / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    if not listed:
        (model / "manifest.json").unlink()
    line = refused(capfd, flags(shared, tmp_path / "out", model=model))
    assert f"model: {weights} is damaged" in line and line.endswith("Restore the file.")


def test_a_model_without_its_judge(shared: Path, tmp_path: Path, capfd: Capture) -> None:
    model = Path(shutil.copytree(shared / "model", tmp_path / "model", ignore=shutil.ignore_patterns("clip", "man*")))
    line = refused(capfd, flags(shared, tmp_path / "out", model=model))
    assert f"CLIP: {model / 'clip' / 'open_clip_config.json'} is missing" in line and "--model" in line
