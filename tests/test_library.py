"""What the page keeps and brings back, without a page: a fake engine and a real store."""

from __future__ import annotations

import json
import zipfile
from contextlib import closing
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from fashiondistill.config import GenerateConfig
from fashiondistill.store import Query, StoreError
from fashiondistill.store.designs import Designs
from studio import boardcards, boardtexts, callbacks, cards, checks
from studio.canvas import decode_canvas, decode_mask, decode_picture
from studio.library import NUM_WEEKS, STRONG, Library
from studio.state import GenerateInputs, Stop, StudioError
from tests import stored

CATEGORY, WEEK = "top5gub", "2020-W10"


@pytest.fixture
def inputs(library: Library) -> GenerateInputs:
    drawn = callbacks.template(library.engine, CATEGORY)
    return GenerateInputs(CATEGORY, WEEK, "navy <b>shirt</b>", drawn, 3, 4, 2.5, 0.5, 7)


def run(library: Library, user: str, inputs: GenerateInputs, stop: Stop | None = None) -> list:
    return list(library.recorded(callbacks.run(library.engine, inputs, stop), user))


def test_candidates_are_kept_as_they_arrive_and_ranked_at_the_end(library, user, inputs):
    counts = []
    with closing(library.recorded(callbacks.run(library.engine, inputs), user)) as views:
        for view, kept in views:
            assert len(kept.ids) == len(view.designs)
            counts.append(library.store.designs.count(user, Query()))
    assert sorted(set(counts)) == [0, 1, 2, 3]
    found, total = library.find(user, Query())
    assert total == 3 and [one.rank for one in found] == [1, 2, 3]
    assert [one.id for one in found] == [dict(kept.ids)[one.design.index] for one in view.designs]
    assert found[0].request.status == "ranked" and found[0].request.settings["guidance_scale"] == 2.5


def test_cancelled_and_abandoned_requests_keep_what_was_drawn(library, user, inputs):
    stop, seen = Stop(), []
    for view, _ in library.recorded(callbacks.run(library.engine, inputs, stop), user):
        seen.append(view.phase)
        stop.asked = len(view.designs) == 2
    assert seen[-1] == "cancelled"
    with closing(library.recorded(callbacks.run(library.engine, inputs), user)) as views:
        next(islice(views, 6, None))  # the page goes away after the first candidate
    statuses = [(one.request.status, one.rank) for one in library.find(user, Query())[0]]
    assert statuses == [("cancelled", 0)] * 3


def test_a_model_that_breaks_loses_no_candidate(library, user, inputs):
    views = library.recorded(callbacks.run(library.engine, inputs), user)
    with pytest.raises(StudioError, match="Out of memory"):
        for view, _ in views:
            if view.designs:
                library.engine.fail_with = MemoryError("out of memory")
    assert [one.request.status for one in library.find(user, Query())[0]] == ["cancelled"]


def test_a_store_that_fails_is_said_and_the_designs_are_shown(library, user, inputs, monkeypatch):
    def full(*args: object, **more: object) -> str:
        raise StoreError("--store_dir: no space. Free some.")

    monkeypatch.setattr(Designs, "add", full)
    seen = run(library, user, inputs)
    view, kept = seen[-1]
    assert view.phase == "ranked" and len(view.designs) == 3 and kept.problem == "--store_dir: no space. Free some."
    assert "fd-heart" not in cards.results_html(view, model="m", kept=kept)


def test_cards_have_hearts_of_what_is_kept_and_stay_pressed_when_drawn_again(library, user, inputs):
    views = library.recorded(callbacks.run(library.engine, inputs), user)
    for view, kept in views:
        if len(view.designs) == 2 and not kept.favourites:
            library.favourite(user, {"design": kept.ids[0][1], "on": True, "shown": [one for _, one in kept.ids]})
    html = cards.results_html(view, model="m", kept=kept)
    assert html.count('aria-pressed="true"') == 1 and html.count('aria-pressed="false"') == 2
    (pick,) = library.store.picks.read(user)
    assert [one.candidate for one in pick.losers] == [1]  # the third was not to be seen yet
    assert library.picks_words(user).startswith("1 pick (1 pair) used for training. CLIP's order agrees with ")
    library.set_training(user, False)
    assert "not used for training" in library.picks_words(user)


@pytest.mark.parametrize("given", [{}, {"design": "x" * 32, "on": True}, {"design": None, "on": "yes", "shown": 3}])
def test_what_the_page_says_is_not_trusted(library, user, given):
    with pytest.raises(StudioError, match="none of that id among yours"):
        library.favourite(user, given)
    assert library.known(user) == user and library.known({"x": 1}) != user


def test_open_again_puts_everything_back(library, user, inputs):
    run(library, user, inputs)
    one = library.find(user, Query())[0][0]
    back = library.reopen(user, one.id)
    assert (back.category, back.week, back.prompt, back.seed) == (CATEGORY, WEEK, "navy <b>shirt</b>", 7)
    assert np.array_equal(decode_canvas(back.canvas), decode_canvas(inputs.sketch))
    assert back.config == GenerateConfig(3, 4, 2.5, 0.5) and back.words == boardtexts.OPENED
    library.engine.weeks = library.engine.weeks[-1:]
    assert library.reopen(user, one.id).week == "" and "week stays" in library.reopen(user, one.id).words
    with pytest.raises(StudioError, match="No design is chosen"):
        library.reopen(user, "")


def test_what_was_to_be_repainted_comes_back_too(library, user, inputs):
    image, mask = np.full((512, 384, 3), 90, np.uint8), np.zeros((512, 384), np.float32)
    mask[300:] = 1
    request = replace(checks.check_request(library.engine, inputs), image=image, mask=mask)
    list(library.recorded(callbacks.draw(library.engine, request), user))
    back = library.reopen(user, library.find(user, Query())[0][0].id)
    assert np.array_equal(decode_mask(back.mask), mask) and np.array_equal(decode_picture(back.base), image)
    again = library.variation(user, library.find(user, Query())[0][0].id, strength=STRONG)
    assert np.array_equal(again.image, image) and np.array_equal(again.mask, mask)


def test_a_variation_starts_at_the_picture_and_says_so(library, user, inputs):
    run(library, user, inputs)
    one = library.find(user, Query())[0][0]
    request = library.variation(user, one.id, strength=STRONG)
    assert request.strength == STRONG and request.seed != 7 and request.prompt == inputs.prompt
    views = callbacks.draw(library.engine, request)
    list(library.recorded(views, user, kind="vary_strong", parent=one.id))
    made = library.find(user, Query())[0][0]
    assert (made.request.kind, made.request.parent) == ("vary_strong", one.id)
    assert library.reopen(user, made.id).words == boardtexts.OPENED_VARIATION
    assert boardtexts.KINDS["vary_strong"] in boardcards.details_html(library, made)


def test_a_strip_has_the_same_sketch_and_seed_and_each_weeks_words(library, user, inputs):
    run(library, user, inputs)
    asked = library.across_weeks(user, library.find(user, Query())[0][0].id)
    assert len(asked) == NUM_WEEKS and len({one.week for one in asked}) == NUM_WEEKS
    assert (asked[0].week, asked[-1].week) == (library.engine.weeks[0].key, library.engine.weeks[-1].key)
    assert {one.seed for one in asked} == {7} and {one.config.num_candidates for one in asked} == {1}
    assert all(one.prompt == library.engine.trend_prompt(CATEGORY, one.week).text for one in asked)
    assert all(np.array_equal(one.sketch, decode_canvas(inputs.sketch)) for one in asked)


def test_the_board_escapes_words_and_one_damaged_picture_hides_no_other(library, user, inputs):
    run(library, user, inputs)
    found, total = library.find(user, Query(limit=2))
    library.store.pictures.path(found[0].picture).write_bytes(b"damaged")
    html = boardcards.grid_html(library, found, total, empty="")
    assert "2 of 3 designs" in html and "<b>shirt" not in html and html.count('class="fd-kept"') == 2
    assert html.count("<img") == 1 and "is damaged" in html
    pair = boardcards.compare_html(library, found[1:] * 2)
    assert pair.count("<img") == 4 and "<b>shirt" not in pair
    assert "<b>shirt" not in boardcards.strip_html(library, found[1:], total=1, running=False)
    empty = boardcards.grid_html(library, [], 0, empty=boardtexts.EMPTY["deleted"])
    assert "Nothing is deleted." in empty


def test_exported_picks_are_a_zip_that_training_reads_unpacked(library, user, tmp_path):
    with pytest.raises(StudioError, match="There are no picks to export"):
        library.export(user)
    winner, *_ = stored.keep(library.store, user)
    library.favourite(user, {"design": winner, "on": True})
    path = library.export(user)
    assert [one.name for one in path.parent.iterdir()] == [path.name]  # the pictures do not lie there twice
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "out")
    (line,) = (tmp_path / "out" / "picks" / "picks.jsonl").read_text().splitlines()
    files = [json.loads(line)["winner"]["file"], *(one["file"] for one in json.loads(line)["losers"])]
    assert len(files) == 3 and all((tmp_path / "out" / "picks" / name).is_file() for name in files)


def test_notes_boards_and_deletion_go_through(library, user, inputs):
    run(library, user, inputs)
    one = library.find(user, Query())[0][0]
    library.note(user, one.id, "wider collar")
    assert library.assign(user, one.id, ["Spring"]) == ["Spring"]
    library.set_deleted(user, one.id, True)
    assert library.find(user, Query(text="collar"))[1] == 0
    library.set_deleted(user, one.id, False)
    assert library.get(user, one.id) == replace(one, note="wider collar", boards=("Spring",))
    assert library.filters(user) == ([WEEK], ["Spring"])
    with pytest.raises(StudioError, match="Board: a name has 1 to 80 characters"):
        library.assign(user, one.id, [""])
