"""Weight folders that can be trusted: SHA-256 of every file, checked before anything is loaded.

In: a folder in diffusers' layout. Out: manifest.json, or an error that names the first bad file. Only safetensors and
JSON text are listed; a folder with pickled weights is refused. Knows nothing of models.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from fashiondistill.diffusion.defaults import INDEX
from fashiondistill.modelcard import FIGURES_FILE

MANIFEST = "manifest.json"
UNLISTED = (MANIFEST, "README.md", FIGURES_FILE)  # the card and its figures may change without the weights
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


def write_manifest(folder: Path) -> None:
    """Write manifest.json: SHA-256 and size in bytes of every file below `folder` but the model card."""
    (folder / MANIFEST).write_text(_listing(folder), encoding="utf-8")


def _listing(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in UNLISTED)
    entries = {
        path.relative_to(folder).as_posix(): {"sha256": _digest(path), "bytes": path.stat().st_size} for path in files
    }
    return json.dumps(entries, indent=1) + "\n"


def verify(folder: Path) -> str:
    """Check every file of the manifest and return a short id of the whole (12 hex digits).

    A folder without a manifest (one made by `save_pretrained`) gets the id "unlisted"; its files must at least be whole
    enough to be opened.

    Raises:
        FileNotFoundError: if the folder, model_index.json, a part of the pipeline or a listed file is missing.
        ValueError: if a file is not what the manifest says or cannot be read, or weights are pickled.
    """
    if not (folder / INDEX).is_file():
        raise FileNotFoundError(
            f"model: {folder} holds no model_index.json. Give a folder written by save_pretrained, or leave --model out"
            " to use the bundled one."
        )
    pickled = [path.name for path in folder.rglob("*") if path.suffix in PICKLED]
    if pickled:
        raise ValueError(f"model: {folder} holds pickled weights ({pickled[0]}). Convert them to safetensors first.")
    path = folder / MANIFEST
    if not path.is_file():
        _check_readable(folder)
        return "unlisted"
    for name, entry in _read_json(path).items():
        file = folder / name
        if not file.is_file():
            raise FileNotFoundError(f"model: {file} is missing. Restore it, for example with git checkout.")
        if {"bytes": file.stat().st_size, "sha256": _digest(file)} != entry:
            raise ValueError(f"model: {file} is damaged (its SHA-256 is not the manifest's). Restore the file.")
    return _digest(path)[:12]


def weights_id(folder: Path) -> str:
    """`verify`'s id, without checking; of a folder without a manifest the id that one would have (12 hex digits)."""
    path = folder / MANIFEST
    return _digest(path)[:12] if path.is_file() else hashlib.sha256(_listing(folder).encode()).hexdigest()[:12]


def _check_readable(folder: Path) -> None:
    """Name what is missing or cut off; loading itself would name no file, or make up an empty tokenizer."""
    index = _read_json(folder / INDEX)
    needed = [folder / name for name, value in index.items() if isinstance(value, list) and value[0]]
    needed += [path / "tokenizer.json" for path in folder.rglob("tokenizer") if path.is_dir()]
    for path in needed:
        if not path.exists():
            raise FileNotFoundError(f"model: {path} is missing. Restore it, or give another --model.")
    for path in sorted(folder.rglob("*.json")):
        _read_json(path)
    for path in sorted(folder.rglob("*.safetensors")):
        try:
            with safe_open(path, framework="numpy"):
                pass
        except SafetensorError as error:
            raise ValueError(f"model: {path} is damaged ({error}). Restore the file.") from error


def _read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"model: {path} is damaged ({error}). Restore the file.") from error


def _digest(path: Path) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
