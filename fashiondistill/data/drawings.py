"""Drawn garments: a kind, colours, a pattern and a seed -> picture, mask, sketch and the words that hold for them.

In: a kind of `KINDS` and words of `attributes`. Out: `DrawnGarment`, exact by construction; the same arguments give the
same pixels. They teach what photos lack, serve tests, and are the templates of the canvas. Knows nothing of folders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fashiondistill.data.attributes import COLOUR_BY_WORD, PATTERNS, compose_caption
from fashiondistill.data.categories import get_category
from fashiondistill.data.vector.kinds import KINDS, PRINTS_OF_MATERIAL, Kind, phrase
from fashiondistill.data.vector.patterns import PRINTS
from fashiondistill.data.vector.render import METALS, Look, paint, sketch_of
from fashiondistill.data.vector.textures import MATERIALS

TINT = 2.0  # sRGB levels by which a cloth strays from its colour word's prototype
METAL_STYLES = ("pendant", "drops", "long drops")  # whose metal is a good part of what one sees
TEMPLATES = {
    "top5gub": "t-shirt", "top5glb": "trousers", "top5gfb": "dress", "top5shoe": "shoes", "top5acc": "handbag",
    "top5underwear": "briefs",
}  # fmt: skip
TEMPLATE_TRAITS: dict[str, dict[str, str]] = {
    "t-shirt": {"neck": "crew neck", "sleeve": "short sleeves", "fit": "regular fit"},
    "trousers": {"style": "chinos", "leg": "straight"},
    "dress": {"shape": "a-line", "neck": "scoop neck", "sleeve": "sleeveless", "length": "knee length"},
    "shoes": {"style": "loafers"},
    "handbag": {},
    "briefs": {"style": "classic"},
}


@dataclass(frozen=True, eq=False)
class DrawnGarment:
    """A garment and everything that is true of it.

    Attributes:
        image: uint8 [512, 384, 3] RGB.
        sketch: uint8 [512, 384], bright on black.
        mask: uint8 [512, 384], 255 = garment.
        caption: colours, pattern, noun and details in one sentence.
        category: folder of `categories`.
        garment: the kind, which is the caption's noun.
        colours, pattern: words of `attributes`.
        print_name, material: keys of `patterns.PRINTS` and `textures.MATERIALS`.
        traits: every trait with its value, also those that the caption leaves out.
        details: the phrases after the noun.
    """

    image: np.ndarray
    sketch: np.ndarray
    mask: np.ndarray
    caption: str
    category: str
    garment: str
    colours: tuple[str, ...]
    pattern: str
    print_name: str
    material: str
    traits: Mapping[str, str]
    details: tuple[str, ...]


def draw_garment(kind: str, *, colours: tuple[str, ...], pattern: str, seed: int) -> DrawnGarment:
    """Draw one garment; the seed chooses cloth, print, traits, proportions and folds.

    Args:
        kind: a key of `KINDS`; it is also the noun of the caption.
        colours: one or two words of `attributes.COLOURS`, the dominant one first; patterns other than "plain" use both.
        pattern: a word of `attributes.PATTERNS` that the kind has, see `KINDS[kind].patterns`.
        seed: of everything else.

    Raises:
        ValueError: for an unknown kind, colour or pattern, or one that the kind does not have, naming what exists.
    """
    _check(kind, colours, pattern)
    made = KINDS[kind]
    shape_rng, cloth_rng = (np.random.default_rng((seed, stream)) for stream in (1, 2))
    traits = {name: str(shape_rng.choice(values)) for name, values in made.traits.items()} | dict(made.fixed)
    figure = made.build(traits, shape_rng)
    print_name, material = _cloth(made, pattern, cloth_rng)
    look = _look(colours, material, print_name, cloth_rng)
    painted = paint(figure, look)
    details = _details(made, traits, look)
    return DrawnGarment(
        image=painted.image,
        sketch=painted.sketch,
        mask=painted.mask,
        caption=compose_caption(colours=list(colours), pattern=pattern, garment=kind, details=details),
        category=made.category,
        garment=kind,
        colours=colours,
        pattern=pattern,
        print_name=print_name,
        material=material,
        traits=traits,
        details=details,
    )


def template_sketch(category: str) -> np.ndarray:
    """A plain silhouette to start from: float32 [512, 384] in [0, 1], 1 = stroke.

    Raises:
        ValueError: if there is no such category.
    """
    kind = TEMPLATES[get_category(category).folder]
    figure = KINDS[kind].build(TEMPLATE_TRAITS[kind], np.random.default_rng(5))
    return sketch_of(figure).astype(np.float32) / 255


def _check(kind: str, colours: tuple[str, ...], pattern: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is unknown: choose one of {', '.join(KINDS)}.")
    unknown = [word for word in colours if word not in COLOUR_BY_WORD]
    if unknown or len(colours) not in (1, 2):
        raise ValueError(f"colours {colours!r}: choose one or two of {', '.join(COLOUR_BY_WORD)}.")
    if pattern not in PATTERNS:
        raise ValueError(f"pattern {pattern!r} is unknown: choose one of {', '.join(PATTERNS)}.")
    if pattern not in KINDS[kind].patterns:
        raise ValueError(f"pattern {pattern!r} of {kind!r}: choose one of {', '.join(KINDS[kind].patterns)}.")


def _cloth(made: Kind, pattern: str, rng: np.random.Generator) -> tuple[str, str]:
    """A print of the pattern and a material that has it."""
    pairs = [
        (name, material)
        for material in made.materials
        for name in made.prints
        if PRINTS[name].pattern == pattern and name in PRINTS_OF_MATERIAL.get(material, tuple(PRINTS))
    ]
    names = list(dict.fromkeys(name for name, _ in pairs))
    name = names[int(rng.integers(len(names)))]
    fitting = [material for other, material in pairs if other == name]
    return name, fitting[int(rng.integers(len(fitting)))]


def _look(colours: tuple[str, ...], material: str, print_name: str, rng: np.random.Generator) -> Look:
    """Colours of ground, print, accent and trim."""
    stray = rng.normal(0, TINT, (2, 3))
    first = np.clip(np.array(COLOUR_BY_WORD[colours[0]].rgb) + stray[0], 0, 255)
    if len(colours) == 2:
        second = np.clip(np.array(COLOUR_BY_WORD[colours[1]].rgb) + stray[1], 0, 255)
    else:
        second = first * 0.62 if first.mean() > 110 else first + 80
    choice, shade = rng.random(2)
    between = 0.5 * (first + second)
    third = 0.5 * second + 0.5 * (245 if second.mean() < 128 else 20) if choice < 0.5 else between
    if print_name in ("camouflage", "leopard print"):
        third = between * 0.85
    trim = second if len(colours) == 2 and choice > 0.55 else first * (0.9 + 0.14 * shade)
    return Look(
        material=material,
        print_name=print_name,
        first=_triple(first),
        second=_triple(second),
        third=_triple(third),
        trim=_triple(trim),
        metal=str(rng.choice(list(METALS))),
        seed=int(rng.integers(2**31)),
    )


def _triple(colour: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = np.clip(colour, 0, 255)
    return float(red), float(green), float(blue)


def _details(made: Kind, traits: Mapping[str, str], look: Look) -> tuple[str, ...]:
    """Phrases of the caption, without repeats: traits, print, cloth, metal."""
    said = [phrase(name, traits[name]) for name in made.said if name in traits]
    said += [PRINTS[look.print_name].words, MATERIALS[look.material].words]
    if traits.get("style") in METAL_STYLES or traits.get("strap") == "chain strap":
        said.append(look.metal)
    return tuple(dict.fromkeys(words for words in said if words))
