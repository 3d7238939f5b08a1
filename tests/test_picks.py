"""Picks: which pairs a favourite makes, who may read them, and that training reads them and learns from them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from fashiondistill.config import GenerateConfig
from fashiondistill.data.weeks import Week
from fashiondistill.design import ScoredDesign
from fashiondistill.images import to_model
from fashiondistill.store import Query, Store, StoreError, export_picks, read_picks
from fashiondistill.store.designs import Origin, read_picture
from tests import stored, tiny
from tests.training import Ground, make_ground
from train import dpo
from train.runs import open_workplace


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def user(store: Store) -> str:
    return stored.make_user(store)


def pairs(picks) -> list[tuple[str, list[str]]]:
    return [(pick.winner.id, [one.id for one in pick.losers]) for pick in picks]


def test_a_favourite_wins_over_the_siblings_that_were_visible(store, user):
    first, second, third = stored.keep(store, user)
    store.designs.delete(user, third)
    store.picks.favourite(user, first, True)
    (pick,) = store.picks.read()
    assert pairs([pick]) == [(first, [second])]
    assert (pick.category, pick.week, pick.prompt, pick.seed, pick.model, pick.kind) == (
        stored.CATEGORY, stored.WEEK, "Red plain T-shirt", 7, stored.MODEL, "draw",
    )  # fmt: skip
    assert (pick.winner.candidate, pick.losers[0].candidate) == (0, 1) and pick.settings["num_candidates"] == 3
    assert read_picture(pick.winner.file.read_bytes())[0, 0, 0] == 0 and pick.mask is None
    store.designs.restore(user, third)
    assert pairs(store.picks.read()) == [(first, [second])]  # it was not to be seen when the choice was made


def test_only_what_the_page_showed_counts(store, user):
    first, second, third = stored.keep(store, user)
    store.picks.favourite(user, first, True, visible=[first, third, "someone else's"])
    assert pairs(store.picks.read()) == [(first, [third])]


def test_two_favourites_do_not_beat_each_other_and_hearts_can_be_taken_back(store, user):
    first, second, third = stored.keep(store, user)
    store.picks.favourite(user, first, True)
    store.picks.favourite(user, first, True)  # twice is once
    store.picks.favourite(user, second, True)
    assert pairs(store.picks.read()) == [(first, [third]), (second, [third])]
    assert store.picks.counts(user) == type(store.picks.counts(user))(2, 2, 0)
    store.picks.favourite(user, first, False)
    assert pairs(store.picks.read()) == [(second, [third])]
    assert [one.id for one in store.designs.find(user, Query(show="favourites"))] == [second]
    store.picks.favourite(user, third, True)
    store.picks.favourite(user, first, True)
    assert pairs(store.picks.read()) == []  # all are favourites: nothing was preferred
    assert dataclasses.astuple(store.picks.counts(user)) == (0, 0, 3)


def test_who_opts_out_is_not_read(store, user):
    other = stored.make_user(store)
    mine, *_ = stored.keep(store, user)
    theirs, *_ = stored.keep(store, other)
    store.picks.favourite(user, mine, True)
    store.picks.favourite(other, theirs, True)
    assert {one.winner.id for one in store.picks.read()} == {mine, theirs}
    store.picks.set_training(user, False)
    assert not store.picks.training(user) and store.picks.training(other)
    assert {one.winner.id for one in store.picks.read()} == {theirs} and store.picks.read(user) == []
    later, *_ = stored.keep(store, user)
    store.picks.favourite(user, later, True)
    store.picks.set_training(user, True)
    assert {one.winner.id for one in store.picks.read(user)} == {mine}  # picked while opted out: stays out
    assert dataclasses.astuple(store.picks.counts(user)) == (1, 2, 1)


def test_exported_picks_are_read_like_the_store_itself(store, user, tmp_path):
    for seed in (1, 2):
        winner, *_ = stored.keep(store, user, stored.request(seed=seed))
        store.picks.favourite(user, winner, True)
    assert export_picks(store.picks.read(user), tmp_path / "out") == 2
    from_store = read_picks(store.folder / "studio.sqlite")
    assert read_picks(store.folder) == from_store and pairs(from_store) == pairs(store.picks.read())
    for path in (tmp_path / "out", tmp_path / "out" / "picks.jsonl"):
        exported = read_picks(path)
        assert pairs(exported) == pairs(from_store)
        for ours, theirs in zip(exported, from_store, strict=True):
            assert ours.sketch.parent == tmp_path / "out" and ours.sketch.read_bytes() == theirs.sketch.read_bytes()
            assert ours.winner.file.read_bytes() == theirs.winner.file.read_bytes()
            assert (ours.time, ours.settings, ours.seed) == (theirs.time, theirs.settings, theirs.seed)


def test_what_is_no_store_or_lacks_pictures_is_named(store, user, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"--preferences .*nothing.sqlite does not exist. Give the studio's"):
        read_picks(tmp_path / "nothing.sqlite")
    (tmp_path / "text.sqlite").write_text("no database" * 200)
    with pytest.raises(StoreError, match="file is not a database"):
        read_picks(tmp_path / "text.sqlite")
    (tmp_path / "picks.jsonl").write_text('{"time": 1}\n')
    with pytest.raises(ValueError, match=r"picks.jsonl, line 1 is no pick .*Export it again"):
        read_picks(tmp_path / "picks.jsonl")
    winner, loser, _ = stored.keep(store, user)
    store.picks.favourite(user, winner, True)
    store.pictures.path(store.designs.get(user, loser).picture).unlink()
    with pytest.raises(FileNotFoundError, match=r"its picture .*png is missing. Copy the whole folder"):
        read_picks(store.folder)


# ---- training


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return make_ground(tmp_path_factory.mktemp("ground"))


@pytest.fixture(scope="module")
def picked(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which somebody picked the darkest of three candidates that the tiny model drew, four times."""
    store = Store.open(tmp_path_factory.mktemp("picked"))
    user, pipeline = stored.make_user(store), tiny.pipeline()
    for seed in range(4):
        asked = tiny.request(seed=seed, config=GenerateConfig(num_candidates=3, num_inference_steps=2))
        drawn = tiny.designs(pipeline, asked)
        request_id = store.designs.begin(asked, Origin(user, "tiny-0"))
        scored = [ScoredDesign(one, 0.0, 0.0, 0.0, "1", 0) for one in drawn]
        ids = [store.designs.add(request_id, one, model="tiny-0") for one in scored]
        store.picks.favourite(user, ids[int(np.argmin([one.image.mean() for one in drawn]))], True)
    store.close()
    return store.folder / "studio.sqlite"


def objective_of(ground: Ground, out: Path, picked: Path, **changes: object):
    config = ground.dpo(out, preferences=str(picked), anchor_weight=0.0, safeguard=-1.0, **changes)
    objective = dpo.make_objective(config, open_workplace(config))
    objective.begin_step(0)
    return objective


def implicit_rewards(objective) -> tuple[float, float]:
    """Mean implicit reward of winner over loser, in units of the error, on all pairs; and the mean loss."""
    places = torch.arange(len(objective.round)).repeat_interleave(4)
    objective.round.__dict__["weights"] = torch.ones(len(objective.round))
    with torch.no_grad():
        loss, parts = objective.pair_loss(places)
    winner, loser = parts["winner_change"] * 1.0, parts["loser_change"] * 1.0
    return float(loser - winner), float(loss)


@pytest.mark.parametrize("swapped", [False, True])
def test_training_on_picks_raises_the_reward_of_what_was_picked(ground, picked, tmp_path, swapped):
    objective = objective_of(ground, tmp_path, picked)
    one = objective.round
    assert len(one) == 8 and one.winners.shape == (8, 4, 16, 12)
    if swapped:  # the same steps on the opposite taste: the reward of what was picked falls
        objective.round = dataclasses.replace(one, winners=one.losers, losers=one.winners)
    reward, loss = implicit_rewards(objective)
    assert reward == 0
    optimizer = torch.optim.SGD(objective.models.unet.parameters(), lr=3e-3)
    for _ in range(6):
        optimizer.zero_grad()
        objective.pair_loss(torch.arange(32))[0].backward()
        optimizer.step()
    trained_loss = implicit_rewards(objective)[1]
    assert trained_loss < loss
    objective.round = one
    reward = implicit_rewards(objective)[0]
    assert reward < 0 if swapped else reward > 0


def test_the_latents_are_those_of_the_pictures_and_the_conditions_those_of_the_request(ground, picked, tmp_path):
    objective = objective_of(ground, tmp_path, picked, image_size=(512, 384))
    pipeline, pick = objective.models.pipeline, read_picks(picked)[0]
    asked = tiny.request(seed=0)
    expected = pipeline.condition(asked.prompt, asked.sketch, *pipeline.canvas(asked.sketch, None, None))
    pairs = objective.round.pairs
    assert torch.equal(pairs.text_states[0], expected.encoder_hidden_states[0].cpu())
    assert torch.allclose(pairs.sketch[0], expected.sketch[0].cpu(), atol=0.01)
    assert torch.equal(pairs.mask[0], expected.mask[0].cpu())
    pixels = torch.from_numpy(to_model(read_picture(pick.winner.file.read_bytes())[None]))
    assert torch.allclose(objective.round.winners[0].float(), pipeline.encode_image(pixels)[0], atol=2e-3)


def test_a_pick_has_the_past_that_a_training_sample_of_its_week_has(ground, picked, tmp_path):
    data = open_workplace(ground.dpo(tmp_path / "one")).data
    row = next(n for n, item in enumerate(data.cached.dataset.items) if item.week == Week.parse("2020-W06"))
    rows, weights = data.past_of(data.cached.dataset.facts(row))
    before = data.past_before("top5gub", Week.parse("2020-W06"))
    assert rows[weights > 0].tolist() == [article for article, _ in before]
    assert weights[weights > 0].tolist() == pytest.approx([weight for _, weight in before])
    assert data.past_before("top5gub", Week.parse("2019-W51")) == []  # the first week has none
    export_picks(read_picks(picked), tmp_path / "picks")
    path = tmp_path / "picks" / "picks.jsonl"
    first = read_picks(picked)[0]
    path.write_text(path.read_text().replace(f'"{first.week}"', '"2020-W06"'))
    objective = objective_of(ground, tmp_path / "two", tmp_path / "picks")
    pairs = objective.round.pairs
    assert pairs.past_weights.sum(dim=1) == pytest.approx(1)
    assert pairs.past_rows[0, : len(before)].tolist() == [r for r, _ in before]
    assert "4 in weeks with a past" in objective.rounds.describe()


def test_the_command_trains_on_picks_and_goes_on_with_the_same_ones_only(ground, picked, tmp_path, capsys):
    export_picks(read_picks(picked), tmp_path / "picks")
    lines = (tmp_path / "picks" / "picks.jsonl").read_text()
    out = tmp_path / "out"
    config = ground.dpo(out, preferences=str(tmp_path / "picks"), steps_per_round=10, max_train_steps=1, save_steps=1)
    dpo.train(config)
    assert "4 picks, 8 pairs from" in capsys.readouterr().out
    assert (out / "final_model" / "pipeline" / "model_index.json").is_file()
    assert len((out / "rounds" / "picks.jsonl").read_text().splitlines()) == 4
    assert '"preference"' in (out / "losses.jsonl").read_text()
    longer = dataclasses.replace(config, max_train_steps=2)
    (tmp_path / "picks" / "picks.jsonl").write_text(lines[: lines.rindex("\n", 0, -1) + 1])
    with pytest.raises(ValueError, match="holds other picks than when the checkpoint was written"):
        dpo.train(longer)
    (tmp_path / "picks" / "picks.jsonl").write_text(lines)
    dpo.train(longer)
    assert len((out / "losses.jsonl").read_text().splitlines()) == 2


def test_a_store_without_usable_picks_is_refused(ground, tmp_path):
    Store.open(tmp_path / "empty").close()
    with pytest.raises(ValueError, match="holds no pick that may be used"):
        objective_of(ground, tmp_path / "out", tmp_path / "empty" / "studio.sqlite")
