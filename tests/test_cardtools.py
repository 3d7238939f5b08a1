"""The lowest line of a card: what it offers, and what comes back from it is not trusted."""

from __future__ import annotations

import pytest

from studio import boardtexts, callbacks, cards, cardtexts, cardtools, live, singles, texts
from studio.library import Library
from studio.state import GenerateInputs, ResultsView, StudioError


@pytest.fixture
def shown(library: Library, user: str) -> list[tuple[ResultsView, object]]:
    """Every view of a request of two candidates, with what was kept of it."""
    sketch = callbacks.template(library.engine, "top5gub")
    inputs = GenerateInputs("top5gub", "2020-W10", "navy shirt", sketch, 2, 2, 2.0, 1.0, 7)
    return list(library.recorded(callbacks.run(library.engine, inputs), user))


def test_a_card_offers_its_seed_comparison_and_variations(shown):
    view, kept = shown[-1]
    html = cards.results_html(view, model="m", kept=kept)
    for number, (_, design) in enumerate(kept.ids, start=1):
        assert f'data-vary="vary_subtle" data-design="{design}"' in html
        assert f'aria-label="{cardtexts.COMPARE} {texts.candidate(number)}"' in html  # told apart by ear
    assert html.count('data-seed="7"') == 2 and html.count("Seed 7") >= 2
    menus = [part.split('"')[0] for part in html.split('popovertarget="fd-vary-')[1:]]
    assert len(set(menus)) == 2 and all(f'id="fd-vary-{one}"' in html for one in menus)


def test_while_the_model_draws_nothing_can_be_varied(shown):
    view, kept = next((view, kept) for view, kept in shown if view.phase == "running" and len(kept.ids) == 1)
    running = cards.results_html(view, model="m", kept=kept)
    assert running.count('class="fd-vary"') == 1 and 'aria-label="Vary Candidate 1" disabled' in running
    assert " disabled" not in cards.results_html(*[shown[-1][0]], model="m", kept=shown[-1][1])


def test_a_design_that_was_not_kept_has_its_seed_alone(shown):
    html = cards.results_html(shown[-1][0], model="m")
    assert html.count('data-seed="7"') == 2 and "data-vary" not in html and "fd-mark" not in html


def test_two_of_ones_own_designs_are_compared(library, user, shown):
    ids = [design for _, design in shown[-1][1].ids]
    html = cardtools.comparison_html(library, user, ids, closes=True)
    assert all(f'<figure data-design="{one}">' in html for one in ids) and "data-close" in html
    assert "data-close" not in cardtools.comparison_html(library, user, ids)  # as the Board shows it
    for fewer in (ids[:1], [], [*ids, ids[0]], None, "ab"):
        assert cardtools.comparison_html(library, user, fewer) == ""
    with pytest.raises(StudioError):
        cardtools.comparison_html(library, library.known(""), ids)  # somebody else's


def test_what_comes_back_from_the_page_is_checked():
    assert cardtools.checked_seed(0) == 0 and cardtools.checked_seed(2**32 - 1) == 2**32 - 1
    for seed in (-1, 2**32, 1.5, "7", None, True):
        with pytest.raises(StudioError, match="^Seed: .* is not one"):
            cardtools.checked_seed(seed)
    assert {cardtools.checked_change(one) for one in cardtools.STRENGTHS} <= set(boardtexts.KINDS)
    for how in ("draw", None, ["vary_subtle"]):
        with pytest.raises(StudioError, match="^Vary: .* is unknown"):
            cardtools.checked_change(how)


def test_a_frame_kept_from_live_can_be_compared_and_varied(library, user, shown):
    sketch = callbacks.template(library.engine, "top5gub")
    inputs = GenerateInputs("top5gub", "2020-W10", "red shirt", sketch, 1, 2, 2.0, 1.0, 11)
    singles.keep_frame(library, user, live.draw(library.engine, inputs))
    (frame,) = singles.frames(library, user)
    html = cards.kept_html((frame,), names={})
    assert f'data-vary="vary_strong" data-design="{frame.id}"' in html and 'data-seed="11"' in html
    assert f'aria-label="{cardtexts.COMPARE} {texts.KEPT_TITLE}, 1"' in html and " disabled" not in html
    pair = [frame.id, shown[-1][1].ids[0][1]]
    assert cardtools.comparison_html(library, user, pair).count("<figure") == 2
    varied = library.variation(user, frame.id, strength=cardtools.STRENGTHS["vary_subtle"])
    assert varied.start is not None and varied.prompt == "red shirt"
