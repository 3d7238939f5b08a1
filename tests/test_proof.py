"""The proof on the CPU with tiny models: sales split by week and sender, arms that go on, figures at known values."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from fashiondistill.data.dataset import GarmentDataset, PastItems, SampleFacts
from fashiondistill.data.drawings import draw_garment
from fashiondistill.data.vitonhd import UNDATED, ArticlePictures, ArticleRecord, write_article, write_manifest
from fashiondistill.data.weeks import Week
from fashiondistill.scoring import ClipScorer
from tests import tiny
from train.proof import measures, runner
from train.proof.__main__ import main
from train.proof.cases import most_typical
from train.proof.compare import against, gain, spread_within, wins
from train.proof.ensemble import EnsembleScorer, mirrored
from train.proof.files import lock, read_scores
from train.proof.kid import kid
from train.proof.market import make_weeks, read_placements, read_stock
from train.proof.measures import Judged, choose, spread
from train.proof.plan import AS_IS, DPO, ORACLE, TEMPORAL, Cost, estimate, make_plan
from train.proof.sales import make_stock
from train.proof.schedule import MEASURE, TRAIN, Task, ready, seconds_of, tasks_of, timeline
from train.proof.settings import ProofConfig

pytestmark = pytest.mark.timeout(600)  # a whole run, on a machine that others use too
SPLITS_OF = {"train": 7, "val": 3, "test": 5}
COLOURS = ("navy", "red", "black", "white", "green")
MAIN = ("base", "temporal-0", "dpo-0", "control-0", "rejection-0", "best-of-2", "shuffled")
SMALL = {
    "num_transactions": 3000, "markets": 1, "top_k": 2, "num_cases": 4, "num_noises": 2, "best_of": 2, "num_shown": 2,
    "num_inference_steps": 2, "draw_batch": 8, "image_size": (128, 96), "num_seeds": 1, "temporal_steps": 2,
    "temporal_batch": 3, "dpo_rounds": 1, "dpo_steps": 2, "dpo_batch": 2, "micro_batch": 2, "prompts_per_round": 3,
    "num_candidates": 2, "min_gap": 0.0, "num_workers": 0, "device": "cpu",
}  # fmt: skip


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn garments that stand for photos, each split with senders of its own; and one that says it is a drawing."""
    root, records = tmp_path_factory.mktemp("photos"), []
    splits = [split for split, count in SPLITS_OF.items() for _ in range(count)] + ["train"]
    for number, split in enumerate(splits):
        colours = (COLOURS[number % len(COLOURS)],)
        drawn = draw_garment("t-shirt", colours=colours, pattern="plain", seed=number)
        sender = "drawing" if number == len(splits) - 1 else f"{split} {number % 2}"
        record = ArticleRecord(
            f"{100 + number:010d}", split, drawn.category, UNDATED, drawn.garment, drawn.caption, colours,
            ((0, 0, 0),), "plain", "", sender, 1.0,
        )  # fmt: skip
        write_article(root, record, ArticlePictures(drawn.image, drawn.sketch, drawn.mask))
        records.append(record)
    write_manifest(root, records)
    return root


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny model with the CLIP that rewards, and another CLIP as judge."""
    root = tmp_path_factory.mktemp("models")
    tiny.save_clip_folder(root / "judge" / "clip", seed=1)
    return tiny.save_model(root / "model"), root / "judge"


def flags(values: dict[str, object]) -> list[str]:
    found: list[str] = []
    for name, value in values.items():
        found += [
            f"--{name}",
            *(map(str, value) if isinstance(value, Sequence) and not isinstance(value, str) else [str(value)]),
        ]
    return found


@pytest.fixture(scope="module")
def finished(
    photos: Path, folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """The folder of a whole run, and its command without --arms."""
    root = tmp_path_factory.mktemp("proof")
    command = flags(SMALL | {
        "dataset_path": str(photos), "output_dir": str(root / "out"), "judge": str(folders[1]),
        "pretrained_model_name_or_path": str(folders[0]), "results": str(root / "docs" / "RESULTS.md"),
    })  # fmt: skip
    assert main([*command, "--arms", *MAIN]) == 0
    return root, command


@pytest.fixture(scope="module")
def market(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> ProofConfig:
    """Two markets, and every second training photo with a bare caption."""
    changes = {"markets": 2, "bare_share": 0.5}
    config = ProofConfig(
        dataset_path=str(photos), output_dir=str(tmp_path_factory.mktemp("market")), **(SMALL | changes)
    )
    make_stock(config)
    make_weeks(config)
    return config


def test_neither_held_out_weeks_nor_held_out_senders_are_in_training(market: ProofConfig) -> None:
    config = market
    placements, records = read_placements(config), read_stock(config)
    senders = {s: {records[p.article_id].sender for p in placements if p.split == s} for s in SPLITS_OF}
    assert all(len(found) == 2 for found in senders.values()) and not senders["train"] & senders["test"]
    assert "drawing" not in set.union(*senders.values())
    for number in range(2):
        weeks = {s: {p.week for p in placements if p.split == s and p.market == number} for s in SPLITS_OF}
        assert max(weeks["train"]) < min(weeks["val"]) <= max(weeks["val"]) < min(weeks["test"])
    ranks = {(p.market, p.split, p.category, p.week): [] for p in placements}
    for p in placements:
        ranks[p.market, p.split, p.category, p.week].append((p.rank, p.units))
    assert all([rank for rank, _ in found] == list(range(1, len(found) + 1)) for found in ranks.values())
    assert all(found[0][1] >= found[-1][1] for found in ranks.values()) and max(map(len, ranks.values())) == 2


def test_weeks_are_a_data_set_in_the_starters_words_and_markets_do_not_see_one_another(market: ProofConfig) -> None:
    config = market
    records = read_stock(config)
    train, test = (GarmentDataset(config.weeks, split) for split in ("train", "test"))
    said = {article_id: train.captions[article_id] for article_id in records if article_id in train.captions}
    bare = {one for one, words in said.items() if words == records[one].garment}
    assert bare and {records[one].split for one in bare} == {"train"}
    assert all(words == records[one].caption for one, words in said.items() if one not in bare)
    number_of = {(p.category, p.week): p.market for p in read_placements(config)}
    for data in (train, test):
        for number in range(len(data)):
            one = data.facts(number)
            seen = {number_of[one.category, past.week] for past in one.past}
            assert seen <= {number_of[one.category, one.week]}


def test_a_sender_in_two_splits_is_refused(photos: Path, tmp_path: Path) -> None:
    lines = (photos / "manifest.jsonl").read_text(encoding="utf-8").replace("test 0", "train 0")
    (tmp_path / "manifest.jsonl").write_text(lines, encoding="utf-8")
    config = ProofConfig(dataset_path=str(tmp_path), output_dir=str(tmp_path / "out"), **SMALL)
    with pytest.raises(ValueError, match="sender train 0 is in train and in test"):
        make_stock(config)


def test_other_sales_are_not_mixed_with_those_that_are_there(market: ProofConfig) -> None:
    assert make_stock(market)["counts"]["test"]["photos"] == SPLITS_OF["test"]  # read again, not simulated again
    with pytest.raises(ValueError, match="another --top_k"):
        make_stock(dataclasses.replace(market, top_k=3))


def test_the_whole_proof_runs_and_reports_what_it_measured(finished: tuple[Path, list[str]]) -> None:
    root, _ = finished
    text = (root / "docs" / "RESULTS.md").read_text(encoding="utf-8")
    records = {name: json.loads((root / "out" / "arms" / name / "result.json").read_text()) for name in MAIN}
    assert all(record["title"] in text and record["seconds"] for record in records.values())
    for words in ("## Targets", "## Oracle mode", "## Forecast mode", "## Bare mode", "## Cost", "results/oracle.jpg"):
        assert words in text
    assert "not run" not in text.split("## Targets")[1].split("##")[0]
    assert "nan" not in text.lower().replace("finance", "")
    assert (root / "docs" / "results" / "oracle.jpg").is_file()
    trained = records["dpo-0"]["training"]
    assert trained["updates"] == 2 and trained["beta"] > 0 and "winner_change" in trained
    assert "preference" not in records["control-0"]["training"] and records["rejection-0"]["training"]["preference"] > 0
    rounds = {
        n: root / "out" / "arms" / n / "train" / "rounds" / "round_0000.safetensors" for n in ("dpo-0", "rejection-0")
    }
    assert rounds["dpo-0"].read_bytes() == rounds["rejection-0"].read_bytes()  # equal samples


def test_the_same_noise_gives_an_untrained_arm_the_same_pictures(finished: tuple[Path, list[str]]) -> None:
    root, _ = finished
    config = ProofConfig(output_dir=str(root / "out"), **SMALL)
    own, best = (read_scores(config, name, ORACLE) for name in ("temporal-0", "best-of-2"))
    shuffled = read_scores(config, "shuffled", ORACLE)
    assert own["reward_own"].shape == (4, 2) and own["kid"].shape == (3,)
    assert (own["reward_own"] != shuffled["reward_own"]).any()  # the past is looked at
    assert torch.equal(own["reward_words"], shuffled["reward_words"])
    better = gain(best, own, "reward", ORACLE, (0.6, 0.4))
    assert better.mean() >= 0 and (better != 0).any()


def test_a_finished_run_does_nothing_and_a_stopped_one_goes_on(
    finished: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    root, command = finished
    arms = root / "out" / "arms"
    before = {path: path.stat().st_mtime_ns for path in arms.rglob("*.safetensors")}
    (arms / "shuffled" / "result.json").unlink()
    (arms / "shuffled" / "bare.safetensors").unlink()
    assert main([*command, "--arms", *MAIN]) == 0
    after = {path: path.stat().st_mtime_ns for path in arms.rglob("*.safetensors")}
    assert {path for path in before if before[path] != after[path]} == {arms / "shuffled" / "bare.safetensors"}
    capsys.readouterr()
    assert main([*command, "--arms", "base", "no-loss", "--max_minutes", "1e-9"]) == 0
    assert (
        "left for want of time: train no-loss, measure no-loss." in capsys.readouterr().out
        and not (arms / "no-loss" / "result.json").exists()
    )


def test_settings_of_a_finished_arm_are_kept(
    finished: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    _, command = finished
    assert main([*command, "--stage", "run", "--arms", "base", "--num_cases", "3"]) == 2
    assert "was made with another num_cases (4, not 3)" in capsys.readouterr().err


def test_without_results_no_report_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "RESULTS.md"
    assert main(["--output_dir", str(tmp_path), "--stage", "report", "--results", str(results)]) == 2
    assert "nothing to report yet" in capsys.readouterr().err and not results.exists()


def test_the_judge_must_not_reward(finished: tuple[Path, list[str]], folders: tuple[Path, Path], capsys) -> None:
    _, command = finished
    assert main([*command, "--judge", str(folders[0] / "clip"), "--stage", "run"]) == 2
    assert "is the CLIP that rewards" in capsys.readouterr().err


def test_every_arm_stands_after_what_it_needs_and_the_plan_prices_all(capsys: pytest.CaptureFixture[str]) -> None:
    config = ProofConfig(output_dir="x")
    plan = make_plan(config)
    names = [arm.name for arm in plan]
    assert len(set(names)) == len(names) and sum(arm.kind == TEMPORAL for arm in plan) == 3 + 2
    for number, arm in enumerate(plan):
        assert {arm.start, arm.reference} - {""} <= set(names[:number]), arm.name
        assert estimate(config, arm).total > 0 and (estimate(config, arm).candidates > 0) == (
            arm.kind == DPO and arm.changes.get("dpo_weight", 1) > 0
        )
    assert main(["--output_dir", "x", "--plan"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in names) and "minutes with 1 processes" in shown
    assert main(["--output_dir", "x", "--plan", "--arms", "dpo-9"]) == 2


def test_a_main_arm_is_trained_before_any_is_measured_and_ablations_come_whole() -> None:
    arms = make_plan(ProofConfig(output_dir="x"))
    tasks = tasks_of(arms)
    assert {(t.kind, t.arm.name) for t in tasks} == {(MEASURE, a.name) for a in arms} | {
        (TRAIN, a.name) for a in arms if a.kind != AS_IS
    }
    groups = [task.arm.group for task in tasks]
    assert groups == sorted(groups, key=["main", "seeds", "ablations"].index)
    main = [task.kind for task in tasks if task.arm.group == "main"]
    assert main == sorted(main, key=[TRAIN, MEASURE].index)
    places = {task.name: number for number, task in enumerate(tasks)}
    assert places["measure no-loss"] == places["train no-loss"] + 1


def test_who_takes_a_round_over_waits_for_it_only_while_it_is_coming() -> None:
    task = next(t for t in tasks_of(make_plan(ProofConfig(output_dir="x"))) if t.name == "train rejection-0")
    done = {"train temporal-0"}
    assert not ready(task, (), {"train dpo-0"}, lambda name: True)  # its own base is not trained
    assert not ready(task, done, {"train dpo-0"}, lambda name: False)
    assert ready(task, done, {"train dpo-0"}, lambda name: name == "train dpo-0")
    assert ready(task, done, (), lambda name: False) and ready(task, done | {"train dpo-0"}, (), lambda name: False)


@pytest.mark.parametrize("workers", [1, 4])
def test_the_timeline_keeps_needs_and_uses_every_process(workers: int) -> None:
    config = ProofConfig(output_dir="x")
    arms = make_plan(config)
    costs = {arm.name: estimate(config, arm) for arm in arms}
    slots, late = timeline(tasks_of(arms), (), costs, (workers, 0))
    assert not late and len(slots) == len(tasks_of(arms)) and {slot.worker for slot in slots} == set(range(workers))
    ends = {slot.task.name: slot.end for slot in slots}
    for slot in slots:
        assert all(ends[name] <= slot.start for name in slot.task.needs)
        assert slot.end - slot.start == pytest.approx(seconds_of(slot.task, costs[slot.task.arm.name]))
    for worker in range(workers):
        own = sorted((slot.start, slot.end) for slot in slots if slot.worker == worker)
        assert all(before[1] <= after[0] for before, after in zip(own, own[1:], strict=False))
    limit = 300.0
    early, late = timeline(tasks_of(arms), (), costs, (workers, limit))
    assert late and max(slot.end for slot in early) <= limit
    trained = {s.task.arm.name for s in early if s.task.kind == TRAIN}
    if workers == 4:
        assert "dpo-0" in trained and {"dpo-0", "control-0"} <= {
            s.task.arm.name for s in early if s.task.kind == MEASURE
        }


def test_a_task_that_does_not_fit_leaves_room_for_a_shorter_one() -> None:
    arms = [arm for arm in make_plan(ProofConfig(output_dir="x")) if arm.name in ("base", "temporal-0")]
    costs = {"base": Cost(0, 0, 0, 0, 5.0), "temporal-0": Cost(1, 0, 0, 9, 5.0)}
    slots, late = timeline(tasks_of(arms), (), costs, (1, 12.0))
    assert [slot.task for slot in slots] == [Task(MEASURE, arms[0])]
    assert late == ["train temporal-0", "measure temporal-0"]


def test_what_breaks_is_noted_and_not_tried_again(finished: tuple[Path, list[str]], capsys, monkeypatch) -> None:
    root, command = finished
    failed = root / "out" / "arms" / "no-loss" / "failed.txt"

    def broken(bench: object, arm: object) -> None:
        raise RuntimeError("a kernel is missing")

    monkeypatch.setattr("train.proof.runner.train_arm", broken)
    with pytest.raises(RuntimeError, match="a kernel"):
        main([*command, "--stage", "run", "--arms", "base", "no-loss"])
    assert "a kernel is missing" in failed.read_text() and "delete this file" in failed.read_text()
    capsys.readouterr()
    assert main([*command, "--stage", "run", "--arms", "base", "no-loss"]) == 0
    assert "broken, see failed.txt in its folder: train no-loss, measure no-loss." in capsys.readouterr().out
    assert main([*command, "--stage", "report"]) == 0
    text = (root / "docs" / "RESULTS.md").read_text()
    assert "| temporal without trend loss | oracle, forecast | RuntimeError: a kernel is missing |" in text
    failed.unlink()


def test_where_memory_is_short_the_same_is_measured(finished: tuple[Path, list[str]], tmp_path, capsys, monkeypatch):
    root, command = finished
    whole = read_scores(ProofConfig(output_dir=str(root / "out")), "base", ORACLE)
    decode = measures.decode_pixels

    def decode_few(models: object, latents: torch.Tensor, autocast: object) -> torch.Tensor:
        if len(latents) > 4:
            raise torch.OutOfMemoryError("no memory")
        return decode(models, latents, autocast)

    monkeypatch.setattr(measures, "decode_pixels", decode_few)
    command = [*command, "--output_dir", str(tmp_path)]
    assert main([*command, "--stage", "data"]) == 0 and main([*command, "--stage", "run", "--arms", "base"]) == 0
    assert "out of memory; pictures of 2 prompts at a time" in capsys.readouterr().err
    few = read_scores(ProofConfig(output_dir=str(tmp_path)), "base", ORACLE)
    assert all(torch.allclose(whole[name], few[name], atol=2e-3, equal_nan=True) for name in whole)


def test_a_task_without_memory_leaves_its_remedy(tmp_path: Path) -> None:
    config = ProofConfig(output_dir=str(tmp_path))
    arm = next(arm for arm in make_plan(config) if arm.name == "dpo-0")
    (tmp_path / "arms" / "dpo-0").mkdir(parents=True)
    for error, named in ((torch.OutOfMemoryError("CUDA"), True), (RuntimeError("other"), False)):
        with pytest.raises(ValueError, match="told"), runner._failure_noted(config, Task(TRAIN, arm)):
            raise ValueError("told") from error
        text = (tmp_path / "arms" / "dpo-0" / "failed.txt").read_text()
        assert ("run fewer processes on it, or give a smaller --micro_batch" in text) == named
        assert text.startswith("train dpo-0; delete this file to try again.") and text.endswith("ValueError: told\n")


def test_a_stock_of_one_split_takes_the_others_from_the_photos(photos: Path, tmp_path: Path) -> None:
    config = ProofConfig(dataset_path=str(photos), output_dir=str(tmp_path / "out"), stock_splits=("test",), **SMALL)
    make_stock(config)
    assert [path.name for path in config.stock.iterdir() if path.is_dir()] == ["test"]
    with pytest.raises(FileNotFoundError, match="no such file. The stock holds the pictures of --stock_splits"):
        make_weeks(dataclasses.replace(config, dataset_path=""))
    make_weeks(config)
    records = read_stock(config)
    assert {records[item.article_id].split for item in GarmentDataset(config.weeks, "train").items} == {"train"}
    assert len(GarmentDataset(config.weeks, "test")) > 0


def test_an_arm_whose_need_is_not_asked_for_is_refused(finished: tuple[Path, list[str]], capsys) -> None:
    _, command = finished
    assert main([*command, "--stage", "run", "--num_seeds", "2", "--arms", "dpo-1"]) == 2
    assert "--arms dpo-1 needs temporal-1, which is not done" in capsys.readouterr().err


def test_a_report_of_several_judges_is_refused(finished: tuple[Path, list[str]], capsys) -> None:
    root, command = finished
    path = root / "out" / "arms" / "shuffled" / "result.json"
    before = path.read_text(encoding="utf-8")
    record = json.loads(before)
    path.write_text(json.dumps(record | {"judge": "0123456789ab"}), encoding="utf-8")
    try:
        assert main([*command, "--stage", "report"]) == 2
    finally:
        path.write_text(before, encoding="utf-8")
    said = capsys.readouterr().err
    assert "several judges" in said and "0123456789ab: shuffled" in said and f"{record['judge']}: base, temp" in said


def test_gains_are_in_deviations_of_the_reference_and_ties_count_half() -> None:
    torch.manual_seed(0)
    reference = {"judge_own": torch.randn(50, 4), "judge_text": torch.zeros(50, 4)}
    unit = spread_within(reference["judge_own"])
    own = {"judge_own": reference["judge_own"] + 0.5 * unit, "judge_text": reference["judge_text"]}
    found = gain(own, reference, "judge", ORACLE, (0.6, 0.4))
    assert found.numpy() == pytest.approx(0.5, abs=1e-6)
    assert wins(torch.tensor([[1.0, 0.0], [-1.0, 2.0]])).mean() == pytest.approx(0.625)


def test_intervals_draw_articles_not_cases() -> None:
    names = ("own", "week", "text", "shown")
    tensors = {f"{clip}_{name}": torch.rand(8, 2) for clip in ("reward", "judge") for name in names}
    tensors |= {name: torch.rand(8) for name in ("diversity", "vendi", "outline_iou")}
    tensors |= {"saturation": torch.rand(8, 2), "inner_lines": torch.full((8,), math.nan)}
    other = {name: value * 0.9 for name, value in tensors.items()}
    found = against(other, tensors, ["one"] * 8, ORACLE, (0.6, 0.4))
    assert found["judge_gain"].low == found["judge_gain"].high == found["judge_gain"].mean < 0
    assert found["diversity_ratio"].mean == pytest.approx(-0.1, abs=1e-6) and "inner_lines_change" not in found


def test_kid_is_near_zero_for_one_distribution_and_leaves_an_articles_own_pairs_out() -> None:
    torch.manual_seed(1)
    articles = [str(number // 2) for number in range(60)]
    first, second = torch.randn(60, 8), torch.randn(60, 8)
    near, far = kid(first, second, articles), kid(first + 1, second, articles)
    assert near.low <= 0 <= near.high and far.low > near.high
    copies = torch.randn(3, 8)
    same = kid(copies.repeat_interleave(2, 0), copies.repeat_interleave(2, 0), ["a", "a", "b", "b", "c", "c"])
    assert same.mean == pytest.approx(0, abs=1e-9)


def test_spread_at_known_values() -> None:
    distance, vendi = spread(torch.stack([torch.eye(4), torch.eye(4)[[0, 0, 0, 0]]]))
    assert distance.tolist() == pytest.approx([1, 0]) and vendi.tolist() == pytest.approx([4, 1], abs=1e-4)


def test_the_typical_caption_weighs_weeks_and_prefers_the_younger_among_equals() -> None:
    ids = {"old": (1.0, 0.0), "young": (0.0, 1.0), "same": (0.0, 1.0)}
    embedded = {name: np.array(vector) for name, vector in ids.items()}

    def facts(old: float, young: float, of_young: tuple[str, ...]) -> SampleFacts:
        weeks = (
            PastItems(Week(2020, 5), 2, old, ("old",), "old"),
            PastItems(Week(2020, 6), 1, young, of_young, "young"),
        )
        return SampleFacts("x", "test", "top5gub", Week(2020, 7), "", weeks, (), None)

    assert most_typical(facts(0.6, 0.4, ("young",)), embedded) == "old"
    assert most_typical(facts(0.4, 0.6, ("young",)), embedded) == "young"
    assert most_typical(facts(0.5, 0.5, ("young", "same")), embedded) == "same"  # a tie: younger week, lower id


def test_the_best_candidate_is_taken() -> None:
    near, text = torch.tensor([[0.1, 0.9, 0.2, 0.3]]), torch.tensor([[0.5, 0.5, 0.1, 0.8]])
    seen = Judged(torch.zeros(1, 4, 2), {"own": near, "text": text})
    assert choose(seen, None, [0], ORACLE, (2, 2, (0.6, 0.4))).tolist() == [1, 1]  # two groups of two


def test_an_ensembles_dot_product_is_the_mean_cosine(folders: tuple[Path, Path]) -> None:
    scorers = [ClipScorer.load(folders[0] / "clip", "cpu"), ClipScorer.load(folders[1] / "clip", "cpu")]
    pixels = torch.rand(3, 3, 128, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    both = EnsembleScorer(scorers, 1)
    expected = torch.stack(
        [s.embed_pixels(pixels) @ torch.from_numpy(s.embed_texts(["navy shirt"])).T for s in scorers]
    )
    found = both.embed_pixels(pixels) @ torch.from_numpy(both.embed_texts(["navy shirt"])).T
    assert torch.allclose(found, expected.mean(dim=0), atol=1e-5)
    seen = EnsembleScorer(scorers, 2).embed_pixels(pixels)
    assert torch.allclose(seen, EnsembleScorer(scorers, 2).embed_pixels(mirrored(pixels)), atol=1e-5)
    assert not torch.allclose(seen, EnsembleScorer(scorers, 3).embed_pixels(pixels), atol=1e-3)


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    with lock(tmp_path) as mine:
        with lock(tmp_path) as other:
            assert mine and not other
    with lock(tmp_path) as again:
        assert again


def test_a_machine_without_polars_can_run_the_arms() -> None:
    lacking = "import sys; sys.modules['polars'] = None; import train.proof.__main__"
    subprocess.run([sys.executable, "-c", lacking], check=True, timeout=240, cwd=Path(__file__).parents[1])
