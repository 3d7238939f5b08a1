"""The store: one folder with studio.sqlite and pictures/, opened once a process.

In: a folder. Out: `Store` with its parts: designs, boards, picks, blind tests. A picture is on disk before
the row that names it, so a process that dies at any moment leaves nothing but pictures without a row, which the next
start removes.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Self

from fashiondistill.store.blind import BlindTests
from fashiondistill.store.boards import Boards
from fashiondistill.store.database import Database
from fashiondistill.store.designs import Designs
from fashiondistill.store.files import ORPHAN_AGE, PictureFolder, StoreError
from fashiondistill.store.picks import Picks
from fashiondistill.store.records import is_id

DATABASE, PICTURES = "studio.sqlite", "pictures"


class Store:
    """Everything that designers made. Make one with `open`."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder, self.database = folder, database
        self.pictures = PictureFolder(folder / PICTURES)
        self.designs = Designs(database, self.pictures)
        self.boards = Boards(database)
        self.picks = Picks(database, self.pictures)
        self.blind = BlindTests(database, self.pictures)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open or make it, and remove pictures that a crash left without a row.

        Raises:
            StoreError: naming --store_dir, if the folder or its database cannot be used.
        """
        try:
            (folder / PICTURES).mkdir(parents=True, exist_ok=True)
            probe = folder / PICTURES / f".probe.{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise StoreError(
                f"--store_dir {folder} is not usable: designs cannot be kept there ({error.strerror}). Give a folder "
                "that can be written to."
            ) from error
        store = cls(folder, Database(folder / DATABASE))
        store.remove_orphans()
        return store

    def remove_orphans(self, *, age: float = ORPHAN_AGE) -> int:
        """Delete pictures of no row that are older than `age` seconds; returns how many."""
        with self.database.transaction():
            return self.pictures.remove_orphans(self.designs.used_pictures(), age=age)

    def welcome(self, user: str) -> None:
        """Make a user's row if there is none.

        Raises:
            StoreError: if the id is not of the form that `new_id` gives.
        """
        if not is_id(user):
            raise StoreError("user: the key that the browser keeps is damaged. Reload the page.")
        if self.database.rows("SELECT 1 FROM users WHERE id = ?", (user,)):
            return
        with self.database.transaction():
            self.database.run("INSERT OR IGNORE INTO users (id, created) VALUES (?, ?)", (user, time.time()))

    def close(self) -> None:
        """Close the database; nothing is lost without it."""
        self.database.close()
