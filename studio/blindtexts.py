"""English of the blind test, made as `texts` is. In: plain values. Out: strings, not escaped."""

from __future__ import annotations

TAB_BLIND = "Blind test"
INTRO = (
    "Two models draw the same sketch, words, week and seed. Say which side you prefer: you see their names after that."
)
DRAW, STOP = "Draw a pair", "Stop"
LEFT, RIGHT, NONE = "Left", "Right", "No difference"
SIDES = {"left": LEFT, "right": RIGHT}
REVEAL = "Reveal the models"
SKETCH = "Sketch"
EMPTY = "Nothing is drawn yet. The pair is drawn from the sketch on the Design tab, and from the words beside."
LOADING = "Loading models"
DRAWING = "Drawing both sides"
DRAWN = "Which side is better?"
STOPPED = "Stopped. Nothing was judged."
BROKEN = "The studio could not finish this pair. Draw it again, or see the terminal for the cause."
CHOICES = {"left": "left", "right": "right", "none": "no difference"}
RESULTS = "Results so far"
NO_RESULTS = "Nothing is judged yet."
PAIR, JUDGED, RATE = "Models", "Judged", "Win rate, 95 % interval"
YOURS, EVERYONES = "By you", "By all visitors of this studio"
EXPORT = "Results (CSV)"
EXPORT_NAME = "blind_test.csv"
METHOD = "No difference counts as half a win. The interval is Wilson's; where it holds 50 %, no model is ahead yet."
NOTHING_DRAWN = "Blind test: there is no pair to judge. Press Draw a pair first."
NOT_CHOSEN = "Blind test: nothing is chosen. Choose left, right or no difference, then reveal the models."
ALREADY_REVEALED = "Blind test: the models of this pair are revealed, so its judgement stays. Draw the next pair."
NOTHING_TO_EXPORT = "Blind test: there are no results to export. Judge a pair first."

# Sentences, filled in by the functions below.
ASKED = "{week}, seed {seed}"
CHOSEN = "Kept: {choice}. You can change it until you reveal the models."
PREFERRED = "You preferred {better} over {other}."
SAW_NONE = "Left was {left}, right was {right}. You saw no difference."
PICTURE = "{side}, design {number}"
OVER = "{first} over {second}"
COUNTS, COUNTS_TIED = "{wins} won, {losses} lost", "{wins} won, {losses} lost, {ties} no difference"
RATE_FOUND = "{share:.0%} ({low:.0%} to {high:.0%})"


def asked(week: str, seed: int) -> str:
    """What the pair was drawn for."""
    return ASKED.format(week=week, seed=seed)


def chosen(choice: str) -> str:
    """What the status says after a judgement."""
    return CHOSEN.format(choice=CHOICES[choice])


def revealed(choice: str, left: str, right: str) -> str:
    """What the status says after the reveal."""
    if choice == "none":
        return SAW_NONE.format(left=left, right=right)
    better, other = (left, right) if choice == "left" else (right, left)
    return PREFERRED.format(better=better, other=other)


def picture(side: str, number: int) -> str:
    """Name of a picture for who cannot see it."""
    return PICTURE.format(side=SIDES[side], number=number)


def over(first: str, second: str) -> str:
    """A pair, as its win rate is to be read."""
    return OVER.format(first=first, second=second)


def counts(wins: int, losses: int, ties: int) -> str:
    """How the judgements of a pair fell."""
    return (COUNTS_TIED if ties else COUNTS).format(wins=wins, losses=losses, ties=ties)


def rate(share: float, low: float, high: float) -> str:
    """Win rate with its interval."""
    return RATE_FOUND.format(share=share, low=low, high=high)
