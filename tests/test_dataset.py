"""Data sets as samples and batches: the published layout as it is, what is refused by name, and what stays the same."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from fashiondistill.config import DatasetConfig, PrepareDrawingsConfig
from fashiondistill.data import drawingset
from fashiondistill.data.dataset import EpochSampler, GarmentDataset, GarmentSample, SampleKey
from fashiondistill.data.folders import open_folder
from fashiondistill.data.samplefiles import read_mask, read_picture, read_sketch
from fashiondistill.data.vitonhd import SPLITS, read_article, read_manifest
from fashiondistill.data.weeks import Week
from fashiondistill.diffusion.batches import GarmentBatch, collate, training_loader
from fashiondistill.images import to_model
from tests.datasets import WEEKS, index_picture, save_item, save_published


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_published(tmp_path_factory.mktemp("published"))


@pytest.fixture
def copy(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "copy"))


def same(first: GarmentSample, second: GarmentSample) -> bool:
    """Whether two samples are equal in every value."""
    pairs = [(getattr(first, name), getattr(second, name)) for name in first.__dataclass_fields__]
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


# The published layout.


def test_published_data_set_is_read_as_it_is(published: Path) -> None:
    for split, weeks in WEEKS.items():
        dataset = GarmentDataset(published, split)
        assert len(dataset) == sum(weeks.values())
        found = sorted({item.week for item in dataset.items})
        assert found == sorted(Week.parse(name) for name in weeks)  # in time: week10 after week9
        for sample in dataset:
            assert sample.image.shape == (512, 384, 3) and sample.image.dtype == np.uint8
            assert sample.sketch.shape == sample.mask.shape == (512, 384)
            assert 0.005 < (sample.sketch > 127).mean() < 0.1 and set(np.unique(sample.mask)) == {0, 255}
            assert sample.pose is None and sample.caption.endswith("Cotton, black. Casual wear.")
            garment = np.abs(sample.image.astype(int) - sample.image[4, 190]).sum(axis=2) > 24
            overlap = (garment & (sample.mask > 0)).sum() / (garment | (sample.mask > 0)).sum()
            assert overlap > 0.9  # picture and mask are moved alike
            near_mask = cv2.dilate(sample.mask, np.ones((9, 9), np.uint8)) > 0
            assert (sample.sketch[~near_mask] < 20).all()


def test_windows_reach_back_over_the_split_s_start_and_not_over_its_end(published: Path) -> None:
    val, train = GarmentDataset(published, "val"), GarmentDataset(published, "train")
    first = val[0]
    assert first.week == Week(2020, 8) and [past.week for past in first.past] == [
        Week(2020, 4), Week(2020, 6), Week(2020, 7),
    ]  # fmt: skip
    assert [past.age for past in first.past] == [4, 2, 1]
    assert [past.weight for past in first.past] == pytest.approx([0.8**3 / 2.312, 0.8 / 2.312, 1 / 2.312])
    assert all(past.picked in past.article_ids for past in first.past)
    last = train[len(train) - 1]
    assert last.week == Week(2020, 7) and last.next_ids == () and last.next_picked is None
    before = next(sample for sample in train if sample.week == Week(2020, 6))
    assert before.next_ids == ("0633157001", "0633158001") and before.next_picked in before.next_ids
    assert train[0].past == ()  # nothing is older
    assert GarmentDataset(published, "test")[0].past == ()  # 2020-W23: 13 weeks after the last that exists


def test_categories_have_weeks_of_their_own(tmp_path: Path) -> None:
    save_published(tmp_path, categories=("top5gub", "top5shoe"))
    shutil.rmtree(tmp_path / "train" / "images" / "top5shoe" / "2020-week7")
    for kind in ("im_sketch", "im_seg"):
        shutil.rmtree(tmp_path / "train" / kind / "top5shoe" / "2020-week7")
    dataset = GarmentDataset(tmp_path, "val")
    ages = {s.category: [past.age for past in s.past] for s in dataset if s.week == Week(2020, 8)}
    assert ages == {"top5gub": [4, 2, 1], "top5shoe": [4, 2]}
    only = GarmentDataset(tmp_path, "val", DatasetConfig(categories=("top5shoe",)))
    assert {sample.category for sample in only} == {"top5shoe"} and len(only) == len(dataset) / 2


def test_data_sets_of_prepare_are_read_without_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind_and_split = drawingset.place_of  # the first drawings are all for training
    monkeypatch.setattr(drawingset, "place_of", lambda n, shares: (kind_and_split(n, shares)[0], SPLITS[n % 3]))
    drawingset.prepare_drawings(PrepareDrawingsConfig(out=str(tmp_path), num_drawings=9, num_workers=1))
    records = {record.article_id: record for record in read_manifest(tmp_path)}
    for split in SPLITS:
        for sample in GarmentDataset(tmp_path, split, DatasetConfig(caption_parts=1)):
            pictures = read_article(tmp_path, records[sample.article_id])
            for name in ("image", "sketch", "mask"):
                assert np.array_equal(getattr(sample, name), getattr(pictures, name))
            assert sample.caption == records[sample.article_id].caption
            assert sample.week is None and sample.past == () and sample.next_ids == ()


def test_pose_is_zeros_only_when_asked_for(published: Path) -> None:
    sample = GarmentDataset(published, "val", DatasetConfig(pose_channels=18))[0]
    assert sample.pose is not None and sample.pose.shape == (18, 64, 48) and not sample.pose.any()
    assert collate([sample]).pose.shape == (1, 18, 64, 48)


def test_mask_names_may_have_either_ending(copy: Path) -> None:
    """The ending that the exhibition script looks for first wins where both exist."""
    dataset = GarmentDataset(copy, "val")
    endings = {item.mask.name[10:] for item in dataset.items}
    assert endings == {"_final_seg.png", ".png"}
    item = next(item for item in dataset.items if item.mask.name.endswith("_final_seg.png"))
    index_picture(np.ones((300, 200), np.uint8)).save(item.mask.with_name(f"{item.article_id}.png"))
    again = GarmentDataset(copy, "val")
    assert again.items == dataset.items and open_folder(copy).strays == ()


def test_both_polarities_come_out_bright_on_black(copy: Path) -> None:
    before = GarmentDataset(copy, "val")[0]
    path = GarmentDataset(copy, "val").items[0].sketch
    with Image.open(path) as file:
        Image.fromarray(255 - np.asarray(file)).convert("RGB").save(path)
    assert np.array_equal(GarmentDataset(copy, "val")[0].sketch, before.sketch)


def test_binary_strokes_follow_mgd(published: Path) -> None:
    grey = GarmentDataset(published, "train")[0].sketch
    binary = GarmentDataset(published, "train", DatasetConfig(binary_sketch=True))
    drawn = {int((binary[SampleKey(0, epoch)].sketch > 0).sum()) for epoch in range(12)}
    limits = [int((grey >= 255 - t).sum()) for t in (20, 127)]
    assert len(drawn) > 4 and limits[0] <= min(drawn) < max(drawn) <= limits[1]
    grey = GarmentDataset(published, "val")[0].sketch
    sample = GarmentDataset(published, "val", DatasetConfig(binary_sketch=True))[0]
    assert np.array_equal(sample.sketch > 0, grey >= 235) and set(np.unique(sample.sketch)) == {0, 255}


def test_upstream_s_pulling_is_there_on_demand(copy: Path) -> None:
    dataset = GarmentDataset(copy, "val")
    path = dataset.items[0].sketch
    with Image.open(path) as file:
        file.resize((384, 512)).save(path)
    with pytest.raises(ValueError, match=rf"{path.name} has other proportions .* choose --shape pull"):
        dataset[0]
    pulled = GarmentDataset(copy, "val", DatasetConfig(shape="pull"))[0]
    left, _, width, _ = cv2.boundingRect(pulled.mask)
    assert width > 1.1 * cv2.boundingRect(dataset[1].mask)[2] and left < cv2.boundingRect(dataset[1].mask)[0]


def test_large_jpegs_are_read_as_they_look(tmp_path: Path) -> None:
    save_item(tmp_path, ("train", "top5gub", "2020-week1", "0000000001"), size=(1166, 1750), seed=3)
    path = next(tmp_path.rglob("*.jpg"))
    picture = read_picture(path, "pad")
    with Image.open(path) as file:
        full = np.asarray(file.convert("RGB").resize((341, 512), Image.Resampling.BOX)).astype(int)
    assert abs(picture.file_shape - 1166 / 1750) < 0.002
    assert np.abs(picture.pixels[:, 21:362].astype(int) - full).mean() < 3


# What is refused.


@pytest.mark.parametrize(
    ("kind", "damage", "message"),
    [
        ("image", lambda path: path.write_bytes(path.read_bytes()[:900]), "is damaged or cut off"),
        ("image", lambda path: path.write_text("no picture"), "is not a picture that can be read"),
        ("sketch", lambda path: path.write_bytes(path.read_bytes()[:300]), "cannot be read"),
        ("sketch", lambda path: Image.new("L", (200, 300), 120).save(path), "commonest tone is 120"),
        ("sketch", lambda path: path.unlink(), "there is no file"),
        ("mask", lambda path: index_picture(np.zeros((300, 200), np.uint8)).save(path), "is empty"),
        ("mask", lambda path: Image.new("RGB", (200, 300), (9, 9, 9)).save(path), "has colours"),
        ("mask", lambda path: Image.new("L", (300, 300), 1).save(path), "has other proportions"),
        ("mask", lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "cannot be read"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_are_named(
    copy: Path, kind: str, damage: Callable[[Path], object], message: str
) -> None:
    dataset = GarmentDataset(copy, "val")
    path = getattr(dataset.items[1], kind)
    damage(path)
    assert dataset[0].article_id  # the others stay
    with pytest.raises((ValueError, FileNotFoundError), match=message) as error:
        dataset[1]
    assert path.name in str(error.value)


def test_missing_files_and_captions_are_found_at_once(copy: Path) -> None:
    captions = json.loads((copy / "captions.json").read_text(encoding="utf-8"))
    item = GarmentDataset(copy, "val").items[1]
    del captions[item.article_id]
    (copy / "captions.json").write_text(json.dumps(captions), encoding="utf-8")
    with pytest.raises(
        ValueError, match=f"captions.json lacks 1 articles of split val, the first is {item.article_id}"
    ):
        GarmentDataset(copy, "val")
    rest = GarmentDataset(copy, "val", DatasetConfig(incomplete="leave_out"))
    assert len(rest) == 4 and rest.left_out == (item,)
    assert item.article_id not in {i for s in rest for past in s.past for i in past.article_ids}
    captions[item.article_id] = ["Back again."]
    (copy / "captions.json").write_text(json.dumps(captions), encoding="utf-8")
    for kind in ("sketch", "mask"):
        path = getattr(GarmentDataset(copy, "val").items[0], kind)
        kept = path.read_bytes()
        path.unlink()
        with pytest.raises(FileNotFoundError, match=rf"{path.name[:10]}.png is missing, the {kind} of .* lack one"):
            GarmentDataset(copy, "val")
        rest = GarmentDataset(copy, "val", DatasetConfig(incomplete="leave_out"))
        assert len(rest) == 4 and rest.left_out[0].article_id == path.name[:10]
        path.write_bytes(kept)
    for path in (copy / "val").rglob("im_seg/*/*/*"):
        path.unlink()
    with pytest.raises(ValueError, match="every picture of split val lacks a caption, sketch or mask"):
        GarmentDataset(copy, "val", DatasetConfig(incomplete="leave_out"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda root: (root / "captions.json").unlink(), r"captions.json is missing"),
        (lambda root: (root / "captions.json").write_text("{"), r"captions.json is no JSON"),
        (lambda root: (root / "captions.json").write_text("[]"), "must hold an object"),
        (lambda root: (root / "captions.json").write_text('{"0": "a"}'), "caption of 0 is no list of strings"),
        (lambda root: (root / "val/images/top5gub/2020-week8").rename(root / "val/images/top5gub/w8"), "names no week"),
        (lambda root: (root / "val/images/top5gub").rename(root / "val/images/tops"), "category 'tops' is unknown"),
        (lambda root: shutil.rmtree(root / "val"), "holds no pictures of split val"),
        (lambda root: [shutil.rmtree(root / split) for split in WEEKS], "holds no pictures: expected"),
    ],
)  # fmt: skip
def test_folders_that_cannot_be_read_are_named(copy: Path, change: Callable[[Path], object], message: str) -> None:
    change(copy)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        GarmentDataset(copy, "val")


def test_long_captions_are_cut_to_the_encoder_s_length(copy: Path) -> None:
    captions = json.loads((copy / "captions.json").read_text(encoding="utf-8"))
    captions = {article_id: ["word " * 200, "Red.", "Top."] for article_id in captions}
    (copy / "captions.json").write_text(json.dumps(captions), encoding="utf-8")
    caption = GarmentDataset(copy, "val")[0].caption
    assert 60 < len(caption.split()) <= 75 and caption.endswith("word. Red. Top.")


# Nothing depends on process, worker or order.


def test_training_draws_anew_each_epoch_and_evaluation_never_does(published: Path) -> None:
    train, val = GarmentDataset(published, "train"), GarmentDataset(published, "val")
    last = len(train) - 1
    assert len({train[SampleKey(last, epoch)].past for epoch in range(20)}) > 1
    assert same(train[SampleKey(last, 3)], train[SampleKey(last, 3)])
    assert all(same(val[0], val[SampleKey(0, epoch)]) for epoch in range(5))
    other = GarmentDataset(published, "train", DatasetConfig(seed=1))
    assert any(other[SampleKey(last, e)].past != train[SampleKey(last, e)].past for e in range(20))


def test_choices_are_those_of_every_process(published: Path) -> None:
    code = (
        "import sys; from fashiondistill.data.dataset import GarmentDataset, SampleKey\n"
        "d = GarmentDataset(sys.argv[1], 'train')\n"
        "print([(s.next_picked, [p.picked for p in s.past]) for s in (d[SampleKey(i, 2)] for i in range(len(d)))])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, str(published)],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1 and "0633157001" in outputs.pop()


def test_data_layer_needs_no_torch(published: Path) -> None:
    code = (
        "import sys; from fashiondistill.data.dataset import GarmentDataset\n"
        "GarmentDataset(sys.argv[1], 'val')[0]; print('torch' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(published)], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert result.stdout.strip() == "False"


def test_samplers_go_on_where_they_stopped() -> None:
    whole = [key for key, _ in zip(EpochSampler(7, seed=5), range(30), strict=False)]
    assert [sorted(key.index for key in whole[n * 7 : n * 7 + 7]) for n in range(4)] == [list(range(7))] * 4
    assert [key.epoch for key in whole] == [n // 7 for n in range(30)] and whole[:7] != whole[7:14]
    for start in (1, 7, 12):
        rest = [key for key, _ in zip(EpochSampler(7, seed=5, start=start), range(30 - start), strict=False)]
        assert rest == whole[start:]
    assert [key.index for key in whole[:7]] != [
        k.index for k, _ in zip(EpochSampler(7, seed=6), range(7), strict=False)
    ]


# Batches.


@pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 11])
def test_batches_of_any_size_with_missing_weeks(published: Path, batch_size: int) -> None:
    dataset = GarmentDataset(published, "train")
    seen = []
    for batch in DataLoader(dataset, batch_size=batch_size, collate_fn=collate):
        assert batch.image.shape == (len(batch), 3, 512, 384) and batch.sketch.shape == (len(batch), 1, 512, 384)
        assert batch.past_weights.shape == batch.past_present.shape
        sums = batch.past_weights.sum(dim=1)
        assert torch.allclose(sums, batch.past_present.any(dim=1).float())
        assert (batch.past_weights[~batch.past_present] == 0).all() and (
            batch.past_weights[batch.past_present] > 0
        ).all()
        seen += [_row(batch, n) for n in range(len(batch))]
    assert seen == [_row(collate([sample]), 0) for sample in dataset]  # a sample is the same in every batch


def _row(batch: GarmentBatch, number: int) -> tuple:
    present = batch.past_present[number]
    picked = [name for name in batch.past_picked[number] if name is not None]
    return (
        batch.article_ids[number], batch.categories[number], batch.weeks[number], batch.captions[number],
        batch.past_weights[number][present].tolist(), picked, batch.past_ids[number], batch.next_ids[number],
        batch.next_picked[number], int(batch.image[number].sum()), int(batch.mask[number].sum()),
    )  # fmt: skip


def test_batches_become_what_the_model_sees(published: Path) -> None:
    sample = GarmentDataset(published, "val")[0]
    batch = collate([sample]).to("cpu")
    assert np.allclose(batch.pixels()[0].numpy(), to_model(sample.image), atol=1e-6)
    assert batch.strokes().max() == 1 and batch.strokes().min() >= 0
    assert torch.equal(batch.repaint()[0, 0] > 0.5, torch.from_numpy(sample.mask > 0))


def test_batches_that_make_no_sense_are_refused(published: Path) -> None:
    plain = GarmentDataset(published, "val")[0]
    posed = GarmentDataset(published, "val", DatasetConfig(pose_channels=3))[0]
    with pytest.raises(ValueError, match="some samples of the batch have a pose"):
        collate([plain, posed])
    with pytest.raises(ValueError, match="at least one sample"):
        collate([])


def test_loader_gives_the_same_batches_with_workers_and_without(published: Path) -> None:
    dataset = GarmentDataset(published, "train")
    first = [batch for batch, _ in zip(training_loader(dataset, batch_size=4, num_workers=0), range(5), strict=False)]
    loader = training_loader(dataset, batch_size=4, num_workers=2)
    second = [batch for batch, _ in zip(loader, range(5), strict=False)]
    assert [[_row(b, n) for n in range(4)] for b in first] == [[_row(b, n) for n in range(4)] for b in second]
    assert first[0].article_ids != first[1].article_ids
    resumed = next(iter(training_loader(dataset, batch_size=4, num_workers=0, start=12)))
    assert [_row(resumed, n) for n in range(4)] == [_row(first[3], n) for n in range(4)]


def test_split_and_options_are_checked(published: Path) -> None:
    with pytest.raises(ValueError, match="split 'dev' is unknown"):
        GarmentDataset(published, "dev")
    for options, flag in (
        ({"num_past_weeks": 0}, "--num_past_weeks 0"),
        ({"temporal_weight_decay": 0.0}, "--temporal_weight_decay 0.0"),
        ({"caption_parts": 4}, "--caption_parts 4"),
        ({"pose_channels": 5}, "--pose_channels 5"),
    ):
        with pytest.raises(ValueError, match=flag):
            DatasetConfig(**options)


def test_single_files_have_their_readers(tmp_path: Path) -> None:
    save_item(tmp_path, ("val", "top5gub", "2020-week1", "0000000001"), size=(384, 512), seed=1)
    sketch, mask = (next(tmp_path.rglob(f"{kind}/*/*/*.png")) for kind in ("im_sketch", "im_seg"))
    assert read_sketch(sketch, "pad", like=0.75).shape == (512, 384)
    assert read_mask(mask, "pad", like=0.75).max() == 255
