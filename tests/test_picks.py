"""Picks: which pairs a favourite makes, who may read them, and that training reads them and learns from them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from fashiondistill.config import GenerateConfig
from fashiondistill.store import Query, Store, StoreError, export_picks, read_picks
from fashiondistill.store.designs import read_picture
from tests import stored


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
