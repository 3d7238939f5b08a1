"""The judge stage: words stay true of changed pictures, the loss is the published one, a run goes on and loads."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest
import torch

from fashiondistill.data.drawings import draw_garment
from fashiondistill.data.measure import measure_colours
from fashiondistill.data.vitonhd import (
    UNDATED,
    ArticlePictures,
    ArticleRecord,
    read_manifest,
    write_article,
    write_manifest,
)
from fashiondistill.images import from_model, to_model
from fashiondistill.scoring import ClipScorer
from train.starter import judge
from train.starter.augment import recoloured_words
from train.starter.tokens import train_tokenizer


def record_of(
    number: int, *, split: str = "train", colour: str = "red", pattern: str = "plain", garment: str = "t-shirt"
):
    return ArticleRecord(
        article_id=f"{number:010d}", split=split, category="top5gub", week=UNDATED, garment=garment,
        caption=f"{colour} {pattern} {garment}", colours=(colour,), colour_rgb=((190, 40, 46),), pattern=pattern,
        source="drawn", sender=str(number), score=1.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    records = []
    for number in range(8):
        drawn = draw_garment("t-shirt", colours=("red",), pattern="plain", seed=number)
        records.append(record_of(number, split=("train", "train", "val", "test")[number % 4]))
        write_article(root, records[-1], ArticlePictures(drawn.image, drawn.sketch, drawn.mask))
    write_manifest(root, records)
    return root


def settings(dataset, out, **changes) -> judge.JudgeConfig:
    values = {"dataset_path": str(dataset), "output_dir": str(out), "max_minutes": 0.05, "save_every_minutes": 0.0}
    values |= {"device": "cpu", "batch_size": 4, "image_height": 64, "embed_dim": 8, "text_width": 64, "text_layers": 1}
    return judge.JudgeConfig(**(values | changes))


def test_a_stage_ends_loads_and_goes_on(dataset, tmp_path, capsys):
    judge.train(settings(dataset, tmp_path))
    steps = json.loads((tmp_path / "finished.json").read_text())["steps"]
    assert steps > 0 and "names_colour" in capsys.readouterr().out
    scorer = ClipScorer.load(tmp_path / "clip", "cpu")
    embedded = scorer.embed_images([np.zeros((512, 384, 3), np.uint8)])
    assert scorer.size == (64, 48) and np.linalg.norm(embedded) == pytest.approx(1, abs=1e-3)
    assert scorer.embed_texts(["red plain t-shirt"]).shape == (1, 8)
    judge.train(settings(dataset, tmp_path))  # its budget is used up
    assert json.loads((tmp_path / "finished.json").read_text())["steps"] == steps
    with pytest.raises(ValueError, match="made with"):
        judge.train(settings(dataset, tmp_path, learning_rate=1e-5))


def test_only_the_held_out_splits_that_are_there_are_read(dataset, tmp_path, capsys):
    without = tmp_path / "photos"
    shutil.copytree(dataset, without)
    write_manifest(without, [record for record in read_manifest(dataset) if record.split != "test"])
    judge.train(settings(without, tmp_path / "judge"))
    printed = capsys.readouterr().out
    assert "val   names_colour" in printed and "test " not in printed
    write_manifest(without, [record for record in read_manifest(dataset) if record.split == "train"])
    with pytest.raises(ValueError, match="no photos in its val or test split"):
        judge.train(settings(without, tmp_path / "none"))
    assert not (tmp_path / "none" / "clip").exists()


def test_training_moves_true_words_towards_their_pictures(dataset, tmp_path):
    config = settings(dataset, tmp_path, learning_rate=3e-3)
    torch.manual_seed(0)
    data = judge.load_small(config)
    stage = judge.JudgeStage(config, data, train_tokenizer([record.caption for record in data.records]))
    first = np.mean([stage.loss(n).item() for n in range(4)])
    for number in range(30):
        stage.loss(number % 4).backward()
        stage.optimizer.step()
        stage.optimizer.zero_grad()
    assert np.mean([stage.loss(n).item() for n in range(4)]) < 0.8 * first


def test_sigmoid_loss_of_equation_one():
    logits, truth = torch.tensor([[2.0, -1.0], [0.5, 3.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    signs = 2 * truth - 1
    by_hand = sum(math.log(1 + math.exp(-s * v)) for s, v in zip(signs.flatten(), logits.flatten(), strict=True)) / 2
    assert judge.sigmoid_loss(logits, truth).item() == pytest.approx(by_hand, abs=1e-6)


def test_a_text_is_true_of_every_garment_that_it_describes():
    records = [record_of(0), record_of(1, pattern="striped"), record_of(2, garment="hat")]
    colours = [["red"], ["red", "navy"], ["blue"]]
    said = (((), "", "t-shirt"), (("red",), "", "t-shirt"), (("red",), "plain", "t-shirt"))
    said += (((), "striped", "t-shirt"), (("blue",), "", "hat"), (("red", "navy"), "striped", "t-shirt"))
    said += ((("red",), "striped", "t-shirt"),)  # a whole caption that leaves a colour out
    words = [judge.Words(*one) for one in said]
    expected = [[1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 1, 0, 1, 0], [0, 0, 0, 0, 1, 0, 0]]
    assert judge.true_of(words, records, colours).tolist() == expected
    assert words[2].text == "red plain t-shirt" and words[3].text == "striped t-shirt"


def test_dyed_pictures_have_the_colours_that_their_words_say():
    drawn = draw_garment("t-shirt", colours=("red",), pattern="plain", seed=1)
    measured = measure_colours(drawn.image, drawn.mask)[0]
    record = ArticleRecord(**(record_of(0).__dict__ | {"colour_rgb": (measured.rgb,)}))
    records = [record] * 24
    dyes = judge.draw_dyes(records, torch.Generator().manual_seed(3))
    words = [one[0] for one in recoloured_words(records, dyes)]
    pixels = torch.from_numpy(to_model(drawn.image))[None].repeat(24, 1, 1, 1)
    alpha = torch.from_numpy(drawn.mask.astype(np.float32) / 255)[None, None].repeat(24, 1, 1, 1)
    pictures = from_model(dyes.apply(pixels, alpha).numpy())
    seen = [measure_colours(picture, drawn.mask)[0].word for picture in pictures]
    assert len(set(words)) >= 5 and np.mean([a == b for a, b in zip(words, seen, strict=True)]) > 0.8


def test_varied_pictures_keep_garment_and_light_ground():
    drawn = draw_garment("t-shirt", colours=("navy",), pattern="plain", seed=1)
    images = torch.from_numpy(to_model(drawn.image))[None].repeat(16, 1, 1, 1)
    alphas = torch.from_numpy(drawn.mask.astype(np.float32) / 255)[None, None].repeat(16, 1, 1, 1)
    varied = judge.vary_pictures(images, alphas, torch.Generator().manual_seed(0))
    again = judge.vary_pictures(images, alphas, torch.Generator().manual_seed(0))
    assert torch.equal(varied, again) and varied.min() >= -1.001 and varied.max() <= 1.001
    share = (varied.mean(dim=1) < 0).float().mean(dim=(1, 2)) / (images[0].mean(dim=0) < 0).float().mean()
    assert share.min() > 0.4 and share.max() < 2 and share.std() > 0.05
    assert varied[:, :, 0, 0].min() > 0.7


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({"image_height": 100}, "image_height"),
        ({"text_width": 100}, "text_width"),
    ],
)
def test_bad_settings_are_refused(changes, flag):
    with pytest.raises(ValueError, match=f"--{flag} {changes[flag]} "):
        settings("x", "y", **changes)
