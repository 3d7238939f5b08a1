"""The blind test: nothing tells the models before the reveal, every judgement is kept, and the figures are right."""

from __future__ import annotations

import csv
import io
import random
import shutil
from collections import Counter
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from fashiondistill.config import BLIND_CANDIDATES, GenerateConfig, StudioConfig
from fashiondistill.design import Design, DesignRequest
from fashiondistill.diffusion.checkpoints import weights_id, write_manifest
from fashiondistill.diffusion.loading import load_pipeline
from fashiondistill.diffusion.past import shop_past
from fashiondistill.diffusion.trend import TrendEncoder
from fashiondistill.scoring import ClipScorer
from fashiondistill.store import Store, StoreError, new_id
from fashiondistill.store.blind import JudgedModel, Judgement
from studio import blindcards, blindtexts, callbacks, checks, turns
from studio.blind import BlindRound, BlindTest
from studio.compared import model_names
from studio.engine import DesignEngine
from studio.state import GenerateInputs, Stop, StudioError
from studio.turns import Waiting
from tests import stored, tiny
from tests.fake_engine import FakeEngine, FakeModel

A, B, C = (JudgedModel(f"digest-{one}", one) for one in ("base", "temporal", "dpo"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    made = FakeEngine(tmp_path)
    made.compared = tuple(FakeModel(made, *one) for one in (("base", "navy"), ("temporal", "red"), ("dpo", "olive")))
    return made


@pytest.fixture
def test(engine: FakeEngine, store: Store) -> BlindTest:
    return BlindTest(engine, store, rng=random.Random(5))


@pytest.fixture
def request_(engine: FakeEngine) -> DesignRequest:
    drawn = callbacks.template(engine, "top5gub")
    inputs = GenerateInputs("top5gub", "2020-W10", "navy <b>shirt</b>", drawn, BLIND_CANDIDATES, 3, 2.0, 1.0, 9)
    return checks.check_request(engine, inputs)


def draw(test: BlindTest, request: DesignRequest) -> BlindRound:
    (*_, last) = test.draw(request)
    return last.drawn


def judged(store: Store, user: str, left: JudgedModel, right: JudgedModel, choice: str, times: int = 1) -> None:
    for _ in range(times):
        store.blind.judge(user, Judgement(new_id(), stored.request(), left, right, choice))


# ---- the store


def test_wins_count_for_the_model_on_whichever_side_it_stood(store):
    user = stored.make_user(store)
    judged(store, user, A, B, "right", 5)
    judged(store, user, B, A, "left", 2)
    judged(store, user, B, A, "right", 1)
    judged(store, user, A, B, "none", 2)
    judged(store, user, A, C, "left", 1)
    first, second = store.blind.pairs(user)
    of_b = first if first.first == B else first.swapped()
    assert (of_b.second, of_b.wins, of_b.losses, of_b.ties, of_b.count, of_b.rate) == (A, 7, 1, 2, 10, 0.8)
    assert of_b.interval == pytest.approx((0.4902, 0.9433), abs=1e-4)  # as in test_agreement
    assert of_b.swapped().rate == pytest.approx(0.2) and {second.first, second.second} == {A, C}


def test_judgements_survive_a_restart_with_what_made_them_and_belong_to_one_user(store):
    user, other = stored.make_user(store), stored.make_user(store)
    judged(store, user, A, B, "left")
    judged(store, other, A, B, "right", 2)
    store.close()
    again = Store.open(store.folder)
    again.remove_orphans(age=0)  # the sketch is not taken for an orphan
    assert [one.count for one in again.blind.pairs(user)] == [1] and again.blind.pairs()[0].count == 3
    row = again.database.rows("SELECT * FROM blind_tests WHERE user = ?", (user,))[0]
    assert (row["left_model"], row["right_model"], row["left_name"], row["seed"]) == (A.id, B.id, "base", 7)
    assert again.pictures.read(row["sketch"])


def test_the_same_round_changes_its_choice_and_nobody_elses(store):
    user, other = stored.make_user(store), stored.make_user(store)
    one = Judgement(new_id(), stored.request(), A, B, "left")
    store.blind.judge(user, one)
    store.blind.judge(user, replace(one, choice="none"))
    (found,) = store.blind.pairs(user)
    assert (found.wins, found.losses, found.ties) == (0, 0, 1) and store.blind.pairs(user, without=one.id) == []
    with pytest.raises(StoreError, match="not yours"):
        store.blind.judge(other, one)
    with pytest.raises(StoreError, match="'both' is unknown"):
        store.blind.judge(user, replace(one, choice="both"))
    with pytest.raises(StoreError, match="both sides are the model digest-base"):
        store.blind.judge(user, replace(one, right=A))
    assert store.blind.pairs(user)[0].ties == 1


def test_a_retrained_model_of_the_same_name_is_another_one(store):
    user = stored.make_user(store)
    judged(store, user, A, B, "left")
    judged(store, user, A, JudgedModel("digest-new", "temporal"), "left")
    assert len(store.blind.pairs(user)) == 2


# ---- drawing


def test_both_models_draw_the_same_request_in_their_turn(test, engine, request_):
    drawn = draw(test, request_)
    used = [one for one in engine.compared if one.requests]
    assert {one.name for one in used} == {drawn.left.name, drawn.right.name} and len(used) == 2
    assert all(one.requests == [request_] and one.unlocked == 0 for one in used)
    assert [one.num_loads for one in engine.compared if one not in used] == [0]  # loaded when first needed only
    assert not engine.turn().locked()
    assert len(drawn.left_pictures) == len(drawn.right_pictures) == BLIND_CANDIDATES
    by_name = {one.name: one for one in used}
    *_, again = by_name[drawn.left.name].draw(replace(request_, config=GenerateConfig(1, 2)))
    assert np.array_equal(again.image, drawn.left_pictures[0])
    assert drawn.left.id == f"{drawn.left.name}-digest"


def test_pairs_and_sides_are_random_and_the_order_of_drawing_tells_no_side(test, engine, request_, monkeypatch):
    monkeypatch.setattr(engine, "_garment", lambda category, rgb: np.zeros((512, 384, 3), np.uint8))  # fast
    pairs, left_first = Counter(), Counter()
    for _ in range(120):
        engine.drawn_by.clear()
        drawn = draw(test, request_)
        pairs[drawn.left.name, drawn.right.name] += 1
        left_first[engine.drawn_by[0] == drawn.left.name] += 1
    assert len(pairs) == 6 and min(pairs.values()) > 8  # expected 20; 8 is 2.9 standard deviations away
    assert 40 < left_first[True] < 80


def test_a_stop_or_a_fault_ends_it_within_a_step_and_frees_the_device(test, engine, request_):
    stop, seen = Stop(), []
    for one in test.draw(request_, stop):
        seen.append(one)
        stop.asked = one.fraction > 0
    assert seen[-1].stopped and seen[-1].drawn is None and len(seen) == 3 and not engine.turn().locked()
    engine.fail_with = MemoryError("out of memory")
    with pytest.raises(StudioError, match="Out of memory"):
        draw(test, request_)
    assert not engine.turn().locked()


def test_a_pair_takes_its_place_in_the_line_and_says_where_it_stands(test, engine, request_, monkeypatch):
    monkeypatch.setattr(turns, "POLL", 0.01)
    with closing(callbacks.draw(engine, request_)) as before, closing(test.draw(request_)) as pair:
        assert next(before).waiting is None
        assert [one.waiting for one in islice(pair, 2)] == [Waiting(1, None)] * 2 and engine.drawn_by == []
        behind = callbacks.draw(engine, request_)
        assert next(behind).waiting.ahead == 2
        assert list(before)[-1].phase == "ranked"
        began, *_ = islice(pair, 3)
        assert (began.waiting, began.fraction) == (None, 0.0) and len(engine.drawn_by) == 1
        where = next(behind).waiting
        assert where.ahead == 1 and where.seconds is not None  # by the pace of the request before
        (*_, last) = pair
    assert last.drawn is not None and list(behind)[-1].phase == "ranked"


def test_a_pair_that_waits_can_be_stopped_and_too_long_a_line_is_told(test, engine, request_, monkeypatch):
    monkeypatch.setattr(turns, "POLL", 0.01)
    engine.turns.most = 1
    stop = Stop()
    with engine.turns.take(10):
        pair = test.draw(request_, stop)
        assert next(pair).waiting == Waiting(1, None)
        with pytest.raises(StudioError, match="^1 requests wait for the model already. Press Draw a pair again"):
            draw(test, request_)
        stop.asked = True
        (last,) = pair
        assert last.stopped and last.waiting is None and engine.drawn_by == []
        next(test.draw(request_))  # its place is free
    assert draw(test, request_) is not None


def test_loading_a_model_is_no_part_of_a_pairs_pace_and_its_pace_of_nobody_elses(test, engine, request_, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(turns.time, "monotonic", lambda: now[0])

    def load_slowly(model: FakeModel) -> str:
        now[0] += 60
        model.num_loads += 1
        return model.name

    monkeypatch.setattr(FakeModel, "load", load_slowly)
    with closing(test.draw(request_)) as pair:
        assert next(pair).waiting is None
        with engine.turns.take(1) as behind:
            for number, one in enumerate(pair, start=1):
                if one.drawn is None:
                    now[0] += 2
                    assert behind.waiting() == Waiting(1, 2.0 * (12 - number))
    with engine.turns.take(5), engine.turns.take(1) as next_one:
        assert next_one.waiting() == Waiting(1, None)


# ---- judging


def test_names_and_figures_are_hidden_until_the_reveal(test, store, request_):
    user = stored.make_user(store)
    drawn = draw(test, request_)
    with pytest.raises(StudioError, match="nothing is chosen"):
        test.reveal(drawn)
    kept = test.judge(user, drawn, "left")
    for one in (drawn, kept):
        html = blindcards.pair_html(one)
        assert "digest" not in html and not any(f">{name}<" in html for name in ("base", "temporal", "dpo"))
        assert "navy &lt;b&gt;shirt" in html and "<b>shirt" not in html
    assert test.pairs(user, kept) == [] and test.pairs(None, kept) == []  # they would tell who won
    assert test.pairs(user)  # after a reload of the page it counts
    with pytest.raises(StudioError, match="no results to export"):
        test.export(user, kept)
    kept = test.judge(user, kept, "right")  # a change of mind
    shown = test.reveal(kept)
    html = blindcards.pair_html(shown)
    assert f"<span>{drawn.left.name}</span>" in html and f"<span>{drawn.right.name}</span>" in html
    (found,) = test.pairs(user, shown)
    won = found if found.first == drawn.right else found.swapped()
    assert (won.first, won.wins, won.losses) == (drawn.right, 1, 0)
    with pytest.raises(StudioError, match="its judgement stays"):
        test.judge(user, shown, "left")
    with pytest.raises(StudioError, match="no pair to judge"):
        test.judge(user, None, "left")


def test_results_read_as_the_later_model_over_the_earlier_and_export_as_csv(test, store):
    user, other = stored.make_user(store), stored.make_user(store)
    judged(store, user, A, B, "right", 3)
    judged(store, user, JudgedModel("x", "=gone"), A, "none")
    judged(store, other, B, A, "right")
    first, second = test.pairs(user)
    assert (first.first, first.second, first.wins) == (B, A, 3) and second.first == A
    rows = list(csv.DictReader(io.StringIO(test.export(user).data.decode("utf-8-sig"))))
    assert [(one["judges"], one["model"], one["judged"], one["win_rate"]) for one in rows] == [
        ("you", "temporal", "3", "1.0"),
        ("you", "base", "1", "0.5"),
        ("all", "temporal", "4", "0.75"),
        ("all", "base", "1", "0.5"),
    ]
    assert rows[0]["model_id"] == B.id and 0.4 < float(rows[0]["low_95"]) < 0.5 and rows[1]["other_model"] == "'=gone"
    html = blindcards.results_html(test.pairs(user), test.pairs(None))
    assert "temporal over base" in html and blindtexts.EVERYONES in html
    assert blindtexts.EVERYONES not in blindcards.results_html(test.pairs(user), test.pairs(user))


# ---- the folders of --compare_models


def test_names_are_short_and_differ():
    paths = ["/a/starter", "/w/temporal/final_model/pipeline", "/w/one/dpo/final_model/pipeline", "/w/two/dpo"]
    assert model_names([Path(one) for one in paths]) == ["starter", "temporal", "one/dpo", "two/dpo"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A base and a temporal model with another CLIP, as training writes it, and a catalogue."""
    place = tmp_path_factory.mktemp("models")
    temporal = tiny.save_model(place / "temporal" / "final_model" / "pipeline", seed=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        encoder = TrendEncoder(8, tiny.TEXT_WIDTH).eval().requires_grad_(False)
        encoder.out.weight.mul_(100)
    encoder.save(temporal / "trend")
    write_manifest(temporal)
    shop = tiny.save_catalogue(place / "shop", week="2020-W09")
    return {"base": tiny.save_model(place / "base"), "temporal": temporal, "shop": shop}


def config(folders: dict[str, Path], *compared: Path, **changes: str) -> StudioConfig:
    given = {"model": str(folders["base"]), "catalogue": str(folders["shop"]), "device": "cpu"}
    return StudioConfig(**(given | changes), compare_models=tuple(map(str, compared)))


def test_real_models_are_loaded_when_needed_and_draw_what_they_draw_alone(folders):
    engine = DesignEngine.open(config(folders, folders["temporal"]))
    assert engine.card is None  # such a folder has no figures.json
    base, temporal = engine.compared
    assert (base.name, temporal.name) == ("base", "temporal") and temporal._pipeline is None
    request = tiny.request()
    alone = load_pipeline(folders["temporal"], "cpu")
    clip = ClipScorer.load(folders["temporal"] / "clip", "cpu")
    past = shop_past(engine.shop, request.category, request.week, alone.trend, clip.embed_images)
    assert past.weights.sum() == pytest.approx(1)
    assert temporal.load() == weights_id(folders["temporal"]) == alone.model_id.rpartition("-")[2]
    assert base.load() == weights_id(folders["base"]) and base._pipeline is engine.pipeline
    for model, expected in ((temporal, alone.stream(request, past)), (base, engine.pipeline.stream(request))):
        found = [event.image for event in model.draw(request) if isinstance(event, Design)]
        wanted = [event.image for event in expected if isinstance(event, Design)]
        assert len(found) == 2 and all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_folders_that_cannot_be_compared_are_said_before_anything_is_loaded(folders, tmp_path):
    assert DesignEngine.open(config(folders)).compared == ()
    with pytest.raises(FileNotFoundError, match="--compare_models none is not usable: it holds no model_index.json"):
        DesignEngine.open(config(folders, Path("none")))
    output = folders["temporal"].parents[1]
    with pytest.raises(FileNotFoundError, match=f"Give {folders['temporal']}"):
        DesignEngine.open(config(folders, output))
    copy = shutil.copytree(folders["base"], tmp_path / "copy")
    with pytest.raises(ValueError, match=f"--compare_models {copy} is not usable: it is the same model as"):
        DesignEngine.open(config(folders, folders["temporal"], copy))
    (copy / "manifest.json").unlink()  # as save_pretrained leaves it
    assert weights_id(copy) == weights_id(folders["base"])
