"""Small charts as SVG text, for reports that must open without a network or a script.

In: numbers and labels. Out: `<figure>` elements in the colours of the page's CSS variables. Knows nothing of sales.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 130
LEFT, RIGHT, TOP, BOTTOM = 38, 8, 26, 18  # room for labels
COLOURS = ("var(--accent)", "var(--warn)", "var(--dim)")
NUM_TICKS = 5


def weekly_chart(
    title: str,
    weeks: Sequence[str],
    values: Sequence[float | None],
    *,
    splits: Sequence[str],
    partial: set[str],
    top: float | None = None,
    unit: str = "",
) -> str:
    """A line over weeks.

    Args:
        title: above the chart.
        weeks: labels, in order of time.
        values: one per week; None leaves a gap.
        splits: name of each week's split; every second one gets a darker ground.
        partial: weeks whose points are drawn hollow.
        top: end of the scale; None = the largest value.
        unit: after the numbers of the scale.
    """
    highest = top or max((value for value in values if value is not None), default=0) or 1
    axes = _Axes(len(weeks), highest)
    parts = [
        f"<text class='title' x='{LEFT}' y='12'>{html.escape(title)}</text>",
        _grounds(axes, splits),
        _scale(axes, weeks, unit),
        _lines(axes, values),
    ]
    for place, (week, value) in enumerate(zip(weeks, values, strict=True)):
        if value is not None:
            note = f"{html.escape(week)}: {_short(value)}{unit}{' (partial week)' if week in partial else ''}"
            parts.append(_point(axes, place, value, note, hollow=week in partial))
    return _figure("".join(parts), height=HEIGHT, label=f"{title}, {weeks[0]} to {weeks[-1]}")


@dataclass(frozen=True)
class _Axes:
    num_places: int
    highest: float

    def x(self, place: float) -> float:
        free = WIDTH - LEFT - RIGHT
        return min(max(LEFT + place * free / max(self.num_places - 1, 1), LEFT), WIDTH - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.highest


def _grounds(axes: _Axes, splits: Sequence[str]) -> str:
    parts = []
    for number, (name, first, last) in enumerate(_runs(splits)):
        left, right = axes.x(first - 0.5), axes.x(last + 0.5)
        parts.append(
            f"<rect x='{left:.1f}' y='{TOP}' width='{right - left:.1f}' height='{HEIGHT - TOP - BOTTOM}' "
            f"fill='{'var(--band)' if number % 2 else 'none'}'/>"
            f"<text x='{left + 2:.1f}' y='{TOP - 3}'>{html.escape(name)}</text>"
        )
    return "".join(parts)


def _scale(axes: _Axes, weeks: Sequence[str], unit: str) -> str:
    parts = []
    for value in (0, axes.highest):
        y = axes.y(value)
        parts.append(
            f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{y:.1f}' y2='{y:.1f}' stroke='var(--line)'/>"
            f"<text x='{LEFT - 4}' y='{y + 3:.1f}' text-anchor='end'>{_short(value)}{unit}</text>"
        )
    for place in range(0, len(weeks), -(-len(weeks) // NUM_TICKS)):
        label = html.escape(weeks[place])
        parts.append(f"<text x='{axes.x(place):.1f}' y='{HEIGHT - 5}' text-anchor='middle'>{label}</text>")
    return "".join(parts)


def _lines(axes: _Axes, values: Sequence[float | None]) -> str:
    parts = []
    for piece in _pieces(values):
        points = " ".join(f"{axes.x(place):.1f},{axes.y(value):.1f}" for place, value in piece)
        parts.append(f"<polyline points='{points}' fill='none' stroke='var(--accent)' stroke-width='1.5'/>")
    return "".join(parts)


def _point(axes: _Axes, place: int, value: float, note: str, *, hollow: bool) -> str:
    return (
        f"<circle cx='{axes.x(place):.1f}' cy='{axes.y(value):.1f}' r='{3 if hollow else 1.6}' stroke='var(--accent)' "
        f"fill='{'var(--paper)' if hollow else 'var(--accent)'}'><title>{note}</title></circle>"
    )


def bars(counts: Mapping[str, Mapping[str, int]], kinds: Sequence[str]) -> str:
    """One bar per name, divided into kinds, with a legend."""
    height, left = 18, 100
    most = max(sum(of_name.values()) for of_name in counts.values())
    parts = []
    for number, kind in enumerate(kinds):
        parts.append(
            f"<rect x='{left + number * 85}' y='2' width='9' height='9' fill='{COLOURS[number]}'/>"
            f"<text x='{left + 12 + number * 85}' y='10'>{html.escape(kind)}</text>"
        )
    for row, (name, of_name) in enumerate(counts.items(), start=1):
        top, start = row * height, float(left)
        parts.append(f"<text x='{left - 6}' y='{top + 11}' text-anchor='end'>{html.escape(name)}</text>")
        for number, kind in enumerate(kinds):
            width = (WIDTH * 2 - left - 60) * of_name.get(kind, 0) / most
            parts.append(f"<rect x='{start:.1f}' y='{top}' width='{width:.1f}' height='13' fill='{COLOURS[number]}'/>")
            start += width
        numbers = " + ".join(f"{of_name[kind]:,}" for kind in kinds if of_name.get(kind))
        parts.append(f"<text x='{start + 5:.1f}' y='{top + 11}'>{numbers}</text>")
    size = (len(counts) + 1) * height
    return _figure("".join(parts), width=WIDTH * 2, height=size, label="Pictures by category")


def _figure(content: str, *, height: int, label: str, width: int = WIDTH) -> str:
    start = f"<svg viewBox='0 0 {width} {height}' role='img' aria-label='{html.escape(label)}'>"
    return f"<figure>{start}{content}</svg></figure>"


def _runs(names: Sequence[str]) -> list[tuple[str, int, int]]:
    """Name, first and last place of each run of equal names."""
    runs: list[tuple[str, int, int]] = []
    for place, name in enumerate(names):
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1], place)
        else:
            runs.append((name, place, place))
    return runs


def _pieces(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """(place, value) of each stretch without a gap."""
    pieces: list[list[tuple[int, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append((place, value))
    return [piece for piece in pieces if piece]


def _short(value: float) -> str:
    """1234567 -> 1.2M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + letter
    return f"{value:.0f}"
