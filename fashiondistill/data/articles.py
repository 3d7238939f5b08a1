"""The articles of a made-up catalogue: what a noun means in the shop, and what is sold in which colours and patterns.

In: `CatalogueConfig`. Out: `ArticleSpec`s. Knows nothing of sales, pictures or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashiondistill.config import CatalogueConfig, require
from fashiondistill.data.assortment import ID_LENGTH
from fashiondistill.data.attributes import COLOUR_BY_WORD, PATTERNS, compose_caption
from fashiondistill.data.categories import CATEGORIES, get_category
from fashiondistill.data.shop import NOUN_OF_PRODUCT_TYPE


@dataclass(frozen=True)
class Garment:
    """What a noun means in the shop.

    Attributes:
        category: folder name.
        euros: usual price.
        peak: ISO week in which it sells best.
        swing: natural log of peak over yearly mean.
        product_type: H&M's name; "" = the noun with a capital.
        patterns: words of `PATTERNS` that exist for it.
    """

    category: str
    euros: float
    peak: int = 26
    swing: float = 0.0
    product_type: str = ""
    patterns: tuple[str, ...] = ("plain", "striped", "checked", "patterned")


_ALL = tuple(PATTERNS)
GARMENTS: dict[str, Garment] = {
    "t-shirt": Garment("top5gub", 10, 26, 0.5, "T-shirt", _ALL),
    "long-sleeved top": Garment("top5gub", 15, 44, 0.5, patterns=_ALL),
    "shirt": Garment("top5gub", 25, 20, 0.2),
    "jacket": Garment("top5gub", 50, 45, 1.0, patterns=("plain", "checked", "patterned")),
    "polo shirt": Garment("top5gub", 18, 24, 0.5, patterns=("plain", "striped")),
    "tank top": Garment("top5gub", 8, 27, 1.0, "Vest top", _ALL),
    "blazer": Garment("top5gub", 45, 38, 0.4, patterns=("plain", "striped", "checked")),
    "hoodie": Garment("top5gub", 25, 46, 0.7, patterns=_ALL),
    "top": Garment("top5gub", 15, 22, 0.2, patterns=_ALL),
    "blouse": Garment("top5gub", 23, 18, 0.3),
    "trousers": Garment("top5glb", 30, 42, 0.3),
    "shorts": Garment("top5glb", 17, 26, 1.5),
    "skirt": Garment("top5glb", 22, 22, 0.5),
    "dress": Garment("top5gfb", 30, 25, 0.6),
    "bodysuit": Garment("top5gfb", 15, 44, 0.3),
    "shoes": Garment("top5shoe", 30, 38, 0.1, "Other shoe", ("plain", "patterned")),
    "sneakers": Garment("top5shoe", 30, 14, 0.2, patterns=("plain", "patterned")),
    "sandals": Garment("top5shoe", 25, 26, 1.4, patterns=("plain", "patterned")),
    "boots": Garment("top5shoe", 45, 45, 1.2, patterns=("plain", "patterned")),
    "hat": Garment("top5acc", 13, 47, 0.5, "Hat/beanie"),
    "handbag": Garment("top5acc", 25, 18, 0.1, "Bag", ("plain", "checked", "patterned")),
    "tote bag": Garment("top5acc", 10, 26, 0.4, patterns=_ALL),
    "scarf": Garment("top5acc", 13, 47, 1.2),
    "belt": Garment("top5acc", 10, patterns=("plain",)),
    "necklace": Garment("top5acc", 9, 24, 0.2, patterns=("plain",)),
    "earrings": Garment("top5acc", 7, 50, 0.3, "Earring", ("plain",)),
    "briefs": Garment("top5underwear", 8, product_type="Underwear bottom", patterns=_ALL),
    "bra": Garment("top5underwear", 18, patterns=("plain", "striped", "patterned")),
    "boxer shorts": Garment("top5underwear", 15),
    "camisole": Garment("top5underwear", 13, 26, 0.3, patterns=("plain", "striped", "patterned")),
    "underwear bodysuit": Garment("top5underwear", 20, product_type="Underwear body", patterns=("plain", "patterned")),
    # Never made up here, but pictures made elsewhere may show them.
    "sweater": Garment("top5gub", 25, 47, 1.1),
    "cardigan": Garment("top5gub", 28, 44, 0.8),
    "coat": Garment("top5gub", 70, 46, 1.3),
    "leggings": Garment("top5glb", 13, 45, 0.3, "Leggings/Tights"),
    "jumpsuit": Garment("top5gfb", 35, 24, 0.6, "Jumpsuit/Playsuit"),
    "gloves": Garment("top5acc", 13, 48, 1.4),
    "sunglasses": Garment("top5acc", 10, 25, 1.2, patterns=("plain",)),
}
ONLY_WITH_PICTURES = ("sweater", "cardigan", "coat", "leggings", "jumpsuit", "gloves", "sunglasses")
FREQUENT_COLOURS = {"black": 6.0, "white": 4.0, "navy": 3.0, "beige": 2.5, "grey": 2.0, "light blue": 2.0}
PATTERN_WEIGHTS = {"plain": 4.0, "striped": 2.0, "checked": 1.5, "patterned": 2.0, "printed": 1.5}
PALETTE_SIZE = 7  # colours per category
FIRST_DESIGN, NUM_DESIGNS = 108_775, 1_000_000  # H&M's lowest product code is 0108775, and all begin with 0


@dataclass(frozen=True)
class ArticleSpec:
    """An article to sell, so that pictures made elsewhere come with sales.

    Attributes:
        article_id: ten digits; the first seven are the design, the last three the colourway.
        category: folder name, for example "top5gub".
        garment: noun of the caption, for example "t-shirt".
        colours: words of `attributes.COLOURS`, the dominant one first; H&M's files keep only that one.
        pattern: a word of `attributes.PATTERNS`.
        caption: of the picture; ends detail_desc.

    Raises:
        ValueError: naming the field, its value and what is possible.
    """

    article_id: str
    category: str
    garment: str
    colours: tuple[str, ...]
    pattern: str
    caption: str

    def __post_init__(self) -> None:
        if not (len(self.article_id) == ID_LENGTH and self.article_id.isascii() and self.article_id.isdigit()):
            raise ValueError(f"article_id {self.article_id!r} is not usable: give {ID_LENGTH} digits as a string.")
        get_category(self.category)
        unknown = [word for word in self.colours if word not in COLOUR_BY_WORD]
        if unknown or not self.colours:
            raise ValueError(
                f"colours {self.colours!r} of {self.article_id}: choose one or more of {', '.join(COLOUR_BY_WORD)}."
            )
        if self.pattern not in PATTERNS:
            raise ValueError(f"pattern {self.pattern!r} of {self.article_id}: choose one of {', '.join(PATTERNS)}.")
        if _noun_of(product_type_of(self.garment)) != self.garment:
            raise ValueError(
                f"garment {self.garment!r} of {self.article_id} cannot be read back from H&M's product_type_name "
                f"{product_type_of(self.garment)!r}: choose another noun in lower case, for example one of "
                f"{', '.join(GARMENTS)}."
            )


def make_specs(config: CatalogueConfig) -> list[ArticleSpec]:
    """Made-up articles of all six categories: designs of a noun and a pattern, each in one to three colours."""
    rng = stream(config, "specs")
    specs: list[ArticleSpec] = []
    design = FIRST_DESIGN - 1
    # H&M's product codes are below a million: the more articles, the closer their numbers.
    max_step = min(900, (NUM_DESIGNS - FIRST_DESIGN) // (len(CATEGORIES) * config.articles_per_category) + 1)
    most = (NUM_DESIGNS - FIRST_DESIGN) // len(CATEGORIES)
    require(max_step > 1, "articles_per_category", config.articles_per_category, f"choose at most {most}.")
    for category in CATEGORIES:
        nouns = [n for n, g in GARMENTS.items() if g.category == category.folder and n not in ONLY_WITH_PICTURES]
        frequency = np.array([FREQUENT_COLOURS.get(word, 1.0) for word in COLOUR_BY_WORD])
        palette = rng.choice(list(COLOUR_BY_WORD), PALETTE_SIZE, replace=False, p=frequency / frequency.sum())
        made = num_designs = 0
        while made < config.articles_per_category:
            design += int(rng.integers(1, max_step))
            noun = nouns[num_designs % len(nouns)]
            num_designs += 1
            patterns = GARMENTS[noun].patterns
            chance = np.array([PATTERN_WEIGHTS[word] for word in patterns])
            pattern = str(rng.choice(patterns, p=chance / chance.sum()))
            count = min(int(rng.integers(1, 4)), config.articles_per_category - made)
            for number, word in enumerate(rng.choice(palette, count, replace=False), start=1):
                specs.append(_made_up(f"{design:07d}{number:03d}", category.folder, noun, str(word), pattern))
            made += count
    return specs


def product_type_of(noun: str) -> str:
    """H&M's product_type_name of a noun of the captions."""
    garment = GARMENTS.get(noun)
    return garment.product_type if garment and garment.product_type else noun[:1].upper() + noun[1:]


def _noun_of(product_type: str) -> str:
    return NOUN_OF_PRODUCT_TYPE.get(product_type, product_type.lower())


def _made_up(article_id: str, category: str, noun: str, colour: str, pattern: str) -> ArticleSpec:
    caption = compose_caption(colours=[colour], pattern=pattern, garment=noun)
    return ArticleSpec(article_id, category, noun, (colour,), pattern, caption)


def check_specs(specs: list[ArticleSpec]) -> None:
    if not specs:
        raise ValueError("articles is an empty list: give at least one ArticleSpec, or None to make them up.")
    seen: set[str] = set()
    for spec in specs:
        if spec.article_id in seen:
            raise ValueError(f"article_id {spec.article_id} is given more than once: every article needs its own.")
        seen.add(spec.article_id)


def stream(config: CatalogueConfig, purpose: str) -> np.random.Generator:
    """One stream per purpose, so that more rows do not change the articles."""
    return np.random.default_rng([config.seed, *purpose.encode("ascii")])
