"""Every English string of the page. In: plain values. Out: strings, not escaped. Knows nothing of HTML or gradio."""

from __future__ import annotations

import datetime
import reprlib

from fashiondistill.data.weeks import Week

TITLE = "FashionDistill Studio"
TAGLINE = "Sketch a garment. See it ranked against what sold."

CATEGORY, WEEK, PROMPT, SKETCH = "Category", "Week", "Prompt", "Sketch"
NUM_CANDIDATES, STEPS, GUIDANCE, INFLUENCE = "Candidates", "Steps", "Guidance", "Sketch influence"
SEED, LOCK_SEED, RANDOMISE = "Seed", "Keep this seed", "New seed"
# Field of `GenerateConfig` -> what the page calls it.
SETTING_LABELS = {
    "num_candidates": NUM_CANDIDATES,
    "num_inference_steps": STEPS,
    "guidance_scale": GUIDANCE,
    "sketch_influence": INFLUENCE,
}

BESTSELLERS = "Bestsellers of the week"
NO_BESTSELLERS = "Nothing of this category was sold in this week. Choose another week."
NO_PICTURE = "no picture"
PROMPT_HINT = "Describe the garment. The suggestion comes from this week's sales."
USE_SUGGESTION = "Use this week's suggestion"

TEMPLATE, EDGE_MAP, PHOTO = "Template", "Upload edge map", "Photo to lines"
GENERATE, CANCEL, MORE = "Generate", "Cancel", "More settings"

TAB_DESIGN, TAB_TRENDS = "Design", "Trends"
ATTRIBUTE = "Show shares of"
ATTRIBUTE_LABELS = {"colour": "Colours", "type": "Garment types", "pattern": "Patterns"}
SHARE_AXIS, WEEK_AXIS, OTHER_WORDS = "Share of units sold (%)", "Week", "all others"

PICTURES = "Picture"
EXPORT_ZIP, EXPORT_PDF, EXPORT_CSV, EXPORT_SVG = "ZIP", "Line sheet (PDF)", "Scores (CSV)", "Sketch (SVG)"
OPEN_DESIGN = "Open a design"
EXPORT_LABEL = "Export these designs, or open one that was saved"
DROP_HINT = "Drop a saved design to go on with it, or an edge map or a photo for its lines"
NO_DESIGNS = "Export: there are no designs yet. Press Generate first, or open a saved design."
NO_SKETCH = "Export: the canvas is empty. Draw something first."

IDLE = "Ready. Draw, or keep the template, and press Generate."
EMPTY_RESULTS = "Your designs appear here"
EMPTY_RESULTS_MORE = (
    "Each one is scored as it arrives, then all are ranked against this week's bestsellers and your words."
)
CANCELLED = "Cancelled. The designs drawn so far are kept."
BROKEN = (
    "The studio could not finish this. Your drawing is kept: press Generate again, or see the terminal for the cause."
)
STARTING = "Starting"
CLIP_I, CLIP_T, COMBINED = "CLIP-I", "CLIP-T", "Combined"
CLIP_I_HELP = "Similarity to this week's bestsellers, mean over the set (cosine, -1 to 1)"
CLIP_T_HELP = "Similarity to your words (cosine, -1 to 1)"
RANK_BY, RANK_BY_WORDS, RANK_BY_SALES = "Ranked by", "your words", "bestsellers"
WHY, WHY_WORDS = "Why this rank", "Your words, one by one (CLIP-T; bold: best of these designs)"
WHY_NEAREST, WHY_CLOSEST = "Nearest of the week:", "Nearest of all weeks:"
NEAR_COPY = "Nearly a copy: closer to it than 95 % of the shop's garments are to each other."
DOWNLOAD, ENLARGE, CLOSE = "Save PNG", "Enlarge", "Close"
PENDING = "waiting"

TEMPLATE_DONE = "Template placed on the canvas. Undo brings your drawing back."
EDGE_MAP_DONE = "Edge map placed on the canvas. Undo brings your drawing back."
LIVE, KEEP, KEPT, KEPT_TITLE = "Live", "Keep", "Kept", "Kept from Live"
LIVE_WAITS = "Draw: a quick preview follows a moment after the pen has lifted."
LIVE_BUSY = "Generate has the model. Live goes on with your next stroke after that."

TRACE_DONE = "Lines of the picture placed on the canvas. Undo brings your drawing back."
REPAINT, UNDERLAY = "Repaint a part", "Show under the paper"
UNDER = "Picture under the paper"
MASK_WITHOUT_PICTURE = (
    "Repaint area: there is no picture to repaint. Press Repaint a part on a design, or clear the repaint area."
)
PICTURE_WITHOUT_MASK = (
    "Repaint area: nothing is marked. Choose Repaint area above the canvas and paint over the part that is to change, "
    "or turn off Repaint in it to draw the whole design."
)
PHOTO_DONE = "Lines of the photo placed on the canvas. Undo brings your drawing back."

INFO_CANDIDATES = "Designs to draw, 1 to 8"
INFO_STEPS = "More steps: finer, slower"
INFO_GUIDANCE = "How strictly words and sketch are followed; 1 is off"
INFO_INFLUENCE = "Share of the steps that see the sketch"


def week_label(week: Week) -> str:
    """ "Week 10, 2020 (2 - 8 Mar)"."""
    first, last = week.monday, week.monday + datetime.timedelta(days=6)
    start = f"{first.day}" if first.month == last.month else f"{first.day} {first:%b}"
    return f"Week {week.week}, {week.year} ({start}\u2013{last.day} {last:%b})"


def units(count: int) -> str:
    """ "1,204 sold"."""
    return f"{count:,} sold"


def progress(first: int, last: int, num_candidates: int, step: int, total_steps: int) -> str:
    """What the status says while candidates `first` to `last` are drawn together."""
    who = f"Candidate {first}" if first == last else f"Candidates {first} to {last}"
    return f"{who} of {num_candidates}, step {step} of {total_steps}"


def ranked(count: int, seconds: float, seed: int) -> str:
    """What the status says at the end."""
    return f"{count} design{'s' if count != 1 else ''} ranked in {seconds:.1f} s. Seed {seed}."


def candidate(number: int) -> str:
    """Name of a candidate, counted from 1."""
    return f"Candidate {number}"


def rank_badge(rank: int) -> str:
    """Badge of a ranked card."""
    return f"No. {rank}"


def bestseller(rank: int, name: str) -> str:
    """How the cards call one of the week's bestsellers."""
    return f"No. {rank}, {name}"


def nearest(name: str) -> str:
    """Which bestseller a design is most like."""
    return f"Closest to {name}"


def ranked_by(clip_i_weight: float, clip_t_weight: float) -> str:
    """How the ranks came about."""
    return f"{clip_i_weight:g} CLIP-I + {clip_t_weight:g} CLIP-T"


def strokes_followed(share: float) -> str:
    """How much of the sketch a design shows."""
    return f"{share:.0%} of your strokes have an edge near them (green)"


def similarity(cosine: float) -> str:
    """How like a garment a design is."""
    return f"similarity {cosine:.2f}"


def trend_sentence(*, word: str, share: float, change: float | None, since: str, category: str, week: str) -> str:
    """The leader of a week in plain words; shares as fractions, change in fractions since week `since`."""
    text = f"{word.capitalize()} led {category.lower()} in {week}, with {share:.0%} of the units sold"
    if change is None:
        return f"{text}."
    points = round(change * 100)
    moved = "unchanged" if points == 0 else f"{'up' if points > 0 else 'down'} {abs(points)} point{_s(points)}"
    return f"{text}, {moved} since {since}."


def riser_sentence(*, word: str, change: float, since: str) -> str:
    """The word that gained most."""
    points = round(change * 100)
    return f"{word.capitalize()} gained most: {points} point{_s(points)} since {since}."


def no_such_week(week: str, first: str, last: str) -> str:
    """Error for a week without sales data."""
    return f"{WEEK}: {week!r} is not in the sales data. Choose a week from {first} to {last}."


def no_sales(week: str, category: str) -> str:
    """Error for a week in which nothing of the category was sold."""
    return (
        f"{WEEK}: nothing of {category} was sold in {week}, so there is nothing to rank against. Choose another week."
    )


def not_a_number(label: str, value: object) -> str:
    """Error for a setting that is no number."""
    return f"{label}: {reprlib.repr(value)} is not a number that can be used. Give a number."


def not_whole(label: str, value: object) -> str:
    """Error for a count that is not whole."""
    return f"{label}: {reprlib.repr(value)} is not a whole number. Give a whole number."


def not_text(label: str, value: object) -> str:
    """Error for a text field that holds something else."""
    return f"{label}: {type(value).__name__} is not text. Give text."


def unknown_attribute(attribute: object) -> str:
    """Error for an unknown trend attribute."""
    return f"{ATTRIBUTE}: {reprlib.repr(attribute)} is unknown. Choose one of {', '.join(ATTRIBUTE_LABELS)}."


def no_upload(label: str) -> str:
    """Error for an upload that never came."""
    return f"{label}: no file arrived. Choose a PNG, JPEG or WebP file."


def live_frame(seed: int, seconds: float) -> str:
    """What stands beside a live preview."""
    return f"Drawn in {seconds:.1f} s with few steps, always with seed {seed}. Keep it, and the next has another seed."


def no_such_bestseller(article_id: object) -> str:
    """Error for an article whose picture is asked for and that is not among the week's bestsellers."""
    return (
        f"{UNDER}: article {reprlib.repr(article_id)} has no picture in this week. Choose one of the bestsellers shown."
    )


def _s(points: int) -> str:
    return "" if abs(points) == 1 else "s"


def sheet_title(week: Week) -> str:
    """Title of a line sheet that nobody named."""
    return f"Designs for {week_label(week)}"


def exported(name: str) -> str:
    """What the status says when a file is on its way."""
    return f"Saved as {name}."


def opened(name: str, notes: list[str]) -> str:
    """What the status says when a saved design was opened."""
    words = f"Opened {name}: category, week, words, sketch, settings and seed are back; the seed is kept."
    return " ".join((words, *notes))


def other_model(theirs: str, ours: str) -> str:
    """Note on a design of another model."""
    return f"It was drawn by another model ({theirs[:60]}); {ours[:60]} will draw something else."


def week_not_sold(week: str) -> str:
    """Note on a design of a week that these sales lack."""
    return f"These sales hold nothing of its week {week}, so the week was left as it is."


def other_weights(clip_i_weight: float, clip_t_weight: float) -> str:
    """Note on a design that was ranked by other weights than the page's."""
    return f"It was ranked by {ranked_by(clip_i_weight, clip_t_weight)}, which is not what this page uses."


MASK_LEFT_OUT = "Its repaint area is not put back on the canvas yet: mark it again to repaint only there."


def not_pictures(value: object, most: int) -> str:
    """Error for something else than a list of pictures."""
    given = f"{len(value)} were given" if isinstance(value, list) else f"{type(value).__name__} is no list"
    return f"Pictures: {given}. Give a list of 1 to {most} pictures."


def not_a_picture(label: str, shown: str) -> str:
    """Error for a picture that is neither a data URL nor an upload."""
    return (
        f"{label}: {shown} is neither a data URL (data:image/png;base64,...) nor a file that was uploaded before. "
        "Give one of them."
    )


def picture_too_large(label: str, megabytes: int) -> str:
    """Error for a data URL that is too long."""
    return f"{label}: it has more than {megabytes} MB. Give a smaller picture."
