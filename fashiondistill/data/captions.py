"""An article's row of H&M's articles.csv -> the three strings of its caption; those strings -> the text that trains.

In: a mapping with H&M's column names, or the three strings of a published captions.json. Out: [style sentence, colour
and pattern, garment], and one text of at most 77 CLIP tokens. It describes the product, not the picture, and says only
what the shop wrote: no model is asked. Knows nothing of pictures or weeks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fashiondistill.data.tokens import MAX_TOKENS, CountTokens, count_clip_tokens

NEEDED_COLUMNS = (
    "detail_desc", "colour_group_name", "graphical_appearance_name", "product_type_name", "product_group_name",
)  # fmt: skip
SAYS_NOTHING = ("", "solid", "unknown", "other", "undefined")
# A full stop after one of these ends no sentence.
_ABBREVIATIONS = ("approx", "e.g", "i.e", "incl", "excl", "max", "min", "no", "nos", "vs", "st", "ca", "circ", "resp")
_SENTENCE_END = re.compile(r"[.!?]+[\"')\]]*(?=\s+[^\sa-z])|[.!?]+[\"')\]]*\s*$|[\r\n]+")
_LOOSE_END = re.compile(r"(?:[\s,;:&(/-]|\b(?:and|or|with|at|in|of|on|to|for|the|a|an|by|from))+$", re.IGNORECASE)


def article_caption(
    row: Mapping[str, object], *, style: str | None = None, count_tokens: CountTokens = count_clip_tokens
) -> list[str]:
    """The three strings of a caption, in the published order.

    Args:
        row: an article with `NEEDED_COLUMNS`; others are not looked at. None, NaN and "" mean that nothing is known.
        style: a sentence that replaces the shop's description, for example from a captioning model.
        count_tokens: of the text encoder that will read the caption.

    Returns:
        [first sentence of detail_desc, colour and pattern, product type]. Without a description the first string is
        the product type alone. What says nothing (Solid, Unknown, Other) is left out, so the second may be "".
        `caption_text` of the three fits into 77 tokens; a description that is too long loses words at its end.

    Raises:
        ValueError: naming the column that the row lacks.
    """
    missing = [name for name in NEEDED_COLUMNS if name not in row]
    if missing:
        raise ValueError(f"article row lacks column {', '.join(missing)}: a caption needs {', '.join(NEEDED_COLUMNS)}.")
    garment = _sentence(_garment(row))
    words = [_plain_word(row[name]) for name in ("colour_group_name", "graphical_appearance_name")]
    looks = _sentence(", ".join(word for word in words if word))
    description = first_sentence(_text(row["detail_desc"])) if style is None else " ".join(style.split())
    return fit_caption([_sentence(description) or garment, looks, garment], count_tokens=count_tokens)


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence (not "approx. 30 cm"), or the first line; "" of "".

    White space becomes single spaces.
    """
    for match in _SENTENCE_END.finditer(text.strip()):
        before = text.strip()[: match.end()]
        last_word = before.rstrip(".!?\"')] \r\n").rpartition(" ")[2].lower().lstrip("(")
        if match[0].startswith(".") and last_word in _ABBREVIATIONS and match.end() < len(text.strip()):
            continue
        if before.strip():
            return " ".join(before.split())
    return " ".join(text.split())


def caption_text(parts: Sequence[str]) -> str:
    """The parts as one text: "Jersey top. Dark blue, stripe. Top."; none empty, none twice, no ".." between them.

    One part alone gets no stop that it has not: the starter's own words, "navy plain t-shirt", have none.
    """
    kept: dict[str, str] = {}
    ended = False
    for part in parts:
        words = " ".join(part.split()).rstrip(" .")
        if words:
            kept.setdefault(words.lower(), words)
            ended = ended or part.rstrip().endswith(".")
    if len(kept) == 1 and not ended:
        return next(iter(kept.values()))
    sentences = [words if words.endswith(("!", "?")) else f"{words}." for words in kept.values()]
    return " ".join(sentences)


def fit_caption(
    parts: Sequence[str], *, limit: int = MAX_TOKENS, count_tokens: CountTokens = count_clip_tokens
) -> list[str]:
    """The parts, shortened until `caption_text` of them has at most `limit` tokens.

    Whole words are taken from the end of the first part, then of the second and so on: what the garment is stands last
    and stays longest. Parts that fit come back as they are.
    """
    fitted = list(parts)
    for number, part in enumerate(fitted):
        if count_tokens(caption_text(fitted)) <= limit:
            break
        words = part.split()
        low, high = 0, len(words)  # the text fits with `low` words of this part, or with none of them
        while high - low > 1:
            middle = (low + high) // 2
            fitted[number] = _shortened(words[:middle])
            low, high = (middle, high) if count_tokens(caption_text(fitted)) <= limit else (low, middle)
        fitted[number] = _shortened(words[:low])
    return fitted


def _shortened(words: list[str]) -> str:
    return _sentence(_LOOSE_END.sub("", " ".join(words)))


def _garment(row: Mapping[str, object]) -> str:
    """H&M's product type in plain words: "Hat/beanie" -> "hat", "Other shoe" -> "shoe"; else the group's name."""
    word = _plain_word(row["product_type_name"]).partition("/")[0].strip()
    if word:
        return word
    group = _plain_word(row["product_group_name"])
    return f"{group.removeprefix('garment ')} garment" if group.startswith("garment ") else group


def _plain_word(value: object) -> str:
    """Lower case; "" if it says nothing, and without a leading "Other" ("Other blue" is a blue)."""
    word = " ".join(_text(value).lower().split())
    return "" if word in SAYS_NOTHING else word.removeprefix("other ")


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value).strip()  # NaN is what pandas makes of an empty field


def _sentence(words: str) -> str:
    if not words:
        return ""
    ended = words if words.endswith((".", "!", "?")) else f"{words}."
    return ended[:1].upper() + ended[1:]
