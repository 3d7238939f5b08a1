"""Boards: named collections of designs; a design may be on several.

In: names. Out: names. A deleted board comes back with its designs when it is restored or its name is used again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from fashiondistill.store.database import Database
from fashiondistill.store.files import StoreError
from fashiondistill.store.records import new_id

MAX_NAME = 80  # characters


class Boards:
    """Boards of all users; every call names its user."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def names(self, user: str, *, deleted: bool = False) -> list[str]:
        """Names in alphabetical order; the deleted ones if `deleted`."""
        rows = self.database.rows(
            "SELECT name FROM boards WHERE user = ? AND (deleted IS NOT NULL) = ? ORDER BY name", (user, deleted)
        )
        return [row[0] for row in rows]

    def assign(self, user: str, design_id: str, names: Sequence[str]) -> None:
        """Put a design on these boards and on no others; boards that are new are made.

        Raises:
            StoreError: for a name that is empty or too long, or a design that is not the user's.
        """
        wanted = [check_name(name) for name in names]
        with self.database.transaction():
            self._own(user, design_id)
            self.database.run(
                "DELETE FROM board_designs WHERE design = ? AND board IN "
                "(SELECT id FROM boards WHERE user = ? AND deleted IS NULL)",
                (design_id, user),
            )
            for name in wanted:
                self.database.run(
                    "INSERT INTO boards (id, user, name, created) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (user, name) DO UPDATE SET deleted = NULL",
                    (new_id(), user, name, time.time()),
                )
                self.database.run(
                    "INSERT OR IGNORE INTO board_designs (board, design, added) "
                    "SELECT id, ?, ? FROM boards WHERE user = ? AND name = ?",
                    (design_id, time.time(), user, name),
                )

    def rename(self, user: str, name: str, new_name: str) -> None:
        """Give a board another name.

        Raises:
            StoreError: if the new one is taken, or there is no such board.
        """
        new_name = check_name(new_name)
        with self.database.transaction():
            if new_name != name and self.database.rows(
                "SELECT 1 FROM boards WHERE user = ? AND name = ?", (user, new_name)
            ):
                raise StoreError(f"board: {new_name!r} is taken (it may be among the deleted). Choose another name.")
            self._change("UPDATE boards SET name = ? WHERE user = ? AND name = ?", (new_name, user, name))

    def delete(self, user: str, name: str) -> None:
        """Put a board away; its designs stay where they are."""
        with self.database.transaction():
            self._change("UPDATE boards SET deleted = ? WHERE user = ? AND name = ?", (time.time(), user, name))

    def restore(self, user: str, name: str) -> None:
        """Bring a deleted board back with its designs."""
        with self.database.transaction():
            self._change("UPDATE boards SET deleted = NULL WHERE user = ? AND name = ?", (user, name))

    def _change(self, statement: str, values: tuple[object, ...]) -> None:
        if not self.database.run(statement, values):
            raise StoreError(f"board: there is none called {values[-1]!r}. Reload the page.")

    def _own(self, user: str, design_id: str) -> None:
        if not self.database.rows(
            "SELECT 1 FROM designs d JOIN requests r ON r.id = d.request WHERE d.id = ? AND r.user = ?",
            (design_id, user),
        ):
            raise StoreError("design: there is none of that id among yours. Reload the page.")


def check_name(name: object) -> str:
    """A board's name without blanks around it.

    Raises:
        StoreError: if it is empty or too long.
    """
    text = " ".join(str(name).split())
    if not 0 < len(text) <= MAX_NAME:
        raise StoreError(f"board: a name has 1 to {MAX_NAME} characters, this one {len(text)}. Choose another.")
    return text
