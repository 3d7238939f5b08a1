"""A line sheet of designs as PDF: A4 landscape, four to a page, made to be printed or sent to a buyer.

In: `Passport`s, best first, and a title. Out: bytes of a PDF with embedded fonts. Each picture stands over its place,
words, palette with hex and textile colour name, its sketch as vector lines, scores and notes. Letters that DejaVu Sans
(matplotlib brings it) lacks, such as Chinese ones, print as a replacement mark.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import matplotlib
import numpy as np
from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos
from PIL import Image

from fashiondistill.config import IMAGE_HEIGHT, IMAGE_WIDTH
from fashiondistill.data.categories import get_category
from fashiondistill.exports.curves import fit_curves
from fashiondistill.exports.palette import palette
from fashiondistill.exports.passport import Passport
from fashiondistill.exports.strokes import trace
from fashiondistill.exports.tables import check_some

FONT = "DejaVuSans"
FONT_SCALE = 0.88  # DejaVu runs wider than the size of its letters lets expect
PER_PAGE = 4
# Millimetres on A4 landscape, 297 x 210.
MARGIN, GAP = 14.0, 7.0
COLUMN = (297 - 2 * MARGIN - (PER_PAGE - 1) * GAP) / PER_PAGE
PICTURE = COLUMN * IMAGE_HEIGHT / IMAGE_WIDTH
TOP = 35.0  # of the pictures
SKETCH = 20.0  # width of a sketch
BLACK, GREY, PALE = (28, 28, 30), (104, 104, 110), (214, 214, 218)
JPEG_QUALITY = 92
PROMPT_LINES, NOTE_LINES = 3, 3
DOT = "\u00b7"
CREATOR = "FashionDistill Studio"


def linesheet_pdf(passports: Sequence[Passport], *, title: str) -> bytes:
    """The whole file. Words that find no room end in an ellipsis; the CSV has them in full.

    Raises:
        ValueError: without a design.
    """
    check_some(passports)
    sheet = _Sheet(title, _subtitle(passports), num_pages=-(-len(passports) // PER_PAGE))
    for number, one in enumerate(passports):
        if number % PER_PAGE == 0:
            sheet.add_page()
        sheet.card(MARGIN + (number % PER_PAGE) * (COLUMN + GAP), one)
    return bytes(sheet.output())


def _subtitle(passports: Sequence[Passport]) -> str:
    """What all designs share: "Upper body, Week 2020-W10, 4 designs", with dots between."""
    categories = {get_category(one.request.category).title for one in passports}
    weeks = sorted({one.request.week for one in passports})
    count = len(passports)
    return f" {DOT} ".join(
        (
            categories.pop() if len(categories) == 1 else f"{len(categories)} categories",
            f"Week {weeks[0]}" if len(weeks) == 1 else f"Weeks {weeks[0]} to {weeks[-1]}",
            f"{count} design{'' if count == 1 else 's'}",
        )
    )


class _Sheet(FPDF):
    """The document; `header` and `footer` are called by fpdf for each page."""

    def __init__(self, title: str, subtitle: str, *, num_pages: int) -> None:
        super().__init__(orientation="landscape", unit="mm", format="A4")
        fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        self.add_font(FONT, "", fonts / f"{FONT}.ttf")
        self.add_font(FONT, "B", fonts / f"{FONT}-Bold.ttf")
        self.set_auto_page_break(False)
        self.set_margin(0)
        self.c_margin = 0
        self.set_image_filter("DCTDecode")
        self.set_creator(CREATOR)
        self.set_lang("en")
        self.heading, self.subtitle, self.num_pages = self.known(title), subtitle, num_pages
        self.set_title(self.heading)
        self._lines: dict[bytes, list[tuple[np.ndarray, float, bool]]] = {}  # strokes -> curves, width, filled

    @cached_property
    def _letters(self) -> frozenset[int]:
        return frozenset(self.fonts[FONT.lower()].cmap) & frozenset(self.fonts[f"{FONT.lower()}B"].cmap)

    def known(self, text: str) -> str:
        """The text in letters that the font has, on one line."""
        return "".join(c if ord(c) in self._letters else "\ufffd" for c in " ".join(text.split()))

    def header(self) -> None:
        self._write(MARGIN, 11, 190, self.heading, size=19, bold=True, lines=1)
        self._write(MARGIN, 20.5, 190, self.subtitle, size=9.5, colour=GREY, lines=1)
        self._rule(28.5)

    def footer(self) -> None:
        self._rule(199)
        self._write(MARGIN, 201.5, 150, CREATOR, size=7.5, colour=GREY, lines=1)
        self.set_xy(297 - MARGIN - 60, 201.5)
        self.set_font(FONT, "", 7.5 * FONT_SCALE)
        self.cell(60, 3.5, f"Page {self.page_no()} of {self.num_pages}", align="R")

    def card(self, left: float, one: Passport) -> None:
        """One design: a column from the picture to the notes."""
        buffer = io.BytesIO()
        Image.fromarray(one.image).save(buffer, format="JPEG", quality=JPEG_QUALITY, subsampling=0)
        words = one.request.prompt
        self.image(buffer, left, TOP, COLUMN, PICTURE, alt_text=words)
        y = TOP + PICTURE + 3.5
        place = f"No. {one.scored.rank}" if one.scored.rank else f"Candidate {one.scored.design.index + 1}"
        self._write(left, y, 30, place, size=11, bold=True, lines=1)
        self.set_xy(left + 20, y)
        self.set_font(FONT, "", 7.5 * FONT_SCALE)
        self.set_text_color(*GREY)
        self.cell(COLUMN - 20, 5, f"{get_category(one.request.category).title} {DOT} {one.request.week}", align="R")
        self._write(left, y + 6.2, COLUMN, words, size=8.5, lines=PROMPT_LINES)
        self._palette(left, y + 20.5, one)
        self._sketch(left + COLUMN - SKETCH, y + 20, one.request.sketch)
        scored = one.scored
        scores = (f"Combined {scored.combined:.3f}", f"CLIP-I {scored.clip_i:.3f}", f"CLIP-T {scored.clip_t:.3f}")
        facts = f" {DOT} ".join((*scores, f"Seed {one.request.seed}"))
        self._write(left, y + 51, COLUMN, facts, size=6.8, colour=GREY, lines=1)
        if one.notes.strip():
            self._write(left, y + 56, COLUMN, one.notes, size=7.5, lines=NOTE_LINES)

    def _palette(self, left: float, top: float, one: Passport) -> None:
        for number, swatch in enumerate(palette(one.image)):
            y = top + number * 6
            self.set_fill_color(*swatch.rgb)
            self.set_draw_color(*PALE)
            self.set_line_width(0.15)
            self.rect(left, y, 6.5, 5, style="DF")  # the rim keeps white on white visible
            self._write(left + 8.3, y - 0.2, 32, swatch.name.capitalize(), size=7.5, lines=1)
            self._write(left + 8.3, y + 3, 32, swatch.hex.upper(), size=5.5, colour=GREY, lines=1)

    def _sketch(self, left: float, top: float, sketch: np.ndarray) -> None:
        key = sketch.tobytes()
        if key not in self._lines:
            strokes, areas = trace(sketch)
            self._lines[key] = [(fit_curves(s.points, closed=s.closed), s.width, False) for s in strokes] + [
                (fit_curves(a.points, closed=True), 0.0, True) for a in areas
            ]
        scale = SKETCH / sketch.shape[1]
        for curves, width, filled in self._lines[key]:
            placed = curves * scale + (left, top)
            with self.new_path(float(placed[0, 0, 0]), float(placed[0, 0, 1])) as path:
                for _, first, second, end in placed.tolist():
                    path.curve_to(*first, *second, *end)
                path.style.fill_color = "#1c1c1e" if filled else None
                path.style.stroke_color = None if filled else "#1c1c1e"
                path.style.stroke_width = max(0.12, width * scale)
                path.style.stroke_cap_style = path.style.stroke_join_style = "round"
                path.style.auto_close = False

    def _rule(self, y: float) -> None:
        self.set_draw_color(*PALE)
        self.set_line_width(0.2)
        self.line(MARGIN, y, 297 - MARGIN, y)

    def _write(
        self, x: float, y: float, width: float, text: str, *, size: float, lines: int, bold: bool = False,
        colour: tuple[int, int, int] = BLACK,
    ) -> None:  # fmt: skip
        """Text from a top left corner, at most `lines` lines; what finds no room ends in an ellipsis."""
        self.set_font(FONT, "B" if bold else "", size * FONT_SCALE)
        self.set_text_color(*colour)
        height = size * 0.46
        text = self.known(text)
        broken = self._broken(width, height, text)
        if len(broken) > lines:
            last = broken[lines - 1]
            while " " in last and len(self._broken(width, height, f"{last}\u2026")) > 1:
                last = last.rpartition(" ")[0]  # whole words; a word as wide as the column was broken already
            while len(self._broken(width, height, f"{last}\u2026")) > 1:
                last = last[:-1]
            broken = [*broken[: lines - 1], f"{last.rstrip(' ,;')}\u2026"]
        for number, line in enumerate(broken):
            self.set_xy(x, y + number * height)
            self.cell(width, height, line, new_x=XPos.LEFT, new_y=YPos.NEXT)

    def _broken(self, width: float, height: float, text: str) -> list[str]:
        return self.multi_cell(width, height, text, align="L", dry_run=True, output=MethodReturnValue.LINES)
