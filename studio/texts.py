"""Every English string of the page. In: plain values. Out: strings, not escaped. Knows nothing of HTML or gradio.

Words stand in constants, with named places such as {week} for what is filled in; `language.choose` puts those of
another language in their stead. So nobody imports a constant by its own name, and no function holds words of its own.
"""

from __future__ import annotations

import datetime

from fashiondistill.data.weeks import Week

TITLE = "FashionDistill Studio"
TAGLINE = "Sketch a garment. See it ranked against what sold."

CATEGORY, WEEK, PROMPT, SKETCH = "Category", "Week", "Prompt", "Sketch"
NUM_CANDIDATES, STEPS, GUIDANCE, INFLUENCE = "Candidates", "Steps", "Guidance", "Sketch influence"
SEED, LOCK_SEED, RANDOMISE = "Seed", "Keep this seed", "New seed"
# Category folder -> what the page calls it, alone and inside a sentence.
CATEGORIES = {
    "top5gub": "Upper body",
    "top5glb": "Lower body",
    "top5gfb": "Full body",
    "top5shoe": "Shoes",
    "top5acc": "Accessories",
    "top5underwear": "Underwear",
}
CATEGORIES_INSIDE = {
    "top5gub": "upper body",
    "top5glb": "lower body",
    "top5gfb": "full body",
    "top5shoe": "shoes",
    "top5acc": "accessories",
    "top5underwear": "underwear",
}
# Colour, garment and pattern words -> what the page calls them. Empty in English: the model reads the same words.
VOCABULARY: dict[str, str] = {}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
THOUSANDS = ","

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
ATTRIBUTES_INSIDE = {"colour": "colours", "type": "garment types", "pattern": "patterns"}
SHARE_AXIS, WEEK_AXIS, OTHER_WORDS = "Share of units sold (%)", "Week", "all others"
WEEK_HOVER = "Week %V, %G"  # ISO week and its year, as plotly writes them

PICTURES, PICTURES_GIVEN = "Picture", "Pictures"
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


# Sentences, filled in by the functions below.
WEEK_LABEL = "Week {week}, {year} ({start}\u2013{end})"
DAY = "{day} {month}"
DAY_ALONE = "{day}"  # the first of two days in one month
UNITS = "{count} sold"
PROGRESS = "Candidate {candidate} of {num_candidates}, step {step} of {total_steps}"
WAITING_ONE = "Waiting: {ahead} request ahead of yours"
WAITING = "Waiting: {ahead} requests ahead of yours"
WAITING_UNKNOWN = "{words}. How long is not known before the first step is measured."
WAITING_MINUTES, WAITING_SECONDS = "{words}, about {minutes} minutes.", "{words}, about {seconds} s."
PROGRESS_TOGETHER = "Candidates {candidate} to {last} of {num_candidates}, step {step} of {total_steps}"
RANKED_ONE = "{count} design ranked in {seconds:.1f} s. Seed {seed}."
RANKED = "{count} designs ranked in {seconds:.1f} s. Seed {seed}."
CANDIDATE, RANK_BADGE, BESTSELLER = "Candidate {number}", "No. {rank}", "No. {rank}, {name}"
NEAREST = "Closest to {name}"
RANKED_BY = "{clip_i:g} CLIP-I + {clip_t:g} CLIP-T"
STROKES_FOLLOWED = "{share:.0%} of your strokes have an edge near them (green)"
SIMILARITY = "similarity {cosine:.2f}"
LED = "{word} led {category} in {week}, with {share:.0%} of the units sold."
LED_UNCHANGED = "{word} led {category} in {week}, with {share:.0%} of the units sold, unchanged since {since}."
LED_MOVED = "{word} led {category} in {week}, with {share:.0%} of the units sold, {moved} since {since}."
UP_ONE, UP, DOWN_ONE, DOWN = "up 1 point", "up {points} points", "down 1 point", "down {points} points"
GAINED_ONE = "{word} gained most: 1 point since {since}."
GAINED = "{word} gained most: {points} points since {since}."
LIVE_FRAME = "Drawn in {seconds:.1f} s with few steps, always with seed {seed}. Keep it, and the next has another seed."
SHEET_TITLE = "Designs for {week}"
EXPORTED = "Saved as {name}."
OPENED = "Opened {name}: category, week, words, sketch, settings and seed are back; the seed is kept."
OTHER_MODEL = "It was drawn by another model ({theirs}); {ours} will draw something else."
WEEK_NOT_SOLD = "These sales hold nothing of its week {week}, so the week was left as it is."
OTHER_WEIGHTS = "It was ranked by {weights}, which is not what this page uses."
MASK_BACK = "The picture that it repainted lies under the paper again, with its repaint area marked."


def week_label(week: Week) -> str:
    """ "Week 10, 2020 (2 - 8 Mar)"."""
    first, last = week.monday, week.monday + datetime.timedelta(days=6)
    start = DAY_ALONE.format(day=first.day) if first.month == last.month else day(first)
    return WEEK_LABEL.format(week=week.week, year=week.year, start=start, end=day(last))


def day(date: datetime.date) -> str:
    """ "8 Mar"."""
    return DAY.format(day=date.day, month=MONTHS[date.month - 1])


def word(known: str) -> str:
    """What the page calls a colour, garment or pattern; a shop's own word, which no language file has, stays."""
    return VOCABULARY.get(known, known)


def capital(sentence: str) -> str:
    """The sentence with a capital."""
    return sentence[:1].upper() + sentence[1:]


def setting_labels() -> dict[str, str]:
    """Field of `GenerateConfig` -> what the page calls it."""
    return {
        "num_candidates": NUM_CANDIDATES,
        "num_inference_steps": STEPS,
        "guidance_scale": GUIDANCE,
        "sketch_influence": INFLUENCE,
    }


def units(count: int) -> str:
    """ "1,204 sold"."""
    return UNITS.format(count=f"{count:,}".replace(",", THOUSANDS))


def progress(first: int, last: int, num_candidates: int, step: int, total_steps: int) -> str:
    """What the status says while candidates `first` to `last` are drawn together."""
    said = PROGRESS if first == last else PROGRESS_TOGETHER
    return said.format(candidate=first, last=last, num_candidates=num_candidates, step=step, total_steps=total_steps)


def waiting(ahead: int, seconds: float | None) -> str:
    """What the status says while other requests are drawn; `seconds` as measured, None = nothing was measured yet."""
    words = (WAITING_ONE if ahead == 1 else WAITING).format(ahead=ahead)
    if seconds is None:
        return WAITING_UNKNOWN.format(words=words)
    if seconds > 90:
        return WAITING_MINUTES.format(words=words, minutes=round(seconds / 60))
    return WAITING_SECONDS.format(words=words, seconds=max(1, round(seconds)))


def ranked(count: int, seconds: float, seed: int) -> str:
    """What the status says at the end."""
    return (RANKED_ONE if count == 1 else RANKED).format(count=count, seconds=seconds, seed=seed)


def candidate(number: int) -> str:
    """Name of a candidate, counted from 1."""
    return CANDIDATE.format(number=number)


def rank_badge(rank: int) -> str:
    """Badge of a ranked card."""
    return RANK_BADGE.format(rank=rank)


def bestseller(rank: int, name: str) -> str:
    """How the cards call one of the week's bestsellers."""
    return BESTSELLER.format(rank=rank, name=name)


def nearest(name: str) -> str:
    """Which bestseller a design is most like."""
    return NEAREST.format(name=name)


def ranked_by(clip_i_weight: float, clip_t_weight: float) -> str:
    """How the ranks came about."""
    return RANKED_BY.format(clip_i=clip_i_weight, clip_t=clip_t_weight)


def strokes_followed(share: float) -> str:
    """How much of the sketch a design shows."""
    return STROKES_FOLLOWED.format(share=share)


def similarity(cosine: float) -> str:
    """How like a garment a design is."""
    return SIMILARITY.format(cosine=cosine)


def trend_sentence(*, word: str, share: float, change: float | None, since: str, category: str, week: str) -> str:
    """The leader of a week in plain words; shares as fractions, change in fractions since week `since`.

    `category` is the folder name; `word` one of the vocabulary.
    """
    facts = {
        "word": capital(VOCABULARY.get(word, word)),
        "share": share,
        "category": CATEGORIES_INSIDE[category],
        "week": week,
    }
    if change is None:
        return LED.format(**facts)
    points = round(change * 100)
    if points == 0:
        return LED_UNCHANGED.format(**facts, since=since)
    one, many = (UP_ONE, UP) if points > 0 else (DOWN_ONE, DOWN)
    moved = (one if abs(points) == 1 else many).format(points=abs(points))
    return LED_MOVED.format(**facts, moved=moved, since=since)


def riser_sentence(*, word: str, change: float, since: str) -> str:
    """The word that gained most."""
    points = round(change * 100)
    return (GAINED_ONE if points == 1 else GAINED).format(
        word=capital(VOCABULARY.get(word, word)), points=points, since=since
    )


def live_frame(seed: int, seconds: float) -> str:
    """What stands beside a live preview."""
    return LIVE_FRAME.format(seconds=seconds, seed=seed)


def sheet_title(week: Week) -> str:
    """Title of a line sheet that nobody named."""
    return SHEET_TITLE.format(week=week_label(week))


def exported(name: str) -> str:
    """What the status says when a file is on its way."""
    return EXPORTED.format(name=name)


def opened(name: str, notes: list[str]) -> str:
    """What the status says when a saved design was opened."""
    return " ".join((OPENED.format(name=name), *notes))


def other_model(theirs: str, ours: str) -> str:
    """Note on a design of another model."""
    return OTHER_MODEL.format(theirs=theirs[:60], ours=ours[:60])


def week_not_sold(week: str) -> str:
    """Note on a design of a week that these sales lack."""
    return WEEK_NOT_SOLD.format(week=week)


def other_weights(clip_i_weight: float, clip_t_weight: float) -> str:
    """Note on a design that was ranked by other weights than the page's."""
    return OTHER_WEIGHTS.format(weights=ranked_by(clip_i_weight, clip_t_weight))
