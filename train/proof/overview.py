"""What a reader of the report sees first: the main figures in one table, a chart of win rates, and what is missing.

In: `Results`, the plan. Out: Markdown, and a PNG beside the report. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from train.charts import DotRow, write_dots
from train.intervals import Interval
from train.proof.compare import against, gain, interval, wins
from train.proof.files import FAILED, folder_of
from train.proof.measures import image_term
from train.proof.plan import TWO_MODES, Arm
from train.proof.settings import ProofConfig
from train.proof.tabular import table
from train.proof.targets import MIN_WINS, Results, Verdict, text_of

CLIPS = ("judge", "reward")


def in_short(results: Results, verdicts: Sequence[Verdict]) -> str:
    """How many targets are met, and the main figures of every arm under the judge."""
    counts = [sum(one.met is met for one in verdicts) for met in (True, False, None)]
    head = ["arm"]
    for mode in TWO_MODES:
        picture = "its own photo" if image_term(mode) == "own" else "the week's bestsellers"
        head += [f"{mode}: CLIP-I to {picture}", f"{mode}: CLIP-T", f"{mode}: wins over its reference"]
    rows = [[record["title"], *_figures(results, name)] for name, record in results.records.items()]
    return "\n".join([
        "## In short",
        "",
        f"Of {len(verdicts)} targets {counts[0]} are met, {counts[1]} are missed and {counts[2]} could not be judged, "
        "because an arm that they need was not run. All figures of this table are the independent judge's, with 95 % "
        "intervals; 0.5 wins is chance. A trained arm's reference is the model that its training began with: the base "
        "for temporal training, the temporal model for everything else.",
        "",
        table(head, rows),
    ])  # fmt: skip


def _figures(results: Results, name: str) -> list[str]:
    cells = []
    for mode in TWO_MODES:
        own = results.scores.get((name, mode))
        if own is None:
            cells += ["not run"] * 3
            continue
        cells += [text_of(interval(own[f"judge_{t}"], results.articles)) for t in (image_term(mode), "text")]
        found = win_rate(results, name, mode, "judge")
        cells.append("-" if found is None else text_of(found))
    return cells


def win_rate(results: Results, name: str, mode: str, clip: str) -> Interval | None:
    """An arm's win rate over its reference under a CLIP; None where one of the two was not measured."""
    reference = results.records[name]["reference"]
    if not reference or not results.has(mode, name, reference):
        return None
    gains = gain(results.scores[name, mode], results.scores[reference, mode], clip, mode, results.weights)
    return interval(wins(gains), results.articles)


def write_win_chart(results: Results, path: Path) -> bool:
    """Win rates of all arms over their references, a panel for each mode; whether there was one to draw."""
    panels: dict[str, list[DotRow]] = {}
    for mode in TWO_MODES:
        names = [name for name in results.records if win_rate(results, name, mode, "judge") is not None]
        dots = [{clip: win_rate(results, name, mode, clip) for clip in CLIPS} for name in names]
        panels[f"{mode} mode"] = [DotRow(_label(results, n), d) for n, d in zip(names, dots, strict=True)]
    if not any(panels.values()):
        return False
    write_dots(panels, path, axis="share of wins over the reference (dotted: the target)", marks=(0.5, MIN_WINS))
    return True


def _label(results: Results, name: str) -> str:
    record = results.records[name]
    return f"{record['title']}\nover {results.records[record['reference']]['title']}"


def left_out(config: ProofConfig, results: Results, plan: Sequence[Arm]) -> str:
    """Arms of the plan that have no results, or not all of them, and why."""
    rows = []
    for arm in plan:
        measured = results.records[arm.name]["measured"] if arm.name in results.records else []
        missing = [mode for mode in arm.modes if mode not in measured]
        if not missing:
            continue
        failed = folder_of(config, arm.name) / FAILED
        why = failed.read_text(encoding="utf-8").strip().splitlines()[-1] if failed.is_file() else "not run, no time"
        rows.append([arm.title, ", ".join(missing), why])
    if not rows:
        return "Every arm of the plan was run."
    return "\n".join(["Not run, so that nothing can be said about it:", "", table(["arm", "modes", "why"], rows)])


def comparisons(results: Results, mode: str) -> list[tuple[str, dict[str, Interval]]]:
    """(words, figures) of every arm against its reference."""
    found = []
    for name, record in results.records.items():
        reference = record["reference"]
        if reference and results.has(mode, name, reference):
            own, other = results.scores[name, mode], results.scores[reference, mode]
            title = f"{record['title']}, over {results.records[reference]['title']}"
            found.append((title, against(own, other, results.articles, mode, results.weights)))
    return found
