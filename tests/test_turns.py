"""The line of requests: order, where one stands, seconds that were measured, and what happens to who leaves."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from fashiondistill.config import StudioConfig
from studio import callbacks, cards, texts, turns
from studio.state import GenerateInputs, Stop, StudioError
from studio.turns import LineFull, Turns, Waiting
from tests.fake_engine import FakeEngine


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its one value is the time."""
    now = [100.0]
    monkeypatch.setattr(turns.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def engine(tmp_path: Path) -> FakeEngine:
    return FakeEngine(tmp_path, config=StudioConfig(max_queue=2))


@pytest.fixture
def inputs(engine: FakeEngine) -> GenerateInputs:
    return GenerateInputs("top5gub", "2020-W10", "navy shirt", callbacks.template(engine, "top5gub"), 2, 3, 2, 1.0, 7)


def test_seconds_are_measured_and_unknown_before(clock):
    line = Turns(9)
    with line.take(10) as first, line.take(20) as second, line.take(5) as third:
        assert first.wait(0) and not second.wait(0)
        assert second.waiting() == Waiting(1, None)  # no step is done: nobody knows
        clock[0] += 6
        first.done(4, 10)
        assert second.waiting() == Waiting(1, 1.5 * 6)
        assert third.waiting() == Waiting(2, 1.5 * (6 + 20))
        first.done(4, 5)  # it turns out to be shorter
        assert second.waiting() == Waiting(1, 1.5)
        clock[0] += 4
        first.done(5, 5)
        first.finished()
        assert third.waiting() == Waiting(2, 2.0 * 20)


def test_the_pace_is_the_median_of_the_latest_requests(clock):
    line = Turns(9)
    for seconds in (100, 1, 2, 3, 30, 4):  # the first is forgotten
        with line.take(1) as turn:
            assert turn.wait(0)
            clock[0] += seconds
            turn.done(1, 1)
            turn.finished()
    with line.take(10) as first, line.take(1) as second:
        assert first.wait(0) and second.waiting() == Waiting(1, 3.0 * 10)


def test_the_line_keeps_its_order_and_closes_up_when_one_leaves():
    line, come = Turns(9), []
    first, second, third = (ExitStack() for _ in range(3))
    one, two, three = (stack.enter_context(line.take(1)) for stack in (first, second, third))
    assert one.wait(0) and not two.wait(0)
    assert (two.waiting().ahead, three.waiting().ahead) == (1, 2)
    second.close()
    assert three.waiting().ahead == 1
    waits = threading.Thread(target=lambda: come.append(three.wait(10)))
    waits.start()
    assert not come
    first.close()  # wakes it: no need to look every half second
    waits.join(5)
    assert come == [True]
    third.close()
    with line.take(1) as alone:
        assert alone.wait(0)


def test_more_than_may_wait_are_told_so(engine, inputs):
    with ExitStack() as line:
        for _ in range(3):  # one is drawn, two wait
            line.enter_context(engine.turns.take(1))
        with pytest.raises(LineFull):
            line.enter_context(engine.turns.take(1))
        with pytest.raises(StudioError, match="^2 requests wait for the model already. Press Generate again"):
            next(callbacks.run(engine, inputs))
    assert list(callbacks.run(engine, inputs))[-1].phase == "ranked"


def test_a_request_says_where_it_stands_and_is_drawn_in_its_turn(engine, inputs, monkeypatch):
    monkeypatch.setattr(turns, "POLL", 0.01)
    with closing(callbacks.run(engine, inputs)) as first, closing(callbacks.run(engine, inputs)) as second:
        assert next(first).waiting is None
        views = list(islice(second, 2))
        assert [view.waiting for view in views] == [Waiting(1, None)] * 2
        assert [view.fresh for view in views] == [True, False] and views[0].phase == "running"
        assert cards.results_html(views[0], model="m").count("is-pending") == 2
        assert cards.status_html(views[0]).count("1 request ahead of yours") == 1
        assert list(first)[-1].phase == "ranked"
        rest = list(second)
    assert rest[0].waiting is None and rest[0].fresh and rest[-1].phase == "ranked"
    assert [one.seed for one in engine.requests] == [7, 7] and engine.num_closed == 2


def test_who_waits_can_cancel_and_a_page_that_goes_leaves_the_line(engine, inputs, monkeypatch):
    monkeypatch.setattr(turns, "POLL", 0.01)
    stop = Stop()
    with closing(callbacks.run(engine, inputs)) as first:
        next(first)
        second, third = callbacks.run(engine, inputs, stop), callbacks.run(engine, inputs)
        next(second)
        assert next(third).waiting.ahead == 2
        stop.asked = True
        (last,) = second
        assert (last.phase, last.designs) == ("cancelled", ()) and next(third).waiting.ahead == 1
        third.close()
        assert next(callbacks.run(engine, replace(inputs, seed=8))).waiting.ahead == 1
    assert engine.num_steps == 0  # nothing was drawn for those who left


@pytest.mark.parametrize(
    ("ahead", "seconds", "says"),
    [
        (1, None, "Waiting: 1 request ahead of yours. How long is not known before the first step is measured."),
        (2, 12.4, "Waiting: 2 requests ahead of yours, about 12 s."),
        (1, 0.1, "Waiting: 1 request ahead of yours, about 1 s."),
        (3, 150, "Waiting: 3 requests ahead of yours, about 2 minutes."),
    ],
)
def test_what_the_status_says(ahead, seconds, says):
    assert texts.waiting(ahead, seconds) == says
