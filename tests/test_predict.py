"""python -m fashiondistill.predict with a tiny model: the published files, two modes, and a run that goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fashiondistill.config import CatalogueConfig
from fashiondistill.data.catalogue import make_catalogue
from fashiondistill.data.shop import Shop
from fashiondistill.data.weeks import Week
from fashiondistill.forecast.captions import WeightedCaption, in_training_words, typical_caption
from fashiondistill.forecast.words import describe_next_week
from fashiondistill.predict import main
from fashiondistill.predictionfiles import LINES
from tests import tiny
from tests.datasets import save_published

PUBLISHED_KEYS = [
    "prediction_file", "style_prompt", "base_style", "base_image", "temporal_weights", "category", "product_id",
    "is_actual_next_week_text", "mask_type", "garment_category_detected", "pipeline_used", "generation_method",
    "evolution_source", "evolution_base_text", "base_text_for_evolution", "actual_text_source_product",
    "actual_text_source_week",
]  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predict")
    save_published(folder / "data")
    tiny.save_model(folder / "model")
    return folder


def run(shared: Path, out: Path, *more: str, split: str = "test") -> int:
    return main(
        [
            f"--dataset_path={shared / 'data'}", f"--checkpoint_path={shared / 'model'}", f"--output_dir={out}",
            f"--split={split}", "--num_inference_steps=2", "--guidance_scale=2", "--num_workers_test=0",
            "--device=cpu", "--mixed_precision=no", *more,
        ]
    )  # fmt: skip


def rows_of(out: Path) -> list[dict]:
    return json.loads((out / "predictions_metadata.json").read_text(encoding="utf-8"))


def test_files_of_a_forecast(shared: Path) -> None:
    out = shared / "forecast"
    assert run(shared, out) == 0
    rows = rows_of(out)
    assert len(rows) == 3 and list(rows[0])[:17] == PUBLISHED_KEYS
    captions = json.loads((shared / "data" / "captions.json").read_text(encoding="utf-8"))
    for row in rows:
        with Image.open(out / row["prediction_file"]) as picture:
            assert picture.size == (384, 512) and picture.format == "JPEG"
        assert row["mode"] == "forecast" and not row["is_actual_next_week_text"]
        assert row["sources"] and all(set(ids) <= set(captions) for ids in row["sources"].values())
    # Nothing of the week that is drawn may be in the prompt: 2020-W24's own captions are unknown in 2020-W23.
    later = {Path(row["base_image"]).stem for row in rows if row["week"] == "2020-W24"}
    first = next(row for row in rows if row["week"] == "2020-W23")
    assert not later & {one for ids in first["sources"].values() for one in ids}
    text = (out / "captions_used.txt").read_text(encoding="utf-8")
    assert "FORECAST mode" in text.splitlines()[0] and text.splitlines()[1] == "=" * 50
    starts = [line.partition(": ")[0] for line in text.splitlines()[3 : 3 + len(LINES)]]
    assert starts == list(LINES) and text.count("-" * 40) == 3 and "Total predictions: 3" in text
    assert json.loads((out / "category_statistics.json").read_text(encoding="utf-8")) == {"top5gub": 3}
    assert sorted(path.name for path in (out / "contact_sheets").iterdir()) == [
        "top5gub_2020-W24.png", "top5gub_2020-W25.png",
    ]  # fmt: skip


def test_oracle_takes_the_true_captions_and_says_so(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shared / "oracle"
    assert run(shared, out, "--mode=oracle") == 0
    (row,) = rows_of(out)  # only 2020-W23 has a week to come
    assert row["is_actual_next_week_text"] and row["actual_text_source_week"] == "2020-W24"
    captions = json.loads((shared / "data" / "captions.json").read_text(encoding="utf-8"))
    assert row["style_prompt"].startswith(captions[row["actual_text_source_product"]][0])
    assert "ORACLE" in (out / "captions_used.txt").read_text(encoding="utf-8")
    assert run(shared, out) == 2  # the two modes do not mix
    assert "holds a run with --mode oracle" in capsys.readouterr().err


def test_pictures_depend_on_neither_batch_nor_order_nor_interruption(shared: Path) -> None:
    one, other = shared / "one", shared / "other"
    assert run(shared, one) == 0
    shutil.copytree(one, other)
    kept, lost = rows_of(one)[0]["prediction_file"], rows_of(one)[1]["prediction_file"]
    stamp = (other / kept).stat().st_mtime_ns
    (other / lost).unlink()
    (other / "predictions_metadata.json").unlink()
    with open(other / "progress.jsonl", "a", encoding="utf-8") as file:
        file.write('{"prediction_file": "cut o')
    assert run(shared, other, "--batch_size=3") == 0
    assert (other / kept).stat().st_mtime_ns == stamp and rows_of(other) == rows_of(one)
    batched = shared / "batched"
    assert run(shared, batched, "--batch_size=3") == 0
    for row in rows_of(one):
        first, second, third = (
            np.asarray(Image.open(folder / row["prediction_file"]), float) for folder in (one, other, batched)
        )
        assert np.array_equal(first, second) or row["prediction_file"] == lost
        assert np.abs(first - third).mean() < 1 and first.std() > 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--checkpoint_path=unet.pth",), "--checkpoint_path unet.pth is pickled"),
        (("--checkpoint_path=nothing",), "--checkpoint_path nothing does not exist"),
        (("--mixed_precision=fp16",), "--mixed_precision fp16 is not usable"),
        (("--no-no_pose",), "--no_pose False is not usable"),
        (("--mode=oracle", "--catalogue=x"), "--catalogue and --language_model belong to --mode forecast"),
        (("--predict_future_weeks=9",), "--predict_future_weeks 9 is not usable"),
        (("--mode=oracle", "--predict_future_weeks=8"), "no picture has a caption of the week to come"),
    ],
)
def test_bad_input_is_named(
    shared: Path, tmp_path: Path, more: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shared, tmp_path / "out", *more) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert told.startswith("error: ") and words in told


def test_typical_caption_is_the_weighted_middle() -> None:
    known = [
        WeightedCaption("1", "2020-W01", "Red cotton dress.", 0.4),
        WeightedCaption("2", "2020-W02", "Navy striped shirt.", 1.0),
        WeightedCaption("3", "2020-W02", "Navy plain shirt.", 1.0),
        WeightedCaption("4", "2020-W02", "Navy striped shirt in cotton.", 1.0),
    ]
    found = typical_caption(known)
    assert (found.caption, found.article_id) == ("Navy striped shirt.", "2")
    assert dict(found.sources) == {"navy": ("2", "3", "4"), "shirt": ("2", "3", "4"), "striped": ("2", "4")}
    with pytest.raises(ValueError, match="no caption of a past week"):
        typical_caption([])


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("Checked blouse in a cotton blend. Dark yellow, check. Blouse.", "mustard checked blouse"),
        ("Polo shirt in soft jersey, in black. Grey. Polo shirt.", "grey plain polo shirt"),
        ("Hat. Green, stripe.", "green striped hat"),  # a description that is the garment alone is not told twice
        ("Boots. White. Made of leather. Off white, lace. Vest top.", "cream patterned tank top"),
        ("Navy striped shirt.", "Navy striped shirt."),
        ("A dress. Rainbow. Dress.", "A dress. Rainbow. Dress."),
    ],
)
def test_captions_in_the_words_of_training(caption: str, words: str) -> None:
    assert in_training_words(caption) == words


def test_prompt_words_keep_the_true_caption_beside(shared: Path) -> None:
    out = shared / "words"
    assert run(shared, out, "--mode=oracle", "--prompt_words=training") == 0
    (row,) = rows_of(out)
    assert row["style_prompt"] == in_training_words(row["evolution_base_text"])


def test_words_are_those_of_the_week_that_is_drawn(tmp_path: Path) -> None:
    make_catalogue(CatalogueConfig(num_transactions=60_000, num_customers=50, seed=3), tmp_path)
    shop, last = Shop.open(tmp_path), Week.parse("2020-W38")
    near = describe_next_week(shop, "top5gub", last)
    far = describe_next_week(shop, "top5gub", last, target=last.shift(8))
    assert (near.week, far.week) == ("2020-W39", "2020-W46") and near.text and far.text
    assert [one.share_next for one in near.phrases] != [one.share_next for one in far.phrases]
    # The last week has two days, so its forecast is that of the week before it, two weeks ahead.
    cut = describe_next_week(shop, "top5gub", "2020-W39", target=Week.parse("2020-W40"))
    assert cut == describe_next_week(shop, "top5gub", last, target=Week.parse("2020-W40"))
    assert describe_next_week(shop, "top5gub", last, target=last.shift(9)).text == ""
    with pytest.raises(ValueError, match="target 2020-W38 is not after 2020-W38"):
        describe_next_week(shop, "top5gub", last, target=last)
