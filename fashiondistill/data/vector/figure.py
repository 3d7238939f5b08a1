"""What a garment is made of, before it is painted: panels in painting order, with their lines and folds.

In: outlines from `curves`. Out: `Figure`, in free units. Knows nothing of pixels, colours or patterns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

# What a panel is made of. CLOTH carries the garment's material, colour and pattern; PLAIN the colour without pattern.
CLOTH, PLAIN, TRIM, LINING, METAL, SOLE, HEEL, HIDE, BUTTON, GLASS, HOLE = (
    "cloth",
    "plain",
    "trim",
    "lining",
    "metal",
    "sole",
    "heel",
    "hide",
    "button",
    "glass",
    "hole",
)
# SEAM is a groove, STITCH a dashed thread, FOLD the soft edge of a fold, RIB a faint groove that no sketch shows,
# CREASE a pressed ridge, EDGE an overlap with a shadow below.
SEAM, STITCH, FOLD, RIB, CREASE, EDGE = "seam", "stitch", "fold", "rib", "crease", "edge"
SKETCHED = (SEAM, FOLD, CREASE, EDGE)


@dataclass(frozen=True, eq=False)
class Line:
    """A line [N, 2] on a panel: its style and, for the darker ones, a weight in [0, 1]."""

    points: np.ndarray
    style: str = SEAM
    weight: float = 1.0


@dataclass(frozen=True, eq=False)
class Ridge:
    """A fold of the cloth along a path [N, 2]: height (negative = valley) and width in units; fades to both ends."""

    points: np.ndarray
    height: float
    width: float


@dataclass(frozen=True, eq=False)
class Panel:
    """A piece of the garment.

    Attributes:
        outline: closed curve [N, 2].
        role: what it is made of, see above.
        turn: degrees that the grain (pattern, weave, drape) is turned from hanging straight down.
        puff: how far, in units, the edge curves away from the viewer; 0 = flat.
        lift: units by which it stands off what lies below; sets the shadow it throws.
        crumple, drape, cross: strengths of small wrinkles, of long folds along and of folds across the grain.
        texture: own weave instead of the garment's, a key of `textures.TEXTURES`.
        lines, ridges: seams and explicit folds.
        edges: what a sketch shows of the outline, where that is not all of it (pieces of one strip).
    """

    outline: np.ndarray
    role: str = CLOTH
    turn: float = 0.0
    puff: float = 0.06
    lift: float = 0.012
    crumple: float = 1.0
    drape: float = 1.0
    cross: float = 0.0
    texture: str = ""
    lines: tuple[Line, ...] = ()
    ridges: tuple[Ridge, ...] = ()
    edges: tuple[np.ndarray, ...] | None = None

    def moved(self, put: Callable[[np.ndarray], np.ndarray], *, turn: float | None = None) -> Panel:
        """The panel with `put` applied to all its points, and another grain if `turn` is given."""
        return replace(
            self,
            outline=put(self.outline),
            turn=self.turn if turn is None else turn,
            lines=tuple(Line(put(line.points), line.style, line.weight) for line in self.lines),
            ridges=tuple(Ridge(put(ridge.points), ridge.height, ridge.width) for ridge in self.ridges),
            edges=None if self.edges is None else tuple(put(edge) for edge in self.edges),
        )


@dataclass(eq=False)
class Figure:
    """Panels in painting order; `anchor` is where a front print belongs and `print_size` its half width, in units."""

    panels: list[Panel] = field(default_factory=list)
    anchor: tuple[float, float] = (0.0, 0.0)
    print_size: float = 0.25

    def add(self, outline: np.ndarray, role: str = CLOTH, **options) -> None:  # noqa: ANN003 - `Panel`'s fields
        """Append a panel."""
        self.panels.append(Panel(outline, role, **options))

    def add_pair(self, outline: np.ndarray, role: str = CLOTH, *, turn: float = 0.0, **options) -> None:  # noqa: ANN003
        """Append a panel and its mirror image about x = 0, with mirrored grain, lines and ridges."""
        panel = Panel(outline, role, turn=turn, **options)
        self.panels += [panel, panel.moved(lambda points: points * (-1, 1), turn=-turn)]

    def change_last(self, **changes) -> None:  # noqa: ANN003 - `Panel`'s fields
        """Give the last panel other values."""
        self.panels[-1] = replace(self.panels[-1], **changes)

    def button(self, x: float, y: float, radius: float = 0.02, role: str = BUTTON) -> None:
        """A sewn-on button, or a stud if `role` is METAL."""
        angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        self.add(
            np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1), role, puff=radius, lift=0.008
        )


def lines(*paths: np.ndarray, style: str = SEAM, weight: float = 1.0) -> tuple[Line, ...]:
    """The paths as lines of one style."""
    return tuple(Line(path, style, weight) for path in paths)
