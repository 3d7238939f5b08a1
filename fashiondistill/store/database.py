"""The store's SQLite file: opening with version check and migration, and transactions that several processes share.

In: a path. Out: `Database`. Write-ahead log, so that readers never wait for a writer; every write forces its log to
disk. Knows nothing of what the tables mean.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from fashiondistill.store.files import StoreError

APPLICATION = 0x46445354  # "FDST", SQLite's application_id: tells our file from others
WAIT = 30.0  # seconds that a writer waits for another one

# Version n is reached by running MIGRATIONS[n - 1] on version n - 1; versions that went out are never edited.
MIGRATIONS: list[str] = [
    """
    CREATE TABLE users (id TEXT PRIMARY KEY, created REAL NOT NULL, training INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE requests (
        id TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users(id), created REAL NOT NULL, kind TEXT NOT NULL,
        parent TEXT NOT NULL, status TEXT NOT NULL, category TEXT NOT NULL, week TEXT NOT NULL, prompt TEXT NOT NULL,
        seed INTEGER NOT NULL, settings TEXT NOT NULL, model TEXT NOT NULL, sketch TEXT NOT NULL, image TEXT, mask TEXT
    );
    CREATE INDEX requests_by_user ON requests(user, created);
    CREATE TABLE designs (
        id TEXT PRIMARY KEY, request TEXT NOT NULL REFERENCES requests(id), candidate INTEGER NOT NULL,
        created REAL NOT NULL, picture TEXT NOT NULL, rank INTEGER NOT NULL, clip_i REAL NOT NULL,
        clip_t REAL NOT NULL, combined REAL NOT NULL, nearest TEXT NOT NULL, colours TEXT NOT NULL, words TEXT NOT NULL,
        favourite REAL, note TEXT NOT NULL DEFAULT '', deleted REAL, UNIQUE (request, candidate)
    );
    CREATE TABLE boards (
        id TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users(id), name TEXT NOT NULL, created REAL NOT NULL,
        deleted REAL, UNIQUE (user, name)
    );
    CREATE TABLE board_designs (
        board TEXT NOT NULL REFERENCES boards(id), design TEXT NOT NULL REFERENCES designs(id), added REAL NOT NULL,
        PRIMARY KEY (board, design)
    );
    CREATE TABLE picks (
        winner TEXT PRIMARY KEY REFERENCES designs(id), created REAL NOT NULL, training INTEGER NOT NULL
    );
    CREATE TABLE pick_losers (
        winner TEXT NOT NULL REFERENCES picks(winner) ON DELETE CASCADE,
        design TEXT NOT NULL REFERENCES designs(id), PRIMARY KEY (winner, design)
    );
    """,
    """
    CREATE TABLE blind_tests (
        id TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users(id), created REAL NOT NULL, choice TEXT NOT NULL,
        category TEXT NOT NULL, week TEXT NOT NULL, prompt TEXT NOT NULL, seed INTEGER NOT NULL,
        settings TEXT NOT NULL, sketch TEXT NOT NULL, image TEXT, mask TEXT, left_model TEXT NOT NULL,
        left_name TEXT NOT NULL, right_model TEXT NOT NULL, right_name TEXT NOT NULL
    );
    CREATE INDEX blind_tests_by_user ON blind_tests(user, created);
    """,
]


class Database:
    """One connection, shared by the threads of a process.

    Args:
        path: the file; it is made if it is missing, unless `existing` is set.
        existing: only read what is there.

    Raises:
        StoreError: if the file cannot be opened, is damaged, is another program's or a newer version's.
    """

    def __init__(self, path: Path, *, existing: bool = False) -> None:
        self.path, self._lock = path, threading.RLock()
        with self._named():
            target = f"{path.resolve().as_uri()}?mode=rw" if existing else path
            self._connection = sqlite3.connect(
                target, timeout=WAIT, isolation_level=None, check_same_thread=False, uri=existing
            )
            self._connection.row_factory = sqlite3.Row
            opened = False
            try:
                self._open()
                opened = True
            finally:
                if not opened:
                    self._connection.close()

    def _open(self) -> None:
        self._check()
        mode = self._connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StoreError(
                f"--store_dir: {self.path.parent} allows no write-ahead log (it says {mode}), as some network drives "
                "do. Give a folder on a local disk."
            )
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        if self._version() < len(MIGRATIONS):
            self._migrate()

    def _version(self) -> int:
        return self._connection.execute("PRAGMA user_version").fetchone()[0]

    def _check(self) -> None:
        version, application = self._version(), self._connection.execute("PRAGMA application_id").fetchone()[0]
        empty = not self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not empty and application != APPLICATION:
            raise StoreError(f"--store_dir: {self.path} is another program's database. Give another --store_dir.")
        if version > len(MIGRATIONS):
            raise StoreError(
                f"--store_dir: {self.path} has version {version}, made by a newer studio; this one knows up to "
                f"{len(MIGRATIONS)}. Update the studio, or give another --store_dir."
            )

    def _migrate(self) -> None:
        """To the newest version in one transaction, with a copy of the old file beside it."""
        start = self._version()
        if start:
            with closing(sqlite3.connect(self.path.with_suffix(f".version{start}.sqlite"))) as copy:
                self._connection.backup(copy)
        with self.transaction():
            for number in range(self._version(), len(MIGRATIONS)):  # another process may have been faster
                for statement in MIGRATIONS[number].split(";"):
                    self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            self._connection.execute(f"PRAGMA application_id = {APPLICATION}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside it happen, or none; other processes wait."""
        with self._lock, self._named():
            self._connection.execute("BEGIN IMMEDIATE")
            whole = False
            try:
                yield
                whole = True
            finally:
                self._connection.execute("COMMIT" if whole else "ROLLBACK")

    def run(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run one statement inside a transaction; returns the number of rows it changed."""
        with self._lock, self._named():
            return self._connection.execute(statement, values).rowcount

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock, self._named():
            return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """Close the connection; nothing is lost without it."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """SQLite's errors say neither file nor remedy."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            raise StoreError(
                f"--store_dir: {self.path} cannot be used ({error}). Check that the disk has space and the file is "
                "whole, or give another --store_dir."
            ) from error
