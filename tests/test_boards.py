"""Boards renamed, put away and brought back, and what the Board tab shows as files: functions over a real store."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import numpy as np
import pytest

from fashiondistill.exports.passport import read_passport
from fashiondistill.store import Query
from studio import boards
from studio.library import Library
from studio.state import StudioError
from tests import stored


@pytest.fixture
def designs(library: Library, user: str) -> list[str]:
    """Three, two of them on the board Spring."""
    ids = stored.keep(library.store, user)
    for one in ids[:2]:
        library.assign(user, one, ["Spring"])
    return ids


def shown(library: Library, user: str, board: str = "") -> int:
    return library.find(user, Query(board=board))[1]


def test_a_renamed_board_keeps_its_designs(library, user, designs):
    assert boards.rename(library, user, "Spring", "  Early   summer ") == "Early summer"
    assert shown(library, user, "Early summer") == 2 and shown(library, user, "Spring") == 0
    assert library.get(user, designs[0]).boards == ("Early summer",)
    library.assign(user, designs[2], ["Autumn"])
    with pytest.raises(StudioError, match="^Board: 'Autumn' is taken"):
        boards.rename(library, user, "Early summer", "Autumn")
    with pytest.raises(StudioError, match="^Board: a name has 1 to 80 characters"):
        boards.rename(library, user, "Early summer", " ")
    with pytest.raises(StudioError, match="there is none called 'Spring'"):
        boards.rename(library, library.known(""), "Spring", "Mine")
    assert library.filters(user)[1] == ["Autumn", "Early summer"]


def test_a_deleted_board_loses_no_design_and_comes_back_with_them(library, user, designs):
    boards.set_deleted(library, user, "Spring", True)
    assert boards.deleted(library, user) == ["Spring"] and library.filters(user)[1] == []
    assert shown(library, user) == 3 and library.get(user, designs[0]).boards == ()
    library.assign(user, designs[0], [])  # what the page writes back when the name is gone
    boards.set_deleted(library, user, "Spring", False)
    assert boards.deleted(library, user) == [] and shown(library, user, "Spring") == 2
    for nothing in ("", None):
        with pytest.raises(StudioError, match="^No board is chosen"):
            boards.set_deleted(library, user, nothing, True)


def test_the_board_that_is_shown_leaves_as_zip_pdf_and_csv(library, user, designs):
    library.note(user, designs[1], "wider collar")
    query = Query(board="Spring", limit=1)  # the grid shows one; the file has all
    archive = boards.export_shown(library, user, "zip", query)
    assert archive.name == "spring.zip"
    with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
        facts = json.loads(opened.read("board.json"))
        passports = [read_passport(opened.read(one["file"])) for one in facts["designs"]]
    assert facts["title"] == "Spring" and [one["notes"] for one in facts["designs"]] == ["wider collar", ""]
    record = library.get(user, designs[1])
    assert passports[0].model == stored.MODEL and passports[0].scored.rank == record.rank == 2
    assert np.abs(passports[0].request.sketch - stored.sketch()).max() < 1 / 255  # kept in 8 bits
    sheet, table = (boards.export_shown(library, user, kind, query) for kind in ("pdf", "csv"))
    assert sheet.name == "spring_linesheet.pdf" and sheet.data.startswith(b"%PDF")
    rows = list(csv.DictReader(io.StringIO(table.data.decode("utf-8-sig"))))
    assert table.name == "spring_scores.csv" and len(rows) == 2
    assert boards.export_shown(library, user, "csv", Query()).name == "history_scores.csv"


def test_what_cannot_leave_is_said(library, user, designs, monkeypatch):
    with pytest.raises(StudioError, match="^Export: no design is shown"):
        boards.export_shown(library, library.known(""), "zip", Query())
    monkeypatch.setattr(boards, "MAX_DESIGNS", 2)
    with pytest.raises(StudioError, match="^Export: 3 designs are shown, a file takes at most 2"):
        boards.export_shown(library, user, "csv", Query())
    monkeypatch.undo()
    library.store.pictures.path(library.get(user, designs[0]).picture).write_bytes(b"cut")
    with pytest.raises(StudioError, match='^Export: the design "Red plain T-shirt" cannot be read: .* Delete it'):
        boards.export_shown(library, user, "zip", Query())
    library.set_deleted(user, designs[0], True)
    assert boards.export_shown(library, user, "zip", Query()).data


@pytest.mark.parametrize(
    ("title", "name"),
    [("Spring / Summer 21", "spring-summer-21"), ("../../etc", "etc"), ("\u6625", "designs"), ("a" * 99, "a" * 40)],
)
def test_names_of_files_hold_letters_and_digits_only(title, name):
    assert boards.file_name(title) == name
