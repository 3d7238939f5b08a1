"""A folder of predicted pictures as published: which words and which references belong to each.

In: pictures named {id}_pred_{n}.jpg in folders of their category, captions_used.txt, references named {id}_{ref}.jpg.
Out: `Entry`s, and what belongs to nothing, with the reason. No picture is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tiff", ".webp")
_PREDICTION = re.compile(r"(?P<id>.+)_pred_\d+")
_ENTRY = re.compile(r"^Image: (?P<name>.+?)\s*$", re.MULTILINE)
_PROMPT = re.compile(r"^Final Generation Prompt: ?(?P<prompt>.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """A picture with its words and references; `category` is its folder's name."""

    path: Path
    category: str
    caption: str
    references: tuple[Path, ...]

    @property
    def group(self) -> str:
        """Pictures of one article are no independent samples; intervals draw them together."""
        match = _PREDICTION.fullmatch(self.path.stem)
        return match["id"] if match else self.path.stem


def read_captions(path: Path) -> dict[str, str]:
    """File name -> prompt, of a captions_used.txt.

    Raises:
        FileNotFoundError, ValueError: if there is no such file, or no entry in it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"--captions_file {path} does not exist. Give the predictions' captions_used.txt.")
    text = path.read_text(encoding="utf-8", errors="replace")
    entries = list(_ENTRY.finditer(text))
    ends = [entry.start() for entry in entries[1:]] + [len(text)]
    found = {}
    for entry, end in zip(entries, ends, strict=False):  # without an entry there is one end more
        prompt = _PROMPT.search(text, entry.end(), end)
        if prompt and prompt["prompt"]:
            found[entry["name"]] = prompt["prompt"]
    if not found:
        raise ValueError(f"--captions_file {path} holds no 'Image:' entry with a 'Final Generation Prompt:'.")
    return found


def find_entries(
    root: Path, captions_file: Path, reference_dir: Path | None
) -> tuple[list[Entry], list[tuple[Path, str]]]:
    """Pictures that can be scored, and those that cannot, with the reason.

    Raises:
        FileNotFoundError, ValueError: naming the flag whose path does not exist or holds nothing.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"--input_dir {root} does not exist. Give the folder of the predictions.")
    references = _references(reference_dir) if reference_dir is not None else None
    captions = read_captions(captions_file)
    entries, failed = [], []
    for path in sorted(p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES):
        match = _PREDICTION.fullmatch(path.stem)
        own = ()
        if references is not None:
            own = references.get((path.parent.name, match["id"]), ()) if match else ()
        caption = captions.get(path.name) or captions.get(f"{path.stem}.jpg")
        if caption is None:
            failed.append((path, "no entry in the captions file"))
        elif references is not None and not own:
            failed.append((path, "no reference of its own: {id}_{ref} in the folder of its category"))
        else:
            entries.append(Entry(path, path.parent.name, caption, own))
    return entries, failed


def _references(root: Path) -> dict[tuple[str, str], tuple[Path, ...]]:
    """(category, article id) -> its references, by {id}_{ref}."""
    if not root.is_dir():
        raise FileNotFoundError(f"--reference_dir {root} does not exist. Give ref_image/, or leave the flag out.")
    found: dict[tuple[str, str], tuple[Path, ...]] = {}
    for path in sorted(p for p in root.rglob("*") if p.suffix.lower() in SUFFIXES):
        article_id, _, reference = path.stem.rpartition("_")
        if article_id and reference:
            key = (path.parent.name, article_id)
            found[key] = (*found.get(key, ()), path)
    return found
