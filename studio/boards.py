"""Boards of a visitor: renamed, put away and brought back; and what the Board tab shows, as files.

In: the library, a user's key, and words of the page. Out: names and `File`s. Whatever cannot be done is a
`StudioError`. Knows nothing of gradio or HTML.
"""

from __future__ import annotations

import re
from dataclasses import replace

from fashiondistill.exports.passport import Passport, read_passport
from fashiondistill.store import DesignRecord, Query
from fashiondistill.store.boards import check_name
from studio import boardtexts
from studio.exporting import File, Kind, export
from studio.library import Library, said
from studio.state import StudioError

MAX_DESIGNS = 200  # of one file: a passport has about a tenth of a megabyte, and all are in memory at once
MAX_FILE_NAME = 40  # characters of a board's name that go into a file's


def rename(library: Library, user: str, name: str, new_name: str) -> str:
    """Give a board another name; returns it as it was kept.

    Raises:
        StudioError: if no board is chosen, or the name is empty, too long or taken.
    """
    _check_chosen(name)
    with said():
        library.store.boards.rename(user, name, new_name)
        return check_name(new_name)


def set_deleted(library: Library, user: str, name: str, deleted: bool) -> None:
    """Put a board away, or bring it back with its designs, which stay in the history meanwhile.

    Raises:
        StudioError: if no board is chosen, or there is none of that name.
    """
    _check_chosen(name)
    with said():
        (library.store.boards.delete if deleted else library.store.boards.restore)(user, name)


def deleted(library: Library, user: str) -> list[str]:
    """Names of the boards that were put away."""
    with said():
        return library.store.boards.names(user, deleted=True)


def export_shown(library: Library, user: str, kind: Kind, query: Query) -> File:
    """All designs of a query, whatever its limit, in the order of the grid, with their notes.

    Raises:
        StudioError: without designs, with more than `MAX_DESIGNS`, or if a picture is damaged.
    """
    found, total = library.find(user, replace(query, limit=MAX_DESIGNS, offset=0))
    if not total:
        raise StudioError(boardtexts.NOTHING_SHOWN)
    if total > MAX_DESIGNS:
        raise StudioError(boardtexts.too_many(total, MAX_DESIGNS))
    title = query.board or boardtexts.SHOWN[query.show]
    return export(kind, [_passport(library, one) for one in found], title=title, name=file_name(title))


def file_name(title: str) -> str:
    """Letters and digits of a title, for the name of a file: words may hold what a disk does not take."""
    return re.sub(r"[^a-z0-9]+", "-", title.casefold())[:MAX_FILE_NAME].strip("-") or "designs"


def _passport(library: Library, record: DesignRecord) -> Passport:
    try:
        return replace(read_passport(library.png(record)), notes=record.note)
    except ValueError as error:  # a StudioError is one: the file is missing or damaged
        raise StudioError(boardtexts.not_exported(record.request.prompt, str(error))) from error


def _check_chosen(name: object) -> None:
    if not isinstance(name, str) or not name:
        raise StudioError(boardtexts.NO_BOARD)
