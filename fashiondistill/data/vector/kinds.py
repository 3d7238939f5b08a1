"""Every kind of garment that is drawn: its category, its traits, and the cloths and patterns that exist for it.

The noun is the key. A trait's value is what the builder reads and, if the kind says so, what the caption says. Knows
nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from fashiondistill.data.vector import (
    accessories,
    bags,
    bottoms,
    bras,
    dresses,
    hats,
    jewellery,
    outerwear,
    shoes,
    shoes_side,
    skirts,
    small_bags,
    straps,
    tops,
    underwear,
)
from fashiondistill.data.vector.figure import Figure
from fashiondistill.data.vector.patterns import CHECKS, PRINTS, STRIPES

Traits = Mapping[str, str]
PLAIN_ONLY = ("plain",)
CLOTH_PRINTS = tuple(PRINTS)
SOFT_PRINTS = tuple(name for name in PRINTS if PRINTS[name].pattern != "printed")  # all but front prints
WOVEN_IN = ("plain", *STRIPES, *CHECKS)
# Cloths that are not printed; knits have stripes worked in.
PRINTS_OF_MATERIAL: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("leather", "patent leather", "suede", "lace", "corduroy", "tweed", "cable knit", "straw", "denim", "mesh"),
        PLAIN_ONLY
    ),
    "chunky knit": ("plain", "wide horizontal stripes", "narrow horizontal stripes", "colour block"),
    "fine knit": ("plain", "wide horizontal stripes", "narrow horizontal stripes", "colour block", "windowpane check"),
    "ribbed knit": ("plain", "wide horizontal stripes", "colour block"),
    "wool": WOVEN_IN,
    "fleece": ("plain", "colour block", "letter print", "graphic print", "chest logo", "camouflage"),
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of garment.

    Attributes:
        category: folder of `categories.CATEGORIES`.
        build: makes its outlines.
        materials, prints: what it is made of; keys of `textures.MATERIALS` and `patterns.PRINTS`.
        traits: name -> values to choose from; "" says nothing and builds the usual.
        fixed: traits that every piece has.
        said: traits that the caption tells, in this order.
    """

    category: str
    build: Callable[[Traits, np.random.Generator], Figure]
    materials: tuple[str, ...]
    prints: tuple[str, ...] = SOFT_PRINTS
    traits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """The words of `attributes.PATTERNS` that exist for the kind."""
        return tuple(dict.fromkeys(PRINTS[name].pattern for name in self.prints))


FITS = ("slim fit", "regular fit", "regular fit", "oversized")
TOP, LOW, FULL, SHOE, ACC, UNDER = "top5gub", "top5glb", "top5gfb", "top5shoe", "top5acc", "top5underwear"
_TOP_SAID = ("neck", "sleeve", "fit", "length", "closure", "pocket")
_LOW_SAID = ("leg", "shape", "length", "waist", "hem")
_DRESS_SAID = ("shape", "neck", "sleeve", "length", "waist", "leg", "closure")
_JERSEYS = ("jersey", "jersey", "cotton", "ribbed knit")
_WOVEN = ("cotton", "linen", "satin")

KINDS: dict[str, Kind] = {
    "t-shirt": Kind(TOP, tops.simple_top, _JERSEYS, CLOTH_PRINTS, {
        "neck": ("crew neck", "crew neck", "v-neck", "scoop neck", "boat neck"), "sleeve": ("short sleeves",),
        "fit": FITS,
        "length": ("", "", "", "cropped", "long"), "pocket": ("", "", "", "chest pocket")}, said=_TOP_SAID),
    "long-sleeved top": Kind(TOP, tops.simple_top, _JERSEYS, CLOTH_PRINTS, {
        "neck": ("crew neck", "v-neck", "scoop neck", "boat neck", "turtleneck", "mock neck"),
        "sleeve": ("long sleeves", "long sleeves", "three-quarter sleeves"), "fit": FITS, "length": ("", "",
        "cropped")},
        said=_TOP_SAID),
    "sweater": Kind(TOP, tops.simple_top, ("chunky knit", "fine knit", "cable knit", "wool", "ribbed knit"), WOVEN_IN, {
        "neck": ("crew neck", "v-neck", "turtleneck", "boat neck"), "sleeve": ("long sleeves",), "fit": FITS,
        "length": ("", "", "cropped")}, {"style": "knit"}, _TOP_SAID),
    "cardigan": Kind(TOP, tops.cardigan, ("fine knit", "chunky knit", "wool", "ribbed knit"), WOVEN_IN, {
        "sleeve": ("long sleeves",), "fit": FITS, "length": ("", "", "cropped"), "pocket": ("", "pockets")},
        {"neck": "v-neck"}, ("neck", "sleeve", "fit", "length", "pocket")),
    "shirt": Kind(TOP, tops.shirt, ("cotton", "cotton", "linen", "denim", "corduroy"), SOFT_PRINTS, {
        "sleeve": ("long sleeves", "long sleeves", "short sleeves"), "fit": FITS,
        "pocket": ("", "chest pocket", "two chest pockets")}, {"neck": "collar"}, _TOP_SAID),
    "polo shirt": Kind(TOP, tops.polo, ("pique", "jersey"), CLOTH_PRINTS, {
        "sleeve": ("short sleeves",), "fit": FITS}, {"neck": "polo collar"}, _TOP_SAID),
    "tank top": Kind(TOP, tops.simple_top, _JERSEYS, CLOTH_PRINTS, {
        "neck": ("scoop neck", "crew neck", "v-neck"), "sleeve": ("sleeveless",), "fit": FITS, "length": ("",
        "cropped")},
        said=_TOP_SAID),
    "blouse": Kind(TOP, tops.simple_top, ("satin", "cotton", "linen"), SOFT_PRINTS, {
        "neck": ("v-neck", "boat neck", "square neck", "crew neck"),
        "sleeve": ("long sleeves", "three-quarter sleeves", "short sleeves"), "fit": FITS}, {"style": "blouse"},
        _TOP_SAID),
    "top": Kind(TOP, straps.camisole_top, ("satin", "jersey", "cotton"), SOFT_PRINTS, {
        "neck": ("v-neck", "scoop neck", "square neck"), "fit": FITS, "length": ("", "cropped")},
        {"sleeve": "thin straps"},
        _TOP_SAID),
    "hoodie": Kind(TOP, tops.hoodie, ("fleece", "jersey"), CLOTH_PRINTS, {
        "fit": FITS, "closure": ("none", "zip"), "length": ("", "", "cropped")}, {"neck": "hood",
        "sleeve": "long sleeves"}, _TOP_SAID),
    "blazer": Kind(TOP, outerwear.blazer, ("wool", "linen", "cotton", "tweed", "corduroy"), WOVEN_IN, {
        "fit": FITS, "closure": ("single-breasted", "single-breasted", "double-breasted")},
        {"neck": "lapels", "sleeve": "long sleeves"}, _TOP_SAID),
    "coat": Kind(TOP, outerwear.blazer, ("wool", "wool", "tweed", "cotton"), WOVEN_IN, {
        "fit": ("regular fit", "oversized"), "closure": ("single-breasted", "double-breasted"),
        "length": ("knee length", "long")},
        {"neck": "lapels", "sleeve": "long sleeves"}, _TOP_SAID),
    "jacket": Kind(TOP, outerwear.jacket, ("nylon", "cotton", "leather", "suede"), ("plain", "colour block",
        "camouflage", "chest logo"), {
        "style": ("bomber", "biker", "parka", "puffer"), "neck": ("stand-up collar", "collar", "hood"),
        "fit": ("slim fit", "regular fit", "oversized")}, {"sleeve": "long sleeves", "closure": "zip"}, ("style",
        "neck", "fit", "closure")),
    "denim jacket": Kind(TOP, outerwear.jacket, ("denim",), PLAIN_ONLY, {"fit": FITS},
        {"style": "denim", "neck": "collar", "sleeve": "long sleeves", "closure": "buttons"}, ("neck", "fit",
        "closure")),
    "jeans": Kind(LOW, bottoms.trousers, ("denim",), PLAIN_ONLY, {
        "leg": ("skinny", "slim", "straight", "wide", "flared", "tapered"), "length": ("", "", "", "cropped"),
        "waist": ("", "high waist"), "hem": ("", "", "turned up")}, {"style": "jeans"}, _LOW_SAID),
    "trousers": Kind(LOW, bottoms.trousers, ("cotton", "wool", "linen", "corduroy", "satin"), SOFT_PRINTS, {
        "style": ("chinos", "tailored", "tailored", "cargo", "elastic"), "leg": ("slim", "straight", "wide",
        "tapered", "flared"),
        "length": ("", "", "cropped"), "waist": ("", "high waist")}, said=("style", *_LOW_SAID)),
    "joggers": Kind(LOW, bottoms.trousers, ("fleece", "jersey", "nylon"), ("plain", "camouflage", "chest logo"), {
        "leg": ("tapered", "straight"), "hem": ("ribbed cuffs", "")}, {"style": "sweat", "waist": "drawstring"},
        _LOW_SAID),
    "leggings": Kind(LOW, bottoms.trousers, ("jersey",), SOFT_PRINTS, {
        "length": ("", "cropped"), "waist": ("", "high waist")}, {"style": "leggings", "leg": "skinny"}, _LOW_SAID),
    "shorts": Kind(LOW, bottoms.trousers, ("cotton", "linen", "jersey", "nylon"), SOFT_PRINTS, {
        "style": ("chinos", "sweat", "elastic"), "leg": ("slim", "straight", "wide"),
        "length": ("short", "mid-thigh", "knee length"), "hem": ("", "", "turned up")}, said=("leg", "length", "hem")),
    "denim shorts": Kind(LOW, bottoms.trousers, ("denim",), PLAIN_ONLY, {
        "leg": ("slim", "straight", "wide"), "length": ("short", "mid-thigh"), "hem": ("", "turned up"),
        "waist": ("", "high waist")},
        {"style": "jeans"}, ("length", "waist", "hem")),
    "skirt": Kind(LOW, skirts.skirt, (*_WOVEN, "jersey", "wool", "leather", "denim", "tweed", "corduroy"),
        SOFT_PRINTS, {
        "shape": ("pencil", "straight", "a-line", "flared", "pleated", "gathered", "tiered", "button front"),
        "length": ("short", "knee length", "midi length", "long")}, said=_LOW_SAID),
    "dress": Kind(FULL, dresses.dress, (*_WOVEN, "jersey", "ribbed knit", "lace", "denim"), SOFT_PRINTS, {
        "shape": ("shift", "bodycon", "a-line", "flared", "pleated", "gathered", "tiered"),
        "neck": ("crew neck", "v-neck", "scoop neck", "square neck", "boat neck", "turtleneck"),
        "sleeve": ("sleeveless", "thin straps", "short sleeves", "long sleeves", "three-quarter sleeves"),
        "length": ("short", "knee length", "midi length", "long"), "waist": ("", "", "tie belt")}, said=_DRESS_SAID),
    "shirt dress": Kind(FULL, dresses.dress, ("cotton", "linen", "denim", "corduroy"), SOFT_PRINTS, {
        "sleeve": ("short sleeves", "long sleeves"), "length": ("short", "knee length", "midi length"), "waist": ("",
        "tie belt")},
        {"shape": "shirt dress", "neck": "collar"}, ("neck", "sleeve", "length", "waist")),
    "jumpsuit": Kind(FULL, dresses.jumpsuit, ("cotton", "linen", "satin", "denim"), SOFT_PRINTS, {
        "leg": ("straight", "wide", "tapered", "flared"), "neck": ("v-neck", "crew neck", "square neck"),
        "sleeve": ("sleeveless", "short sleeves", "long sleeves", "thin straps"), "length": ("", "", "cropped"),
        "closure": ("", "zip")},
        said=_DRESS_SAID),
    "shoes": Kind(SHOE, shoes.above, ("leather", "suede", "canvas"), ("plain", "floral print", "leopard print",
        "polka dots"), {
        "style": ("ballet flats", "loafers", "sneakers", "sandals")}, said=("style",)),
    "sneakers": Kind(SHOE, shoes.above, ("canvas", "mesh", "leather", "suede"), ("plain", "camouflage",
        "leopard print", "gingham"), {
        "laces": ("", "coloured laces")}, {"style": "sneakers"}, ("laces",)),
    "trainers": Kind(SHOE, shoes_side.from_side, ("canvas", "mesh", "leather", "suede"), ("plain", "camouflage",
        "leopard print"), {
        "style": ("sneakers", "high-top sneakers")}, said=("style",)),
    "boots": Kind(SHOE, shoes_side.from_side, ("leather", "suede", "patent leather"), PLAIN_ONLY, {
        "style": ("ankle boots", "lace-up boots", "tall boots")}, said=("style",)),
    "heels": Kind(SHOE, shoes_side.from_side, ("leather", "suede", "patent leather", "satin"), ("plain",
        "leopard print", "polka dots"), {
        "style": ("pumps", "heeled sandals")}, said=("style",)),
    "ballet flats": Kind(SHOE, shoes.above, ("leather", "suede", "satin"), ("plain", "leopard print", "polka dots",
        "floral print"),
        fixed={"style": "ballet flats"}),
    "loafers": Kind(SHOE, shoes.above, ("leather", "suede", "patent leather"), PLAIN_ONLY, fixed={"style": "loafers"}),
    "sandals": Kind(SHOE, shoes.above, ("leather", "suede", "satin"), ("plain", "leopard print"),
        fixed={"style": "sandals"}),
    "flip-flops": Kind(SHOE, shoes.above, ("nylon",), ("plain", "wide vertical stripes", "floral print"),
        fixed={"style": "flip-flops"}),
    "clogs": Kind(SHOE, shoes.above, ("nylon", "suede"), PLAIN_ONLY, fixed={"style": "clogs"}),
    "cap": Kind(ACC, hats.cap, ("cotton", "canvas", "denim", "corduroy", "wool"), ("plain", "camouflage",
        "letter print", "colour block")),
    "beanie": Kind(ACC, hats.beanie, ("chunky knit", "fine knit", "ribbed knit"), ("plain",
        "wide horizontal stripes", "colour block"), {
        "top": ("", "", "pompom")}, said=("top",)),
    "bucket hat": Kind(ACC, hats.bucket, ("cotton", "canvas", "denim", "corduroy"), SOFT_PRINTS),
    "brimmed hat": Kind(ACC, hats.brimmed, ("wool", "straw", "suede"), PLAIN_ONLY),
    "beret": Kind(ACC, hats.beret, ("wool", "leather"), ("plain", "tartan")),
    "handbag": Kind(ACC, bags.handbag, ("leather", "suede", "patent leather", "canvas"), ("plain", "tartan",
        "large check", "leopard print", "geometric print")),
    "tote bag": Kind(ACC, bags.tote, ("canvas", "cotton", "leather", "denim"), CLOTH_PRINTS),
    "shoulder bag": Kind(ACC, small_bags.shoulder_bag, ("leather", "suede", "patent leather", "satin"), PLAIN_ONLY, {
        "strap": ("", "chain strap"), "finish": ("", "quilted")}, said=("finish", "strap")),
    "backpack": Kind(ACC, bags.backpack, ("nylon", "canvas", "leather"), ("plain", "camouflage", "floral print",
        "polka dots", "geometric print")),
    "clutch": Kind(ACC, small_bags.clutch, ("satin", "leather", "suede", "patent leather"), ("plain",
        "leopard print", "floral print")),
    "scarf": Kind(ACC, accessories.scarf, ("wool", "fine knit", "chunky knit"), WOVEN_IN, {
        "edge": ("fringes", "fringes", "")}, {"style": "long"}, ("edge",)),
    "silk scarf": Kind(ACC, accessories.scarf, ("satin",), SOFT_PRINTS, fixed={"style": "square"}),
    "belt": Kind(ACC, accessories.belt, ("leather", "suede", "patent leather"), PLAIN_ONLY, {"width": ("", "wide",
        "thin")}, said=("width",)),
    "necklace": Kind(ACC, jewellery.necklace, ("enamel",), PLAIN_ONLY, {"style": ("beads", "pendant")},
        said=("style",)),
    "earrings": Kind(ACC, jewellery.earrings, ("enamel",), PLAIN_ONLY, {
        "style": ("hoops", "drops", "long drops")}, said=("style",)),
    "bracelet": Kind(ACC, jewellery.bracelet, ("enamel",), PLAIN_ONLY, {"style": ("beads", "bangle")}, said=("style",)),
    "tie": Kind(ACC, accessories.tie, ("satin", "wool"), ("plain", "narrow horizontal stripes",
        "wide horizontal stripes", "polka dots", "tartan", "geometric print")),
    "gloves": Kind(ACC, accessories.gloves, ("leather", "fine knit", "chunky knit", "wool"), ("plain",
        "wide horizontal stripes"), {
        "style": ("gloves", "mittens")}, said=("style",)),
    "sunglasses": Kind(ACC, accessories.sunglasses, ("enamel",), PLAIN_ONLY),
    "briefs": Kind(UNDER, underwear.briefs, ("jersey", "satin", "lace", "ribbed knit"), SOFT_PRINTS, {
        "style": ("classic", "high-waisted", "brazilian", "thong"), "trim": ("", "", "lace trim")}, said=("style",
        "trim")),
    "boxer shorts": Kind(UNDER, underwear.boxers, ("jersey", "cotton"), SOFT_PRINTS, {"fit": ("close fit",
        "loose fit")}, said=("fit",)),
    "bra": Kind(UNDER, bras.bra, ("satin", "jersey", "lace"), SOFT_PRINTS, {
        "style": ("underwired", "triangle", "balconette"), "trim": ("", "", "lace trim")}, said=("style", "trim")),
    "sports bra": Kind(UNDER, bras.bra, ("jersey", "ribbed knit"), CLOTH_PRINTS, fixed={"style": "sports"}),
    "camisole": Kind(UNDER, underwear.camisole, ("satin", "jersey", "lace"), SOFT_PRINTS, {
        "neck": ("v-neck", "scoop neck"), "trim": ("", "lace trim")}, {"sleeve": "thin straps"}, ("neck", "sleeve",
        "trim")),
    "bodysuit": Kind(UNDER, underwear.bodysuit, ("jersey", "lace", "satin", "ribbed knit"), SOFT_PRINTS, {
        "neck": ("v-neck", "scoop neck"), "trim": ("", "lace trim")}, said=("neck", "trim")),
}  # fmt: skip

PHRASES = {  # (trait, value) whose phrase is not the value itself
    ("closure", "none"): "", ("closure", "zip"): "zip front", ("style", "elastic"): "elastic waist", ("style",
        "tailored"): "pressed creases",
    ("style", "cargo"): "cargo pockets", ("style", "gloves"): "", ("neck", "hood"): "hooded", ("top",
        "pompom"): "pompom",
    ("style", "classic"): "classic briefs", ("style", "high-waisted"): "high waist",
}  # fmt: skip


def phrase(trait: str, value: str) -> str:
    """What a caption says of a trait; "" = nothing."""
    if (trait, value) in PHRASES:
        return PHRASES[trait, value]
    return f"{value} leg" if trait == "leg" else value
