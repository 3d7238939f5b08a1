"""The six garment categories, as the published data set names their folders.

In: a folder name, an H&M product group or a photo label. Out: a `Category`. Knows nothing of pictures.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    """A garment category.

    Attributes:
        folder: name in the published data set, for example "top5gub".
        product_group: H&M's product_group_name; the two map one to one.
        title: what a designer reads.
    """

    folder: str
    product_group: str
    title: str


CATEGORIES: tuple[Category, ...] = (
    Category("top5gub", "Garment Upper body", "Upper body"),
    Category("top5glb", "Garment Lower body", "Lower body"),
    Category("top5gfb", "Garment Full body", "Full body"),
    Category("top5shoe", "Shoes", "Shoes"),
    Category("top5acc", "Accessories", "Accessories"),
    Category("top5underwear", "Underwear", "Underwear"),
)
_BY_FOLDER = {category.folder: category for category in CATEGORIES}
CATEGORY_OF_GROUP = {category.product_group: category for category in CATEGORIES}
HOSIERY_GROUP = "Socks and Tights"  # garment group of the nylon tights that H&M files under "Garment Lower body"

# Labels of the CC0 photo set (alexeygrigorev/clothing-dataset) -> folder and the noun of the caption.
PHOTO_LABELS: dict[str, tuple[str, str]] = {
    "T-Shirt": ("top5gub", "t-shirt"),
    "Longsleeve": ("top5gub", "long-sleeved top"),
    "Shirt": ("top5gub", "shirt"),
    "Outwear": ("top5gub", "jacket"),
    "Polo": ("top5gub", "polo shirt"),
    "Undershirt": ("top5gub", "tank top"),
    "Blazer": ("top5gub", "blazer"),
    "Hoodie": ("top5gub", "hoodie"),
    "Top": ("top5gub", "top"),
    "Blouse": ("top5gub", "blouse"),
    "Pants": ("top5glb", "trousers"),
    "Shorts": ("top5glb", "shorts"),
    "Skirt": ("top5glb", "skirt"),
    "Dress": ("top5gfb", "dress"),
    "Body": ("top5gfb", "bodysuit"),
    "Shoes": ("top5shoe", "shoes"),
    "Hat": ("top5acc", "hat"),
}


def get_category(folder: str) -> Category:
    """The category whose folder is `folder`.

    Raises:
        ValueError: for any other name; the message lists the six.
    """
    if folder not in _BY_FOLDER:
        names = ", ".join(f"{category.folder} ({category.title})" for category in CATEGORIES)
        raise ValueError(f"category {folder!r} is unknown: choose one of {names}.")
    return _BY_FOLDER[folder]
