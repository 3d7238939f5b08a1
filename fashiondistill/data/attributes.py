"""The words that captions, catalogue, trends and prompts share: colours, patterns, and H&M's names for them.

One home, so that a trend measured in H&M's names ("Dark Blue", "Stripe") becomes words that the text encoder was
trained on ("navy", "striped"). In and out: plain strings and sRGB triples. Knows nothing of pictures.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """A colour word with its prototype in sRGB (0..255) and H&M's colour_group_name."""

    word: str
    rgb: tuple[int, int, int]
    hm_colour_group: str


# Prototypes were picked by eye for cloth (duller than the CSS colours of the same name).
COLOURS: tuple[Colour, ...] = (
    Colour("black", (28, 28, 30), "Black"),
    Colour("charcoal", (70, 71, 73), "Dark Grey"),
    Colour("grey", (125, 126, 128), "Grey"),
    Colour("light grey", (178, 180, 184), "Light Grey"),
    Colour("white", (224, 224, 223), "White"),
    Colour("cream", (234, 226, 205), "Off White"),
    Colour("beige", (206, 184, 152), "Beige"),
    Colour("camel", (176, 132, 84), "Dark Beige"),
    Colour("brown", (110, 76, 54), "Yellowish Brown"),
    Colour("dark brown", (62, 44, 36), "Bronze/Copper"),
    Colour("khaki", (122, 116, 84), "Greenish Khaki"),
    Colour("olive", (84, 86, 50), "Other Green"),
    Colour("dark green", (34, 66, 50), "Dark Green"),
    Colour("green", (56, 126, 72), "Green"),
    Colour("mint", (170, 212, 190), "Light Green"),
    Colour("teal", (32, 108, 116), "Dark Turquoise"),
    Colour("turquoise", (70, 176, 184), "Turquoise"),
    Colour("light blue", (158, 190, 222), "Light Blue"),
    Colour("blue", (52, 96, 170), "Blue"),
    Colour("denim blue", (84, 106, 138), "Other Blue"),
    Colour("navy", (36, 43, 68), "Dark Blue"),
    Colour("purple", (102, 62, 128), "Purple"),
    Colour("lilac", (188, 166, 212), "Light Purple"),
    Colour("pink", (232, 176, 190), "Light Pink"),
    Colour("hot pink", (212, 62, 124), "Dark Pink"),
    Colour("red", (190, 40, 46), "Red"),
    Colour("burgundy", (98, 30, 44), "Dark Red"),
    Colour("coral", (228, 118, 100), "Light Orange"),
    Colour("orange", (222, 118, 42), "Orange"),
    Colour("mustard", (204, 156, 48), "Dark Yellow"),
    Colour("yellow", (240, 214, 84), "Yellow"),
)
COLOUR_BY_WORD = {colour.word: colour for colour in COLOURS}
COLOUR_OF_HM_GROUP = {colour.hm_colour_group: colour for colour in COLOURS}

# Pattern word of the captions -> H&M's graphical_appearance_name.
PATTERNS: dict[str, str] = {
    "plain": "Solid",
    "striped": "Stripe",
    "checked": "Check",
    "patterned": "All over pattern",
    "printed": "Front print",
}
PATTERN_OF_HM_APPEARANCE = {appearance: word for word, appearance in PATTERNS.items()}


def compose_caption(*, colours: list[str], pattern: str, garment: str, details: tuple[str, ...] = ()) -> str:
    """The caption sentence of training and of trend prompts: "navy and white striped t-shirt, short sleeves".

    Args:
        colours: one or two colour words, the dominant one first.
        pattern: a key of `PATTERNS`.
        garment: a noun, for example "t-shirt".
        details: further phrases, for example ("short sleeves",).
    """
    return ", ".join([f"{' and '.join(colours)} {pattern} {garment}", *details])
