"""What issue 5 asks of the proof, beside what was measured: met, missed or not run.

In: `Results`. Out: `Verdict`s. Knows nothing of tables and files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from train.intervals import Interval
from train.proof.compare import beats, gain, interval, pooled_wins, ratio, wins
from train.proof.measures import image_term
from train.proof.plan import FORECAST, ORACLE

MIN_WINS, MIN_LOW = 0.65, 0.55
MOST_REWARD = 3.0  # times the judge's gain
MOST_WINNER_ERROR = 0.005
MOST_DIVERSITY_LOSS = 0.10
MOST_SATURATION = 0.01


@dataclass(frozen=True, eq=False)
class Results:
    """Everything that was measured.

    Attributes:
        scores: (arm, mode) -> tensors.
        records: arm -> its result.json.
        articles: of each case.
        weights: of picture and words in the combined score.
    """

    scores: dict[tuple[str, str], dict[str, torch.Tensor]]
    records: dict[str, dict]
    articles: list[str]
    weights: tuple[float, float]
    prompts: dict[str, list[str]] = field(default_factory=dict)

    def has(self, mode: str, *names: str) -> bool:
        """Whether all these arms were measured in a mode."""
        return all((name, mode) in self.scores for name in names)


@dataclass(frozen=True)
class Verdict:
    """One target; `met` is None where it was not run."""

    target: str
    measured: str
    met: bool | None


def judge_all(results: Results) -> list[Verdict]:
    """Every target, in the order of issue 5, point 7."""
    verdicts = []
    for mode in (ORACLE, FORECAST):
        verdicts.append(_win_rate(results, mode))
        verdicts.append(_over(results, mode, "control-0", "the equal-update control on real data"))
        verdicts.append(_over(results, mode, "rejection-0", "rejection fine-tuning at equal samples"))
        verdicts.append(_reward_against_judge(results, mode))
        verdicts += _what_must_stay(results, mode)
        verdicts.append(_shuffled(results, mode))
    return [_winner_error(results), *verdicts]


def seed_pairs(results: Results, mode: str) -> list[tuple[str, str]]:
    """(DPO, its reference) of all seeds that were measured."""
    names = sorted(name for name, its_mode in results.scores if its_mode == mode and name.startswith("dpo-"))
    numbered = [name for name in names if name.removeprefix("dpo-").isdigit()]
    pairs = [(name, name.replace("dpo", "temporal")) for name in numbered]
    return [pair for pair in pairs if results.has(mode, *pair)]


def text_of(found: Interval, digits: int = 3) -> str:
    """Mean and interval, without the sign of a zero."""
    mean, low, high = (round(value, digits) + 0.0 for value in (found.mean, found.low, found.high))
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _missing(target: str) -> Verdict:
    return Verdict(target, "not run", None)


def _win_rate(results: Results, mode: str) -> Verdict:
    target = f"{mode}: DPO wins at least {MIN_WINS:.0%} under the judge, lower bound above {MIN_LOW:.0%}"
    pairs = seed_pairs(results, mode)
    if not pairs:
        return _missing(target)
    tensors = [(results.scores[own, mode], results.scores[other, mode]) for own, other in pairs]
    found = pooled_wins(tensors, "judge", mode, results.articles, results.weights)
    text = f"{text_of(found)}, mean of {len(pairs)} seed{'s' * (len(pairs) > 1)}"
    return Verdict(target, text, found.mean >= MIN_WINS and found.low > MIN_LOW)


def _over(results: Results, mode: str, other: str, words: str) -> Verdict:
    target = f"{mode}: DPO's share of wins under the judge above that of {words}"
    if not results.has(mode, "dpo-0", other, "temporal-0"):
        return _missing(target)
    shares = [
        wins(gain(results.scores[name, mode], results.scores["temporal-0", mode], "judge", mode, results.weights))
        for name in ("dpo-0", other)
    ]
    found = beats(shares[0], shares[1], results.articles)
    return Verdict(target, f"{text_of(found)} more", found.low > 0)


def _reward_against_judge(results: Results, mode: str) -> Verdict:
    target = f"{mode}: the reward's gain at most {MOST_REWARD:g} times the judge's"
    if not results.has(mode, "dpo-0", "temporal-0"):
        return _missing(target)
    own, reference = results.scores["dpo-0", mode], results.scores["temporal-0", mode]
    reward, judge = (
        interval(gain(own, reference, clip, mode, results.weights), results.articles) for clip in ("reward", "judge")
    )
    times = f"{reward.mean / judge.mean:.2f} times" if judge.mean > 0 else "the judge's is not above 0"
    met = judge.mean > 0 and reward.mean <= MOST_REWARD * judge.mean
    return Verdict(target, f"reward {text_of(reward)}, judge {text_of(judge)} SD: {times}", met)


def _what_must_stay(results: Results, mode: str) -> list[Verdict]:
    diversity = f"{mode}: diversity loss at most {MOST_DIVERSITY_LOSS:.0%} (pairwise distance; Vendi score)"
    drift = f"{mode}: saturation within {MOST_SATURATION:g} of the reference"
    if not results.has(mode, "dpo-0", "temporal-0"):
        return [_missing(diversity), _missing(drift)]
    own, reference = results.scores["dpo-0", mode], results.scores["temporal-0", mode]
    changes = [ratio(own[name], reference[name], results.articles) for name in ("diversity", "vendi")]
    moved = interval(own["saturation"] - reference["saturation"], results.articles)
    kept = all(change.mean >= -MOST_DIVERSITY_LOSS for change in changes)
    return [
        Verdict(diversity, "; ".join(text_of(change) for change in changes), kept),
        Verdict(drift, text_of(moved, 4), abs(moved.mean) <= MOST_SATURATION),
    ]


def _shuffled(results: Results, mode: str) -> Verdict:
    what = "their own photo" if image_term(mode) == "own" else "the week's bestsellers"
    target = f"{mode}: shuffled weeks lower the judge's CLIP-I (to {what}), interval without zero"
    if not results.has(mode, "shuffled", "temporal-0"):
        return _missing(target)
    name = f"judge_{image_term(mode)}"
    found = beats(results.scores["shuffled", mode][name], results.scores["temporal-0", mode][name], results.articles)
    return Verdict(target, text_of(found, 4), found.high < 0)


def _winner_error(results: Results) -> Verdict:
    target = f"winners' error at most {MOST_WINNER_ERROR:+.1%} of the reference's, last tenth of the updates"
    found = [
        record["training"]["winner_change"]
        for name, record in sorted(results.records.items())
        if name.removeprefix("dpo-").isdigit() and "winner_change" in record["training"]
    ]
    if not found:
        return _missing(target)
    return Verdict(target, ", ".join(f"{value:+.2%}" for value in found), max(found) <= MOST_WINNER_ERROR)


def best_trained(results: Results, mode: str) -> str | None:
    """The arm without choice among candidates and with its weeks in order whose pictures the judge likes most."""
    names = [
        name
        for name, record in results.records.items()
        if (name, mode) in results.scores and record["settings"]["take"] == 1 and not record["settings"]["shuffled"]
    ]
    if not results.has(mode, "base") or not names:
        return None
    base = results.scores["base", mode]
    scored = {n: gain(results.scores[n, mode], base, "judge", mode, results.weights).mean().item() for n in names}
    return max(scored, key=lambda name: scored[name])


def missed(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Those that were run and not met."""
    return [one for one in verdicts if one.met is False]
