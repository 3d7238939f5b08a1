"""The evaluation's measures at known values, and the whole command on a tiny model: restarts, refusals, files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fashiondistill.config import GenerateConfig
from fashiondistill.data.attributes import COLOURS
from fashiondistill.data.drawings import draw_garment
from fashiondistill.data.vitonhd import UNDATED, ArticlePictures, ArticleRecord, write_article, write_manifest
from fashiondistill.diffusion.pipeline import GarmentPipeline
from fashiondistill.modelcard import SHOWN, read_card
from fashiondistill.scoring import ClipScorer
from tests import tiny
from train.starter import adherence, bench, distances, evaluate, figures, lookbook, repainting, roughness, sweeps
from train.starter.judging import choose_word, recall_hits

HEIGHT, WIDTH = 512, 384
NAMES = (  # a figure of each part
    "autoencoder_psnr clip_t_ratio judge_clip_t_ratio outline_iou inner_lines_another_photo colour_right_top5shoe "
    "pattern_right_checked repaint_psnr_outside rough_iou_broken kid_designs cmmd_reconstructions judge_names_colour "
    "clip_recall_at_1_image_to_text"
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Drawn shirts and trousers that stand for photos of four senders."""
    root = tmp_path_factory.mktemp("photos")
    records = []
    for number in range(10):
        kind, word = ("t-shirt", "trousers")[number % 2], COLOURS[3 * number].word
        drawn = draw_garment(kind, colours=(word,), pattern="plain", seed=number)
        record = ArticleRecord(
            article_id=f"{number:010d}",
            split=("train", "train", "val", "test", "test")[number // 2],
            category=drawn.category,
            week=UNDATED,
            garment=kind,
            caption=drawn.caption,
            colours=(word,),
            colour_rgb=(COLOURS[3 * number].rgb,),
            pattern="plain",
            source=kind,
            sender=str(number // 2),
            score=1.0,
        )
        write_article(root, record, ArticlePictures(drawn.image, drawn.sketch, drawn.mask))
        records.append(record)
    write_manifest(root, records)
    return root


@pytest.fixture(scope="module")
def case():
    return bench.drawn_case("t-shirt", seed=1)


def test_share_has_wilsons_interval():
    none, half = figures.share([False] * 10), figures.share([True, False] * 5)
    assert (none.mean, none.low) == (0, 0) and none.high == pytest.approx(0.2775, abs=1e-3)
    assert half.low == pytest.approx(0.2366, abs=1e-3) and half.high == pytest.approx(1 - 0.2366, abs=1e-3)


def test_groups_count_alike_however_large_they_are():
    found = figures.mean_of_shares([np.ones(90, bool), np.zeros(10, bool)])
    assert (found.mean, found.low, found.high, found.count) == (0.5, 0.5, 0.5, 100)
    mixed = figures.mean_of_shares([np.arange(40) % 2 == 0, np.zeros(10, bool)])
    assert mixed.mean == 0.25 and 0.15 < mixed.low < 0.21 and 0.29 < mixed.high < 0.35


def test_ratio_of_means_is_not_the_mean_of_ratios():
    found = figures.ratio([1.0, 3.0], [2.0, 2.0])
    assert found.mean == 1.0 and (found.low, found.high) == (0.5, 1.5)


def lines_at(column: int) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    cv2.line(picture, (column, 100), (column, 400), (40, 40, 40), 2)
    return picture


@pytest.mark.parametrize(("column", "expected"), [(200, 1.0), (203, 1.0), (212, 0.0)])
def test_a_stroke_is_found_where_the_picture_has_an_edge_within_four_pixels(column, expected):
    strokes = np.zeros((HEIGHT, WIDTH), bool)
    strokes[110:390, 200] = True
    assert adherence.line_share(strokes, lines_at(column)) == expected


def test_the_outline_is_no_inner_stroke(case):
    inner = adherence.inner_strokes(case.sketch, case.inside)
    outline = cv2.morphologyEx(case.inside.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    distance_to_outline = cv2.distanceTransform((~outline).astype(np.uint8), cv2.DIST_L2, 5)
    assert inner.any() and distance_to_outline[inner].min() >= adherence.INNER - 1


def test_another_photo_is_of_the_same_category_and_not_the_same(case):
    cases = [dataclasses.replace(case, name=str(n), category=("a", "b")[n % 2]) for n in range(5)]
    for index in range(5):
        stranger = adherence.another(cases, index)
        assert stranger != index and cases[stranger].category == cases[index].category
    assert adherence.another(cases[:2], 0) is None


def test_psnr_outside_sees_only_what_the_mask_leaves():
    picture, mask = np.full((HEIGHT, WIDTH, 3), 100, np.uint8), np.zeros((HEIGHT, WIDTH), np.float32)
    mask[100:200, 100:200] = 1
    inside = picture.copy()
    inside[100:200, 100:200] = 250
    assert repainting.psnr_outside(picture, inside, mask) == pytest.approx(148.1, abs=0.1)
    seam = inside.copy()
    seam[mask == 0] += 1
    assert repainting.psnr_outside(picture, seam, mask) == pytest.approx(20 * np.log10(255), abs=1e-6)
    seam[mask == 0] -= 1
    seam[200:203, 100:200] = 110
    assert repainting.psnr_outside(picture, seam, mask) < 60
    assert repainting.psnr_outside(picture, seam, mask, seam=8) > 140


@pytest.mark.parametrize("number", range(3))
def test_repaint_masks_cover_a_part_of_the_garment(case, number):
    part, mask = repainting.choose_part(case, number)
    covered = ((mask > 0) & case.inside).sum() / case.inside.sum()
    assert part == list(repainting.PARTS)[number] and 0.03 < covered < 0.6
    red = dataclasses.replace(case, caption="red and navy t-shirt")
    assert repainting.other_colour(red, part) == ("teal", "mustard", "mustard")[number]
    with pytest.raises(ValueError, match="too small"):
        repainting.choose_part(dataclasses.replace(case, inside=lines_at(200)[..., 0] < 100), number)


def test_rough_strokes_are_what_they_are_called(case):
    rng = np.random.default_rng(0)
    made = {name: vary(case.sketch, case.inside, rng) for name, vary in roughness.VARIANTS.items()}
    ink = {name: (sketch > 0.5).sum() for name, (sketch, _) in made.items()}
    whole = (case.sketch > 0.5).sum()
    assert all(sketch.min() >= 0 and sketch.max() <= 1 for sketch, _ in made.values())
    assert ink["thick"] > 3 * whole and ink["thin"] < 0.75 * whole
    assert 0.55 * whole < ink["broken"] <= 0.7 * whole
    assert 0.35 * whole < ink["one_sided"] < 0.65 * whole and not made["one_sided"][0][:, WIDTH * 2 // 3 :].any()
    sketch, inside = made["wobbly"]
    assert 0.9 < figures.iou(inside, case.inside) < 0.995
    border = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    moved, unmoved = (
        (cv2.dilate((s > 0.5).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)[border] for s in (sketch, case.sketch)
    )
    assert moved.mean() > 0.97 and unmoved.mean() < 0.8  # the mask went with the lines


@pytest.mark.parametrize("colour", COLOURS, ids=lambda colour: colour.word)
def test_a_perfect_patch_has_the_asked_colour(colour):
    picture, inside = np.full((HEIGHT, WIDTH, 3), 246, np.uint8), np.zeros((HEIGHT, WIDTH), bool)
    inside[100:400, 100:300] = True
    picture[inside] = colour.rgb
    found = sweeps.compare_colour(picture, inside, colour.word)
    assert found["right"] and not found["neighbour"] and found["delta_e"] < 1.5


def test_neighbours_are_close_and_not_the_same():
    assert sweeps.is_neighbour("blue", "denim blue") and sweeps.is_neighbour("white", "cream")
    assert not sweeps.is_neighbour("blue", "blue") and not sweeps.is_neighbour("black", "red")


def test_chance_counts_other_designs_only():
    assert sweeps.chance(["red", "blue", "red"], ["red", "blue", "red"]).mean == pytest.approx(1 / 3, abs=1e-3)
    assert sweeps.chance(["red", "blue"], ["red", "blue"]).mean == 0


def test_sweeps_ask_every_word_of_every_category():
    asked = sweeps.colour_tasks([], len(COLOURS))
    pairs = {(task.case.category, task.word) for task in asked}
    assert len(asked) == len(pairs) == 6 * len(COLOURS)
    assert all(task.prompt == f"{task.word} plain {task.case.garment}" for task in asked)
    few = sweeps.colour_tasks([], 2)
    assert len(few) == 12 and len({task.word for task in few}) == 12
    patterns = sweeps.pattern_tasks([], 3)
    assert [task.word for task in patterns].count("checked") == 3 and len(patterns) == 15
    assert not [task for task in patterns if task.word == "striped" and task.case.garment == "handbag"]


def test_spread_takes_turns_and_never_repeats(case):
    cases = [dataclasses.replace(case, name=str(n), category="a" if n < 8 else "b") for n in range(10)]
    chosen = bench.spread(cases, 6)
    assert [one.category for one in chosen].count("b") == 2 and len({one.name for one in chosen}) == 6
    assert len(bench.spread(cases, 99)) == 10


def gaussian_features(seed: int, count: int, shift: float = 0.0) -> distances.Features:
    rng = np.random.default_rng(seed)
    values = rng.normal(shift, 1, (count, 6))
    return distances.Features(values, values / np.linalg.norm(values, axis=1, keepdims=True))


def test_equal_sets_have_no_distance():
    same = gaussian_features(0, 40)
    for value in distances.distances(same, same).values():
        assert abs(value.mean) < 1e-9 and abs(value.low) < 1e-9 and abs(value.high) < 1e-9


def test_a_shift_is_seen_and_grows():
    base = gaussian_features(0, 60)
    near, far = (distances.distances(gaussian_features(1, 60, shift), base) for shift in (1.0, 2.0))
    for name in ("kid", "cmmd"):
        assert 0 < near[name].low < near[name].mean < near[name].high
        assert far[name].mean > near[name].mean


@pytest.mark.parametrize("coupled", [False, True])
def test_the_estimate_is_unbiased_and_its_interval_honest(coupled):
    """Sets of one distribution: the mean over repetitions is 0, and few intervals leave 0 out, whether or not row i of
    both comes from the same photo."""
    found = []
    for repetition in range(60):
        first, second = gaussian_features(2 * repetition, 20), gaussian_features(2 * repetition + 1, 20)
        if coupled:
            mixed = 0.8 * first.pooled + 0.6 * second.pooled  # again of variance 1
            second = distances.Features(mixed, mixed)
        found.append(distances.distances(first, second)["kid"])
    means = np.array([one.mean for one in found])
    assert abs(means.mean()) < 3 * means.std() / np.sqrt(len(means))
    assert np.mean([one.low <= 0 <= one.high for one in found]) > 0.8


def test_features_come_from_both_ends_of_the_tower(tmp_path):
    tiny.save_clip_folder(tmp_path)
    judge = ClipScorer.load(tmp_path, "cpu")
    pictures = [tiny.picture(colours=(word,)) for word in ("red", "navy", "white")]
    found = distances.features_of(judge, pictures)
    head = torch.nn.functional.normalize(judge.model.visual.head(torch.from_numpy(found.pooled).float()), dim=-1)
    assert np.allclose(head.numpy(), found.embedded, atol=1e-5)
    assert not judge.model.visual.trunk._forward_hooks


class Speaker:
    """A scorer whose texts are unit vectors of their first word's number."""

    words = ("red", "blue", "green")

    def embed_texts(self, texts):
        return np.eye(3)[[self.words.index(text.split()[0]) for text in texts]]


def test_the_best_word_and_the_right_caption_are_chosen():
    embeddings = np.array([[0.1, 0.9, 0.0], [0.6, 0.1, 0.5]])
    assert choose_word(Speaker(), embeddings, ["shirt", "hat"], Speaker.words) == ["blue", "red"]
    hits = recall_hits(Speaker(), np.eye(3)[[0, 1, 0]], ["red shirt", "blue shirt", "blue shirt"])
    assert hits["recall_at_1_image_to_text"].tolist() == [1, 1, 0]
    assert hits["recall_at_1_text_to_image"].tolist() == [1, 1, 1]


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory):
    """A tiny model, a tiny judge, and the settings of a whole evaluation."""
    root = tmp_path_factory.mktemp("evaluation")
    tiny.save_model(root / "model", seed=1)
    tiny.save_clip_folder(root / "judge" / "clip", seed=2)
    return evaluate.EvaluateConfig(
        model=str(root / "model"),
        judge=str(root / "judge"),
        dataset_path=str(dataset),
        out=str(root / "out"),
        num_photos=4,
        num_colours=1,
        num_patterns=1,
        num_repaints=3,
        num_rough=1,
        num_inference_steps=2,
        batch_size=4,
        device="cpu",
    )


def test_the_whole_evaluation_writes_figures_sheets_and_rows(run, monkeypatch):
    found, out = evaluate.evaluate(run), Path(run.out)
    record = json.loads((out / "figures.json").read_text())
    assert record.keys() == found.keys() and all({"mean", "low", "high", "count"} == set(v) for v in record.values())
    assert set(NAMES.split()) <= record.keys()
    card = read_card(out)
    assert set(card.overall) == set(SHOWN) and set(card.categories) == {"top5gub", "top5glb"}  # of the four photos
    for folder, own in card.categories.items():
        rows = [
            row for row in json.loads((out / "parts/designs.json").read_text())["rows"] if row["category"] == folder
        ]
        assert own["outline_iou"].count == len(rows) == 2
        assert own["outline_iou"].mean == pytest.approx(np.mean([row["outline_iou"] for row in rows]), abs=1e-4)
        top, bottom = (np.mean([row[f"clip_t_{kind}"] for row in rows]) for kind in ("generated", "real"))
        assert own["clip_t_ratio"].mean == pytest.approx(top / bottom, abs=1e-4)
        assert f"judge_clip_t_ratio_{folder}" in record
    report = json.loads((out / "report.json").read_text())
    assert (
        report["figures"]["autoencoder_psnr"]["target"] == "at least 32"
        and not report["figures"]["autoencoder_psnr"]["met"]
    )
    assert set(report["parts"]) == set(evaluate.PARTS) and report["parts"]["rough"]["hardware"]
    sheets = {path.stem for path in (out / "sheets").iterdir()}
    assert sheets == set(evaluate.PARTS)
    rows = json.loads((out / "parts" / "colours.json").read_text())["rows"]
    assert len(rows) == 6 and {"asked", "measured", "right"} <= rows[0].keys()
    assert found["repaint_psnr_beyond_seam"].low > 100  # the pipeline puts back what lies outside the mask

    def draw_nothing(*arguments, **settings):
        raise AssertionError("drawn again")

    monkeypatch.setattr(GarmentPipeline, "denoise", draw_nothing)
    (out / "parts" / "designs.json").unlink()
    assert evaluate.evaluate(run) == found  # the part is measured again on the pictures that lie there
    with pytest.raises(AssertionError, match="drawn again"):
        evaluate.evaluate(dataclasses.replace(run, num_rough=2, parts=("rough",)))
    with pytest.raises(ValueError, match="another run .num_inference_steps 2 -> 3"):
        evaluate.evaluate(dataclasses.replace(run, num_inference_steps=3))
    tiny.save_clip_folder(out.parent / "other" / "clip", seed=3)
    other = dataclasses.replace(run, judge=str(out.parent / "other"), parts=("autoencoder",))
    assert all(name.startswith("autoencoder") for name in evaluate.evaluate(other))  # no figure of the first judge


def test_a_model_is_drawn_with_as_it_says_unless_flags_say_otherwise(tmp_path, monkeypatch, capsys):
    model, plain, seen = tmp_path / "model", tmp_path / "plain", []
    for folder, said in ((model, '{"num_inference_steps": 3, "guidance_scale": 1.0, "live_steps": 1}'), (plain, "{}")):
        folder.mkdir()
        (folder / "model_index.json").write_text(said, encoding="utf-8")
    monkeypatch.setattr(evaluate, "evaluate", lambda config: seen.append(config.generate) or {})
    others = ["--judge", "judge", "--dataset_path", "photos", "--out", str(tmp_path / "out")]
    for flags in (
        ["--model", str(model)],
        [f"--model={model}", "--num_inference_steps", "5"],
        ["--model", str(model), "--guidance_scale", "4"],
        ["--model", str(plain)],
    ):
        assert evaluate.main([*flags, *others]) == 0, capsys.readouterr().err
    usual = GenerateConfig()
    assert [(one.num_inference_steps, one.guidance_scale) for one in seen] == [
        (3, 1.0),
        (5, 1.0),
        (3, 4.0),
        (usual.num_inference_steps, usual.guidance_scale),
    ]
    (model / "model_index.json").write_text("{", encoding="utf-8")
    assert evaluate.main(["--model", str(model), *others]) == 2 and "is damaged" in capsys.readouterr().err


def test_the_models_own_clip_is_no_judge(run, tmp_path):
    model = tiny.save_model(tmp_path / "model", seed=1)
    with pytest.raises(ValueError, match="--judge .* is the CLIP of --model"):
        evaluate.evaluate(dataclasses.replace(run, judge=str(model), out=str(tmp_path / "out")))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"judge": ""}, "--judge '' "),
        ({"parts": ("colors",)}, "--parts colors .*colours"),
        ({"num_colours": 99}, "--num_colours 99"),
        ({"num_photos": 1}, "--num_photos 1 "),
        ({"guidance_scale": 0.0}, "--guidance_scale 0.0"),
    ],
)
def test_bad_settings_are_refused(run, changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(run, **changes)


def test_designs_drawn_at_once_are_the_pipelines_first_candidates(case, tmp_path):
    pipeline = tiny.pipeline(mask_from_outline=True)
    settings = GenerateConfig(num_candidates=1, num_inference_steps=2)
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[:200] = 1
    other = bench.Task("part", "top5gub", "red hat", case.sketch, image=case.photo, mask=mask)
    tasks = [bench.own_words(case), other, dataclasses.replace(bench.own_words(case), prompt="navy plain dress")]
    artist = bench.Artist(pipeline, pipeline.vae, tmp_path, settings=settings, batch_size=2)
    for task, drawn in zip(tasks, artist.draw(tasks), strict=True):
        alone = tiny.designs(pipeline, dataclasses.replace(task.request, config=settings))[0].image
        assert np.abs(drawn.astype(int) - alone).max() <= 1
    assert len(list((tmp_path / "designs").iterdir())) == 3


def test_a_changed_task_has_another_file(case):
    task = bench.own_words(case)
    names = {task.file_name, dataclasses.replace(task, prompt="red hat").file_name}
    names.add(dataclasses.replace(task, sketch=task.sketch * 0.5).file_name)
    assert len(names) == 3


def test_a_lookbook_has_every_sketch_above_each_models_design(run, dataset, tmp_path):
    """Two rows of designs of one model are alike; a row of another size or order would not be."""
    model = run.model
    flags = [f"--dataset_path={dataset}", f"--out={tmp_path / 'look.png'}", "--num_sketches=2", "--width=48"]
    assert lookbook.main(["--model", model, "--before", model, *flags]) == 0
    sheet = cv2.cvtColor(cv2.imread(str(tmp_path / "look.png")), cv2.COLOR_BGR2RGB)
    assert sheet.shape == (6 * 3 * 64, 2 * 48, 3)
    rows = sheet.reshape(6, 3, 64, 96, 3)
    assert np.array_equal(rows[:, 1], rows[:, 2]) and not np.array_equal(rows[:, 0], rows[:, 1])
    assert (rows[:, 0].reshape(6, -1).min(axis=1) < 128).all()  # strokes in each category's sketches


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--dataset_path=x", "--out=a.png"], "--model '' is not usable"),
        (["--model=x", "--dataset_path=y", "--out=a.gif"], "--out a.gif is not usable"),
        (["--model=x", "--dataset_path=y", "--out=a.png", "--num_sketches=0"], "--num_sketches 0 is not usable"),
    ],
)
def test_a_lookbook_refuses_what_it_cannot_draw(flags, said, capsys):
    assert lookbook.main(flags) == 2
    assert said in capsys.readouterr().err


def test_a_lookbook_has_as_many_cases_of_each_category_as_asked():
    for category in ("top5gub", "top5glb", "top5gfb", "top5shoe", "top5acc", "top5underwear"):
        cases = lookbook.cases_for([], category, 8)
        assert [case.category for case in cases] == [category] * 8
        assert len({case.sketch.tobytes() for case in cases}) == 8
