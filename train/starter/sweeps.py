"""Does the asked word come out? Every colour word in every category, every pattern word in the garments that have it.

In: a `Bench`. Out: shares of right designs, and sheets. A colour is right if the dominant colour of the design inside
the sketch's garment, named as `data.measure` names those of the captions, is the asked word. A pattern is right if the
judge finds the asked word the best of the five. Sketches are those of test photos, and drawings of seeds that no data
set has where a category has no photos.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from fashiondistill.data.attributes import COLOUR_BY_WORD, compose_caption
from fashiondistill.data.categories import CATEGORIES
from fashiondistill.data.drawings import KINDS
from fashiondistill.data.measure import measure_colours, measure_pattern
from train.starter.bench import Bench, Case, PartResult, Task, drawn_case, spread
from train.starter.figures import Figure, figure, share
from train.starter.judging import COLOUR_WORDS, PATTERN_WORDS, choose_word
from train.starter.sheets import cell, sheet

NEIGHBOUR = 16.0  # CIEDE2000 between prototypes; what one cloth's folds span (measure.SECOND_COLOUR_DISTANCE)
SKETCHES = 6  # of each category, taken in turn
# What photos lack, by category; these have enough cloth for a colour to be measured.
DRAWN_KINDS = {
    "top5acc": ("handbag", "scarf", "tote bag"),
    "top5underwear": ("briefs", "bra", "camisole", "boxer shorts"),
}
PAIRS = (
    ("navy", "white"), ("burgundy", "beige"), ("black", "light grey"), ("green", "cream"), ("red", "navy"),
    ("pink", "brown"),
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A word that is asked of a design, the others of its prompt, and the sketch's case."""

    word: str
    prompt: str
    case: Case

    @property
    def task(self) -> Task:
        """What is drawn."""
        return Task(f"{self.word}-{self.case.name}", self.case.category, self.prompt, self.case.sketch)


def is_neighbour(first: str, second: str) -> bool:
    """Whether two different colour words lie so close that a shadow may turn one into the other."""
    prototypes = [rgb2lab(np.array(COLOUR_BY_WORD[word].rgb, np.float64) / 255) for word in (first, second)]
    return first != second and float(deltaE_ciede2000(*prototypes)) < NEIGHBOUR


def sketches_of(cases: list[Case], category: str) -> list[Case]:
    """Sketches to put words on: test photos of the category, and drawings of the kinds that photos lack."""
    photos = [case for case in cases if case.category == category]
    drawn = [drawn_case(kind, seed=n) for n, kind in enumerate(DRAWN_KINDS.get(category, ()))]
    chosen = spread(photos, SKETCHES - len(drawn)) + drawn
    if not chosen:  # a small or one-sided test split
        chosen = [drawn_case(kind, seed=0) for kind, made in KINDS.items() if made.category == category]
    return chosen


def colour_tasks(cases: list[Case], num_colours: int) -> list[Asked]:
    """`num_colours` words for each category, plain, spread over the list; with fewer than all, other ones for each."""
    tasks = []
    for offset, category in enumerate(CATEGORIES):
        sketches = sketches_of(cases, category.folder)
        for number in range(num_colours):
            place = number * len(COLOUR_WORDS) // num_colours + offset * len(COLOUR_WORDS) // (6 * num_colours)
            word, case = COLOUR_WORDS[place % len(COLOUR_WORDS)], sketches[number % len(sketches)]
            tasks.append(Asked(word, compose_caption(colours=[word], pattern="plain", garment=case.garment), case))
    return tasks


def pattern_tasks(cases: list[Case], num_designs: int) -> list[Asked]:
    """`num_designs` of each pattern, going round the categories whose garments have it, in changing colours."""
    tasks = []
    for offset, pattern in enumerate(PATTERN_WORDS):
        pool = [case for category in CATEGORIES for case in sketches_of(cases, category.folder) if _has(case, pattern)]
        for number, case in enumerate(_in_turn(pool, num_designs)):
            pair = PAIRS[(number + offset) % len(PAIRS)]
            colours = list(pair[:1] if pattern == "plain" else pair)
            tasks.append(Asked(pattern, compose_caption(colours=colours, pattern=pattern, garment=case.garment), case))
    return tasks


def _has(case: Case, pattern: str) -> bool:
    return case.garment not in KINDS or pattern in KINDS[case.garment].patterns


def _in_turn(pool: list[Case], count: int) -> list[Case]:
    """`count` cases, one of each category after the other, and again where there are too few."""
    queues = [[case for case in pool if case.category == c] for c in dict.fromkeys(case.category for case in pool)]
    return [queues[n % len(queues)][n // len(queues) % len(queues[n % len(queues)])] for n in range(count)]


def measure_colour_sweep(bench: Bench, num_colours: int) -> PartResult:
    """Asked against measured colour; beside it what the autoencoder alone keeps (ceiling) and chance (floor)."""
    rows, cells = [], []
    sweep = colour_tasks(bench.cases, num_colours)
    for asked, design in zip(sweep, bench.artist.draw([asked.task for asked in sweep]), strict=True):
        case = asked.case
        row = {"category": case.category, "prompt": asked.prompt} | compare_colour(design, case.inside, asked.word)
        rows.append(row)
        text = [asked.prompt, f"measured {row['measured']}, dE {row['delta_e']:.0f}"]
        cells.append(cell(design, text, right=row["right"]))
    figures = {
        "colour_right": share([row["right"] for row in rows]),
        "colour_right_or_neighbour": share([row["right"] or row["neighbour"] for row in rows]),
        "colour_delta_e": figure([row["delta_e"] for row in rows]),
        "colour_right_by_chance": chance([row["asked"] for row in rows], [row["measured"] for row in rows]),
        "colour_right_reconstruction": _kept_colours(bench),
    }
    figures |= shares_by(rows, "category", "colour_right")
    return PartResult(figures, rows, sheet(cells, columns=num_colours if num_colours > 3 else 6))


def compare_colour(design: np.ndarray, inside: np.ndarray, word: str) -> dict[str, str | bool | float]:
    """The dominant colour's word against the asked one, and its CIEDE2000 from the word's prototype."""
    found = measure_colours(design, inside.astype(np.uint8) * 255)[0]
    labs = [rgb2lab(np.array(rgb, np.float64) / 255) for rgb in (found.rgb, COLOUR_BY_WORD[word].rgb)]
    return {
        "asked": word,
        "measured": found.word,
        "right": found.word == word,
        "neighbour": is_neighbour(found.word, word),
        "delta_e": float(deltaE_ciede2000(*labs)),
    }


def chance(asked: list[str], measured: list[str]) -> Figure:
    """How often a design has the word that was asked of another design: what a model that cannot read would reach."""
    others = [[word == found for n, found in enumerate(measured) if n != index] for index, word in enumerate(asked)]
    return figure([np.mean(hits) for hits in others])


def shares_by(rows: list[dict], key: str, name: str) -> dict[str, Figure]:
    """The share of right rows for each value of `key`."""
    values = dict.fromkeys(row[key] for row in rows)
    return {f"{name}_{value}": share([row["right"] for row in rows if row[key] == value]) for value in values}


def _kept_colours(bench: Bench) -> Figure:
    """Share of the test photos whose measured word is still the same after the autoencoder."""
    kept = []
    for case in bench.cases:
        mask = case.inside.astype(np.uint8) * 255
        words = [measure_colours(picture, mask)[0].word for picture in (case.photo, bench.artist.reconstruct(case))]
        kept.append(words[0] == words[1])
    return share(kept)


def measure_pattern_sweep(bench: Bench, num_designs: int) -> PartResult:
    """Asked pattern against what the judge and `data.measure` see; beside it the judge on drawings of known pattern."""
    rows, cells = [], []
    sweep = pattern_tasks(bench.cases, num_designs)
    for asked, design in zip(sweep, bench.artist.draw([asked.task for asked in sweep]), strict=True):
        case = asked.case
        (seen,) = choose_word(bench.judge, bench.judge.embed_images([design]), [case.garment], PATTERN_WORDS)
        measured = measure_pattern(design, case.inside.astype(np.uint8) * 255)
        row = {"category": case.category, "prompt": asked.prompt, "asked": asked.word, "judge": seen}
        row |= {"measured": measured, "right": seen == asked.word, "measured_right": measured == asked.word}
        rows.append(row)
        cells.append(cell(design, [asked.prompt, f"judge: {seen}, measured: {measured}"], right=row["right"]))
    figures = {
        "pattern_right": share([row["right"] for row in rows]),
        "pattern_right_by_measure": share([row["measured_right"] for row in rows]),
        "pattern_right_by_chance": chance([row["asked"] for row in rows], [row["judge"] for row in rows]),
        "pattern_right_known_drawings": _known_patterns(bench, num_designs),
    }
    figures |= shares_by(rows, "asked", "pattern_right")
    return PartResult(figures, rows, sheet(cells, columns=max(4, num_designs)))


def _known_patterns(bench: Bench, num_designs: int) -> Figure:
    """What the judge gets right of drawings whose pattern is known by construction: its own ceiling there."""
    hits = []
    for pattern in PATTERN_WORDS:
        kinds = [kind for kind, made in KINDS.items() if pattern in made.patterns]
        for number in range(num_designs):
            pair = PAIRS[number % len(PAIRS)]
            colours = pair[:1] if pattern == "plain" else pair
            case = drawn_case(kinds[number % len(kinds)], seed=100 + number, colours=colours, pattern=pattern)
            embedded = bench.judge.embed_images([case.photo])
            hits.append(choose_word(bench.judge, embedded, [case.garment], PATTERN_WORDS)[0] == pattern)
    return share(hits)
