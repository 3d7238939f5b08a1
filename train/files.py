"""Files that are whole or not there: written beside their place, forced to disk, then renamed.

In: tensors or text. Out: files; a full disk is an OSError that names the file and the bytes that it needs. Knows
nothing of what is saved.
"""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file


def save_tensors(path: Path, tensors: dict[str, torch.Tensor], key: str) -> None:
    """Write a safetensors file whose metadata hold `key`.

    Raises:
        OSError: if the disk is full; what was written is taken away again.
    """
    own = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    size = sum(tensor.numel() * tensor.element_size() for tensor in own.values())
    try:
        save_file(own, part, metadata={"key": key})
        sync(part)
        os.replace(part, path)
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        raise disk_error(error, path, size) from error


def save_text(path: Path, text: str) -> None:
    """Write UTF-8 text.

    Raises:
        OSError: if the disk is full; what was written is taken away again.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        sync(part)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise disk_error(error, path, len(text)) from error


def read_tensors(path: Path, key: str) -> dict[str, torch.Tensor] | None:
    """Tensors of a file; None if there is none, or it is damaged or carries another key."""
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as handle:
            if (handle.metadata() or {}).get("key") != key:
                return None
            return {name: handle.get_tensor(name) for name in handle.keys()}
    except SafetensorError:
        return None


def disk_error(error: Exception, path: Path, size: int) -> Exception:
    """The same error with file and size, if it says that the disk is full (safetensors says so in words only)."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if full or "os error 28" in str(error):
        return OSError(errno.ENOSPC, f"no space for {path}, which needs {size:,} bytes. Free some, or move it")
    return error


def is_disk_full(error: OSError) -> bool:
    """Whether an OSError says that the disk is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def sync(path: Path) -> None:
    """Force a file or folder to disk, so that a rename after it never shows something empty."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
