"""PNG files of the store: named by their SHA-256, whole or not there, on disk before any row speaks of them.

In: bytes. Out: names and bytes. Two processes may write the same picture at once: it is the same file. Knows nothing
of rows, but is told which names they hold.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Container, Iterable
from pathlib import Path

ORPHAN_AGE = 3600.0  # seconds; another process may have written a picture whose row is still to come


class StoreError(ValueError):
    """What was asked of the store cannot be done; the message names flag or field, value and remedy."""


def default_store_dir() -> Path:
    """Where designs are kept unless --store_dir says otherwise.

    On a Space /data, if a bucket is attached there that can be written to; else XDG_DATA_HOME, or ~/.local/share.
    """
    if os.environ.get("SPACE_ID") and os.access("/data", os.W_OK):
        return Path("/data/fashiondistill")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "fashiondistill"


class PictureFolder:
    """FOLDER/ab/abcd....png.

    Args:
        folder: is made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """File of a name that `write` gave."""
        return self.folder / name[:2] / f"{name}.png"

    def write(self, data: bytes) -> str:
        """Write and force to disk; returns the name. A file that stands there already is left, but counts as new.

        Raises:
            StoreError: if the disk is full or the folder cannot be written to.
        """
        name = hashlib.sha256(data).hexdigest()
        path = self.path(name)
        part = path.with_name(f".{name}.{os.getpid()}.{time.monotonic_ns()}.part")
        try:
            if path.exists():
                os.utime(path)
                return name
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(part, "wb") as handle:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(part, path)
            _sync_folder(path.parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            remedy = "Free some space" if full else "Make it writable"
            raise StoreError(
                f"--store_dir: {path} cannot be written ({error.strerror}, {len(data):,} bytes). {remedy}, or give "
                "another --store_dir."
            ) from error
        return name

    def require(self, names: Iterable[str]) -> None:
        """Inside a transaction, where no clean-up can run: the pictures stand there, or no row may name them.

        Raises:
            StoreError: if one is missing.
        """
        for name in names:
            if not self.path(name).is_file():
                raise StoreError(f"picture: {self.path(name)} vanished while it was saved. Try again.")

    def read(self, name: str) -> bytes:
        """Bytes of a picture.

        Raises:
            StoreError: if the file is missing or is not what was written.
        """
        path = self.path(name)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"picture: {path} cannot be read ({error.strerror}). Restore it from a backup.") from error
        if hashlib.sha256(data).hexdigest() != name:
            raise StoreError(f"picture: {path} is damaged. Restore it from a backup.")
        return data

    def remove_orphans(self, used: Container[str], *, age: float = ORPHAN_AGE) -> int:
        """Delete pictures and parts of pictures that no row holds and that are older than `age` seconds.

        The caller keeps the database locked meanwhile, so that no row can come to hold one of them.
        """
        count, limit = 0, time.time() - age
        for path in self.folder.glob("??/*"):
            orphan = path.name.endswith(".part") or (path.suffix == ".png" and path.stem not in used)
            if orphan and path.stat().st_mtime <= limit:
                path.unlink(missing_ok=True)
                count += 1
        return count


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
