"""Every English string of the blind test. In: plain values. Out: strings, not escaped."""

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


def asked(week: str, seed: int) -> str:
    """What the pair was drawn for."""
    return f"{week}, seed {seed}"


def chosen(choice: str) -> str:
    """What the status says after a judgement."""
    return f"Kept: {CHOICES[choice]}. You can change it until you reveal the models."


def revealed(choice: str, left: str, right: str) -> str:
    """What the status says after the reveal."""
    if choice == "none":
        return f"Left was {left}, right was {right}. You saw no difference."
    better, other = (left, right) if choice == "left" else (right, left)
    return f"You preferred {better} over {other}."


def picture(side: str, number: int) -> str:
    """Name of a picture for who cannot see it."""
    return f"{SIDES[side]}, design {number}"


def over(first: str, second: str) -> str:
    """A pair, as its win rate is to be read."""
    return f"{first} over {second}"


def counts(wins: int, losses: int, ties: int) -> str:
    """How the judgements of a pair fell."""
    return f"{wins} won, {losses} lost" + (f", {ties} no difference" if ties else "")


def rate(share: float, low: float, high: float) -> str:
    """Win rate with its interval."""
    return f"{share:.0%} ({low:.0%} to {high:.0%})"
