"""Made-up articles as rows of H&M's articles.csv.

In: `ArticleSpec`s. Out: a frame with its 25 columns. Numbers of departments, sections and codes have H&M's columns and
types, but are our own.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from fashiondistill.config import CatalogueConfig
from fashiondistill.data.articles import ArticleSpec, product_type_of
from fashiondistill.data.assortment import ARTICLE_COLUMNS
from fashiondistill.data.attributes import COLOUR_BY_WORD, PATTERNS
from fashiondistill.data.categories import CATEGORIES, get_category

NAMES = (
    "Alva", "Bruno", "Cleo", "Dune", "Edda", "Fjord", "Gala", "Hedda", "Ida", "Juno", "Kilo", "Lotta", "Malou", "Nora",
    "Otto", "Pixie", "Quinn", "Rio", "Siri", "Tilda", "Ulla", "Vera", "Wilma", "Ylva", "Zoe",
)  # fmt: skip
MATERIALS = {
    "top5gub": ("soft cotton jersey", "airy viscose", "a cotton blend", "woven cotton"),
    "top5glb": ("stretch cotton", "woven fabric", "washed cotton twill", "a linen blend"),
    "top5gfb": ("soft jersey", "woven viscose", "crinkled cotton"),
    "top5shoe": ("imitation leather", "cotton canvas", "imitation suede"),
    "top5acc": ("recycled polyester", "a soft blend", "imitation leather"),
    "top5underwear": ("soft cotton", "microfibre", "ribbed jersey"),
}
CUTS = ("a regular fit", "a relaxed fit", "a straight cut", "neat seams", "fine details")
INDEXES = (("A", "Ladieswear", 1, "Ladieswear"), ("D", "Divided", 2, "Divided"), ("F", "Menswear", 3, "Menswear"))
PATTERN_PHRASE = {"plain": "", "striped": "Striped ", "checked": "Checked ", "patterned": "Patterned ", "printed": ""}


def articles_frame(specs: list[ArticleSpec], config: CatalogueConfig) -> pl.DataFrame:
    """H&M's 25 columns; the colourways of a design share name, material and audience."""
    types = {name: number for number, name in enumerate(sorted({s.garment for s in specs}), start=250)}
    rows = [_article_row(spec, types[spec.garment], config) for spec in specs]
    rows.sort(key=lambda row: str(row["article_id"]))
    return pl.DataFrame(rows, infer_schema_length=None).select(ARTICLE_COLUMNS)


def _article_row(spec: ArticleSpec, type_number: int, config: CatalogueConfig) -> dict[str, str | int]:
    rng = np.random.default_rng([config.seed, int(spec.article_id[:7])])  # of the design, not of the colourway
    category = get_category(spec.category)
    colour = COLOUR_BY_WORD[spec.colours[0]]
    index_code, index_name, group_no, group_name = INDEXES[int(rng.integers(len(INDEXES)))]
    name, cut = str(rng.choice(NAMES)), str(rng.choice(CUTS))
    material = str(rng.choice(MATERIALS[spec.category]))
    noun = PATTERN_PHRASE[spec.pattern] + spec.garment
    printed = " with a print at the front," if spec.pattern == "printed" else ""
    value_id, value = _perceived_value(colour.rgb)
    master_id, master = _perceived_master(colour.hm_colour_group)
    return {
        "article_id": spec.article_id,
        "product_code": spec.article_id[:7],
        "prod_name": f"{name} {spec.garment}",
        "product_type_no": type_number,
        "product_type_name": product_type_of(spec.garment),
        "product_group_name": category.product_group,
        "graphical_appearance_no": 1_010_001 + list(PATTERNS).index(spec.pattern),
        "graphical_appearance_name": PATTERNS[spec.pattern],
        "colour_group_code": 1 + list(COLOUR_BY_WORD).index(colour.word),
        "colour_group_name": colour.hm_colour_group,
        "perceived_colour_value_id": value_id,
        "perceived_colour_value_name": value,
        "perceived_colour_master_id": master_id,
        "perceived_colour_master_name": master,
        "department_no": 1000 + 10 * group_no + CATEGORIES.index(category),
        "department_name": f"{group_name} {category.title}",
        "index_code": index_code,
        "index_name": index_name,
        "index_group_no": group_no,
        "index_group_name": group_name,
        "section_no": 10 * group_no + CATEGORIES.index(category),
        "section_name": f"{group_name} Everyday",
        "garment_group_no": 1001 + CATEGORIES.index(category),
        "garment_group_name": category.title,
        "detail_desc": f"{noun[:1].upper()}{noun[1:]} in {material},{printed} with {cut}. {spec.caption.capitalize()}.",
    }


def _perceived_value(rgb: tuple[int, int, int]) -> tuple[int, str]:
    lightness = (0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]) / 255
    if max(rgb) - min(rgb) > 130:
        return 5, "Bright"
    if lightness < 0.3:
        return 4, "Dark"
    if lightness < 0.6:
        return 2, "Medium Dusty"
    return (1, "Dusty Light") if lightness < 0.8 else (3, "Light")


def _perceived_master(colour_group: str) -> tuple[int, str]:
    special = {"Greenish Khaki": "Khaki green", "Bronze/Copper": "Brown", "Purple": "Lilac Purple"}
    name = special.get(colour_group, colour_group.rpartition(" ")[2])
    name = special.get(name, name)  # also "Light Purple", of which only "Purple" is left
    masters = (
        "Black", "Blue", "White", "Pink", "Grey", "Red", "Beige", "Green", "Khaki green", "Yellow", "Orange", "Brown",
        "Lilac Purple", "Turquoise",
    )  # fmt: skip
    return masters.index(name) + 1, name
