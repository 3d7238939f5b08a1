"""English of the Board tab, of hearts and of picks, made as `texts` is. In: plain values. Out: strings, not escaped."""

from __future__ import annotations

import datetime

from studio import texts

TAB_BOARD = "Board"
SEARCH, SEARCH_HINT = "Search", "words, colours, notes"
SHOW = "Show"
SHOWN = {"all": "History", "favourites": "Favourites", "deleted": "Deleted"}
CATEGORY, WEEK, BOARD = "Category", "Week", "Board"
ANY_CATEGORY, ANY_WEEK, ANY_BOARD = "All categories", "All weeks", "All boards"
MORE = "Show more"
HEART, COMPARE, DETAILS = "Favourite", "Compare", "Details of"
EMPTY = {
    "all": "Nothing here yet. Every design that you generate is kept here.",
    "favourites": "No favourites here. Press the heart on a design that you like.",
    "deleted": "Nothing is deleted.",
}
EMPTY_SEARCH = "Nothing fits. Take away a word or a filter."
CHOOSE = "Choose a design to see its details, note on it or go on from it."
NOTE, NOTE_HINT = "Note", "What to change, whom to ask"
BOARDS, BOARDS_HINT = "On boards", "Type a name to make a board"
OPEN, DELETE, RESTORE = "Open again", "Delete", "Restore"
VARY_SUBTLE, VARY_STRONG, ACROSS_WEEKS = "Vary subtly", "Vary strongly", "Across weeks"
STOP = "Stop"
BOARD_NAME, RENAME_BOARD, DELETE_BOARD = "Name of this board", "Rename", "Delete this board"
DELETED_BOARDS, RESTORE_BOARD = "Deleted boards", "Restore board"
DELETED_HINT = "Their designs stay in your history."
NO_BOARD = "No board is chosen. Choose one above first."
EXPORT_SHOWN = "Export what is shown"
NOTHING_SHOWN = "Export: no design is shown. Take away a word or a filter first."
TRAINING = "Use my picks to train the model"
TRAINING_HINT = "A favourite counts as preferred over the designs shown beside it. Nothing leaves this studio."
EXPORT, EXPORT_READY = "Export picks", "Save picks.zip"
NO_CHOICE = "No design is chosen. Choose one in the grid first."
NO_PICKS = "There are no picks to export: no favourite was preferred over another design, or your picks are not used."
OPENED = "Sketch, words, week, category and seed are back. Generate draws the same designs again."
OPENED_VARIATION = (
    "Sketch, words, week and category are back. This design was a variation of another picture, so Generate draws anew."
)
OPENED_FILE = (
    "Sketch, words, week, category and seed are back. This design came from a file: Generate draws it again only with "
    "the model that drew it, and not if it was a variation."
)
OTHER_WEEK = "The design's week is not in these sales, so the week stays."
SIDE_BY_SIDE, SLIDER = "Side by side", "Slider"
SLIDE = "Where the two pictures meet"
STRIP = "The same sketch and seed, with each week's own words"
KINDS = {
    "draw": "Generated",
    "vary_subtle": "Varied subtly",
    "vary_strong": "Varied strongly",
    "live": "Kept from Live",
    "weeks": "Drawn for a strip of weeks",
    "opened": "Opened from a file",
}
SAVE = "Save PNG"
UNRANKED = "Not ranked"
# Sentences, filled in by the functions below.
WHEN = "{day} {year}, {time}"
FOUND_ONE, FOUND = "{shown} of {total} design", "{shown} of {total} designs"
WEEKS_DONE = "Week {done} of {total}"
PICKS_UNUSED = "Your picks are not used for training. Favourites stay favourites."
PICKS_NONE = "No picks are used for training yet. A heart on one of several designs makes one."
PICKS = "{picks} ({pairs}) used for training."
PICKS_COUNT_ONE, PICKS_COUNT = "{count} pick", "{count} picks"
PAIRS_COUNT_ONE, PAIRS_COUNT = "{count} pair", "{count} pairs"
PICKS_LEFT_OUT_ONE, PICKS_LEFT_OUT = "{count} more is not used.", "{count} more are not used."
TOO_MANY = "Export: {total} designs are shown, a file takes at most {most}. Choose a board, a category or a week."
NOT_EXPORTED = 'Export: the design "{prompt}" cannot be read: {problem} Delete it to export the others.'
AGREEMENT = "CLIP's order agrees with {rate:.0%} of your choices (95 % interval {low:.0%} to {high:.0%})."


def when(seconds: float) -> str:
    """ "26 Nov 2026, 09:14" in the server's time."""
    moment = datetime.datetime.fromtimestamp(seconds)
    return WHEN.format(day=texts.day(moment), year=moment.year, time=f"{moment:%H:%M}")


def place(rank: int) -> str:
    """Rank among the candidates of its request."""
    return texts.rank_badge(rank) if rank else UNRANKED


def found(shown: int, total: int) -> str:
    """How many designs the grid shows."""
    return (FOUND_ONE if total == 1 else FOUND).format(shown=shown, total=total)


def too_many(total: int, most: int) -> str:
    """Error for more designs than a file takes."""
    return TOO_MANY.format(total=f"{total:,}".replace(",", texts.THOUSANDS), most=most)


def not_exported(prompt: str, problem: str) -> str:
    """Error for a design that cannot be read."""
    return NOT_EXPORTED.format(prompt=prompt[:60], problem=problem)


def weeks_done(done: int, total: int) -> str:
    """Progress of a strip."""
    return WEEKS_DONE.format(done=done, total=total)


def picks(count: int, pairs: int, left_out: int, training: bool) -> str:
    """What the visitor's picks are used for."""
    if not training:
        return PICKS_UNUSED
    if not count:
        return PICKS_NONE
    counted = (PICKS_COUNT_ONE if count == 1 else PICKS_COUNT).format(count=count)
    paired = (PAIRS_COUNT_ONE if pairs == 1 else PAIRS_COUNT).format(count=pairs)
    words = PICKS.format(picks=counted, pairs=paired)
    if not left_out:
        return words
    return f"{words} {(PICKS_LEFT_OUT_ONE if left_out == 1 else PICKS_LEFT_OUT).format(count=left_out)}"


def agreement(rate: float, low: float, high: float) -> str:
    """How often the scores order a pick as the visitor did."""
    return AGREEMENT.format(rate=rate, low=low, high=high)
