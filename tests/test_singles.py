"""Frames of Live and opened files in the store: kept like other designs, with hearts, once each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fashiondistill.exports.passport import Passport
from fashiondistill.store import Query
from studio import boardtexts, callbacks, cards, live, singles, texts
from studio.library import Library
from studio.state import GenerateInputs
from tests.passports import passport

CATEGORY, WEEK = "top5gub", "2020-W10"


@pytest.fixture
def inputs(library: Library) -> GenerateInputs:
    return GenerateInputs(
        CATEGORY, WEEK, "navy <b>shirt</b>", callbacks.template(library.engine, CATEGORY), 3, 4, 2.5, 0.5, 7
    )


def test_kept_frames_come_back_from_the_store_newest_first_with_hearts(library, user, inputs):
    assert singles.frames(library, user) == () and cards.kept_html((), names={}) == ""
    list(library.recorded(callbacks.run(library.engine, inputs), user))  # none of these is a frame
    drawn = [live.draw(library.engine, replace(inputs, seed=seed)) for seed in range(singles.MAX_FRAMES + 2)]
    for one in drawn:
        singles.keep_frame(library, user, one)
    other = Library(library.engine, library.store)  # as after a restart
    found = singles.frames(other, user)
    assert [one.scored.design.request.seed for one in found] == list(reversed(range(2, singles.MAX_FRAMES + 2)))
    assert (found[0].scored.design.image == drawn[-1].design.image).all() and not found[0].favourite
    other.favourite(user, {"design": found[0].id, "on": True, "shown": [one.id for one in found]})
    assert [one.favourite for one in singles.frames(other, user)] == [True] + [False] * (singles.MAX_FRAMES - 1)
    assert library.store.picks.read(user) == []  # nothing was preferred over: they are separate requests
    names = live.article_names(library.engine, tuple(one.scored for one in found))
    html = cards.kept_html(singles.frames(other, user), names=names)
    assert html.count('class="design-card"') == singles.MAX_FRAMES and texts.nearest("No. 1, ") in html
    assert html.count('aria-pressed="true"') == 1 and f'data-design="{found[0].id}"' in html and "<b>shirt" not in html
    library.set_deleted(user, found[0].id, True)
    assert found[0].id not in [one.id for one in singles.frames(other, user)]
    assert singles.frames(other, library.known("")) == ()


def test_a_damaged_frame_hides_no_other(library, user, inputs):
    for seed in (1, 2):
        singles.keep_frame(library, user, live.draw(library.engine, replace(inputs, seed=seed)))
    (newest, _), _ = library.find(user, Query())
    library.store.pictures.path(newest.picture).write_bytes(b"cut")
    assert [one.scored.design.request.seed for one in singles.frames(library, user)] == [1]


def test_a_frame_of_a_week_that_these_sales_lack_is_shown(library, user, inputs):
    singles.keep_frame(library, user, live.draw(library.engine, inputs))
    library.engine.weeks = library.engine.weeks[:2]
    (one,) = singles.frames(library, user)
    names = live.article_names(library.engine, (one.scored,))
    assert names == {} and one.scored.nearest_article_id in cards.kept_html((one,), names=names)


def test_an_opened_file_is_kept_once_and_can_be_a_favourite(library, user):
    given = passport(repaint=True, notes="wider collar")
    kept = singles.keep_opened(library, user, given)
    ((index, design),) = kept.ids
    record = library.get(user, design)
    assert index == given.scored.design.index == record.candidate
    assert (record.request.kind, record.request.model) == ("opened", given.model) and record.rank == given.scored.rank
    assert record.note == "wider collar" and record.request.mask is not None
    assert boardtexts.OPENED_FILE in library.reopen(user, design).words
    library.favourite(user, {"design": design, "on": True})
    again = singles.keep_opened(library, user, given)
    assert again.ids == kept.ids and again.favourites == {design} and library.find(user, Query())[1] == 1
    assert library.store.picks.read(user) == []
    assert singles.keep_opened(library, library.known(""), given).ids != kept.ids  # another visitor has none of it


def test_a_file_of_ones_own_design_is_that_design(library, user, inputs):
    *_, (view, kept) = library.recorded(callbacks.run(library.engine, inputs), user)
    one, design = view.designs[1], dict(kept.ids)[view.designs[1].design.index]
    saved = Passport(one, library.engine.model_id, view.references)
    assert singles.keep_opened(library, user, saved).ids == ((one.design.index, design),)
    library.store.pictures.path(library.get(user, design).picture).write_bytes(b"cut")
    ((_, new),) = singles.keep_opened(library, user, saved).ids
    assert new != design and library.find(user, Query())[1] == 4  # the file brings back what the disk lost
    library.set_deleted(user, new, True)
    assert singles.keep_opened(library, user, saved).ids[0][1] not in (new, design)
