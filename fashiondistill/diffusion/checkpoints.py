"""Weight folders that can be trusted: SHA-256 of every file, checked before anything is loaded.

In: a folder in diffusers' layout. Out: manifest.json, or an error that names the first bad file. Only safetensors and
JSON text are listed; a folder with pickled weights is refused. Knows nothing of models.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

MANIFEST = "manifest.json"
UNLISTED = (MANIFEST, "README.md", "figures.json")  # the card and its figures may change without the weights
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def write_manifest(folder: Path) -> None:
    """Write manifest.json: SHA-256 and size in bytes of every file below `folder` but the model card."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in UNLISTED)
    entries = {
        path.relative_to(folder).as_posix(): {"sha256": _digest(path), "bytes": path.stat().st_size} for path in files
    }
    (folder / MANIFEST).write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")


def verify(folder: Path) -> str:
    """Check every file of the manifest and return a short id of the whole (12 hex digits).

    A folder without a manifest (one made by `save_pretrained`) is accepted and gets the id "unlisted".

    Raises:
        FileNotFoundError: if the folder, model_index.json or a listed file is missing.
        ValueError: if a file is not what the manifest says, or weights are pickled.
    """
    if not (folder / "model_index.json").is_file():
        raise FileNotFoundError(
            f"model: {folder} holds no model_index.json. Give a folder written by save_pretrained, or leave --model out"
            " to use the bundled one."
        )
    pickled = [path.name for path in folder.rglob("*") if path.suffix in PICKLED]
    if pickled:
        raise ValueError(f"model: {folder} holds pickled weights ({pickled[0]}). Convert them to safetensors first.")
    path = folder / MANIFEST
    if not path.is_file():
        return "unlisted"
    text = path.read_text(encoding="utf-8")
    for name, entry in json.loads(text).items():
        file = folder / name
        if not file.is_file():
            raise FileNotFoundError(f"model: {file} is missing. Restore it, for example with git checkout.")
        if file.stat().st_size != entry["bytes"] or _digest(file) != entry["sha256"]:
            raise ValueError(f"model: {file} is damaged (its SHA-256 is not the manifest's). Restore the file.")
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _digest(path: Path) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
