"""Pictures of numbers: training curves and the figures of an evaluation, as PNG.

In: log lines, lists of scores. Out: PNG files, drawn by matplotlib without a display. Knows nothing of training.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from train.intervals import Interval

HIDDEN = ("step", "skipped")
COLOURS = ("#2a7f6f", "#c26a3d", "#5b6bbf", "#b8902f", "#a3527f", "#6d8a3c")
MAX_POINTS = 400  # a curve of more is averaged in windows


def write_curves(lines: Sequence[str], path: Path) -> None:
    """One panel for each value of a loss log, over the steps; long ones as windowed means."""
    rows = [json.loads(line) for line in lines]
    names = list(dict.fromkeys(name for row in rows for name in row if name not in HIDDEN))
    if not names:
        return
    columns = min(3, len(names))
    height = -(-len(names) // columns)
    figure = Figure(figsize=(4.2 * columns, 2.6 * height), layout="constrained")
    for number, name in enumerate(names):
        axes = figure.add_subplot(height, columns, number + 1)
        found = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
        steps, values = np.array(found, float).reshape(-1, 2).T
        window = max(1, -(-len(values) // MAX_POINTS))
        starts = np.arange(0, len(values), window)
        counts = np.diff([*starts, len(values)])
        if len(values):
            means = np.add.reduceat(values, starts) / counts
            axes.plot(np.add.reduceat(steps, starts) / counts, means, color=COLOURS[number % len(COLOURS)], marker=".")
        axes.set(title=name.replace("_", " "), xlabel="update")
        axes.grid(alpha=0.25)
    save(figure, path)


def write_score_charts(scores: Mapping[str, Sequence[float]], path: Path) -> None:
    """A histogram for each kind of score with its mean, and each image's place in the first two."""
    names = [name for name, values in scores.items() if len(values)]
    pairs = len(names) >= 2
    figure = Figure(figsize=(4.4 * (len(names) + pairs), 3.4), layout="constrained")
    for number, name in enumerate(names):
        values = np.asarray(scores[name], float)
        axes = figure.add_subplot(1, len(names) + pairs, number + 1)
        axes.hist(values, bins=min(30, max(5, len(values) // 4)), color=COLOURS[number % len(COLOURS)])
        axes.axvline(values.mean(), color="black", linewidth=1)
        axes.set(title=f"{name}, mean {values.mean():.3f}", xlabel="cosine", ylabel="images")
    if pairs:
        axes = figure.add_subplot(1, len(names) + 1, len(names) + 1)
        axes.scatter(scores[names[0]], scores[names[1]], s=12, color=COLOURS[2])
        axes.set(xlabel=names[0], ylabel=names[1], title="each image")
    save(figure, path)


@dataclass(frozen=True)
class DotRow:
    """A line of `write_dots`: its label, and an interval for each name of the legend."""

    label: str
    dots: Mapping[str, Interval]


def write_dots(panels: Mapping[str, Sequence[DotRow]], path: Path, *, axis: str, marks: tuple[float, float]) -> None:
    """Shares with their intervals as dots, a panel beside the other; upright lines at `marks`, the second dotted."""
    most = max(len(rows) for rows in panels.values())
    figure = Figure(figsize=(5.6 * len(panels), 1.6 + 0.4 * most), layout="constrained")
    for column, (title, rows) in enumerate(panels.items()):
        axes = figure.add_subplot(1, len(panels), column + 1)
        for number, name in enumerate(rows[0].dots if rows else ()):
            found = [row.dots[name] for row in rows]
            places = [-place - 0.22 * number for place in range(len(rows))]
            errors = [[one.mean - one.low for one in found], [one.high - one.mean for one in found]]
            means = [one.mean for one in found]
            axes.errorbar(means, places, xerr=errors, fmt="o", color=COLOURS[number], label=name, capsize=2)
        axes.axvline(marks[0], color="grey", linewidth=1)
        axes.axvline(marks[1], color="grey", linewidth=1, linestyle=":")
        axes.set_yticks([-place - 0.11 for place in range(len(rows))], [row.label for row in rows], fontsize="small")
        axes.set(title=title, xlabel=axis, xlim=(-0.02, 1.02))
    filled = next(axes for axes, rows in zip(figure.axes, panels.values(), strict=True) if rows)
    figure.legend(*filled.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG, whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    figure.savefig(part, format="png", dpi=110)
    os.replace(part, path)
