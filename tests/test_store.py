"""The store: what was made is found again, after a restart, a kill, a second process and a deletion."""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fashiondistill.config import GenerateConfig
from fashiondistill.export import CHUNK
from fashiondistill.store import Query, Store, StoreError, database, default_store_dir, new_id
from fashiondistill.store.designs import Origin, read_mask, read_picture, read_sketch, sketch_png
from tests import stored

ROOT = Path(__file__).parents[1]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def user(store: Store) -> str:
    return stored.make_user(store)


# ---- what goes in comes out


def test_a_request_and_its_candidates_come_back_after_a_restart(store, user):
    asked = stored.request()
    ids = stored.keep(store, user, asked)
    store.close()
    again = Store.open(store.folder)
    found = again.designs.find(user, Query())
    assert [one.id for one in found] == ids[::-1] and [one.rank for one in found] == [1, 2, 3]
    one = found[0]
    request = one.request
    assert (request.status, request.kind, request.parent, request.model) == ("ranked", "draw", "", stored.MODEL)
    assert (request.category, request.week, request.prompt, request.seed) == (
        stored.CATEGORY, stored.WEEK, "Red plain T-shirt", 7,
    )  # fmt: skip
    assert request.settings["num_candidates"] == 3
    assert (one.clip_i, one.clip_t, one.combined, one.nearest_article_id) == (0.5, 0.25, 0.4, "0123456789")
    assert one.colours == ("red",) and (one.favourite, one.note, one.deleted, one.boards) == (False, "", False, ())
    data = again.designs.picture(one)
    assert np.array_equal(read_picture(data), stored.scored(asked, 2).design.image)
    inside = json.loads(Image.open(io.BytesIO(data)).info[CHUNK])
    assert (inside["rank"], inside["seed"], inside["model"]) == (1, 7, stored.MODEL)
    assert np.allclose(again.designs.sketch(request), asked.sketch, atol=0.5 / 255)


def test_a_sketch_of_the_canvas_comes_back_bit_for_bit():
    grey = np.arange(512 * 384, dtype=np.uint32).reshape(512, 384) % 256
    drawn = 1 - grey.astype(np.float32) / 255  # as canvas.decode_canvas makes it
    assert np.array_equal(read_sketch(sketch_png(drawn)), drawn)


def test_picture_and_mask_to_repaint_are_kept(store, user):
    mask = np.zeros((512, 384), np.float32)
    mask[200:] = 1
    image = np.full((512, 384, 3), 99, np.uint8)
    store.designs.begin(stored.request(image=image, mask=mask), Origin(user, stored.MODEL))
    row = store.database.rows("SELECT image, mask FROM requests")[0]
    assert np.array_equal(read_picture(store.pictures.read(row["image"])), image)
    assert np.array_equal(read_mask(store.pictures.read(row["mask"])), mask)


def test_candidates_of_a_request_that_never_ended_are_there(store, user):
    asked = stored.request()
    request_id = store.designs.begin(asked, Origin(user, stored.MODEL))
    design = store.designs.add(request_id, stored.scored(asked, 0), model=stored.MODEL)
    found = Store.open(store.folder).designs.find(user, Query())
    assert [one.id for one in found] == [design] and (found[0].rank, found[0].request.status) == (0, "running")


def test_nobody_sees_or_changes_what_is_another_users(store, user):
    (design,) = stored.keep(store, user, stored.request(config=GenerateConfig(num_candidates=1)))
    other = stored.make_user(store)
    assert store.designs.find(other, Query()) == [] and store.designs.count(other, Query()) == 0
    for act in (
        lambda: store.designs.get(other, design),
        lambda: store.designs.note(other, design, "mine"),
        lambda: store.designs.delete(other, design),
        lambda: store.boards.assign(other, design, ["mine"]),
        lambda: store.picks.favourite(other, design, True),
    ):
        with pytest.raises(StoreError, match="there is none of that id among yours"):
            act()
    assert store.boards.names(other) == []
    with pytest.raises(StoreError, match="key that the browser keeps is damaged"):
        store.welcome("../../etc/passwd")


# ---- search


WORDS = st.sampled_from(["navy", "striped", "shirt", "red", "denim", "Linen", "50%", "a_b", "week", "body"])


@settings(max_examples=8, deadline=None)
@given(
    prompts=st.lists(st.lists(WORDS, min_size=1, max_size=3), min_size=1, max_size=4),
    asked=st.lists(WORDS, max_size=2),
    week=st.sampled_from(["", "2020-W10", "2020-W11"]),
    deleted=st.sets(st.integers(0, 3)),
    hearts=st.sets(st.integers(0, 3)),
    show=st.sampled_from(["all", "favourites", "deleted"]),
)
def test_search_finds_what_a_plain_loop_finds(tmp_path_factory, prompts, asked, week, deleted, hearts, show):
    store = Store.open(tmp_path_factory.mktemp("search"))
    user = stored.make_user(store)
    expected = []
    for number, words in enumerate(prompts):
        prompt, own = " ".join(words), f"2020-W{10 + number % 2}"
        one = stored.request(prompt=prompt, week=own, seed=number, config=GenerateConfig(num_candidates=1))
        (design,) = stored.keep(store, user, one, rgb=stored.NAVY)
        if number in hearts:
            store.picks.favourite(user, design, True)
        if number in deleted:
            store.designs.delete(user, design)
        text = f"{prompt} upper body {own} navy".casefold()
        fits = all(word.casefold() in text for word in asked) and week in ("", own)
        shown = (number in deleted) == (show == "deleted") and (show != "favourites" or number in hearts)
        if fits and shown:
            expected.append(design)
    query = Query(text=" ".join(asked), week=week, show=show)
    assert [one.id for one in store.designs.find(user, query)] == expected[::-1]
    assert store.designs.count(user, query) == len(expected)
    store.close()


def test_category_colour_note_and_board_are_found_and_pages_turn(store, user):
    one = GenerateConfig(num_candidates=1)
    (red,) = stored.keep(store, user, stored.request(config=one))
    (navy,) = stored.keep(store, user, stored.request(prompt="shirt", category="top5glb", config=one), rgb=stored.NAVY)
    find = lambda **query: [found.id for found in store.designs.find(user, Query(**query))]  # noqa: E731
    assert find(text="NAVY") == [navy] and find(text="lower") == [navy] and find(category="top5gub") == [red]
    store.designs.note(user, red, "Collar too WIDE, ask Ines")
    assert find(text="wide ines") == [red] and store.designs.get(user, red).note.startswith("Collar")
    store.designs.note(user, red, "")
    assert find(text="wide") == []
    store.boards.assign(user, red, ["Spring"])
    assert find(board="Spring") == [red] and find(board="spring") == []
    assert find(limit=1) == [navy] and find(limit=1, offset=1) == [red]
    assert store.designs.weeks(user) == [stored.WEEK]
    with pytest.raises(StoreError, match="note: it has 4,001 characters. Give at most 4,000"):
        store.designs.note(user, red, "x" * 4001)


# ---- deleting and restoring


@settings(max_examples=8, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(["delete", "restore"]), st.integers(0, 2)), max_size=8))
def test_deleted_and_restored_designs_are_as_they_were(tmp_path_factory, steps):
    store = Store.open(tmp_path_factory.mktemp("restore"))
    user = stored.make_user(store)
    ids = stored.keep(store, user)
    store.picks.favourite(user, ids[0], True)
    store.designs.note(user, ids[1], "keep")
    store.boards.assign(user, ids[2], ["Spring", "Summer"])
    before = {one: store.designs.get(user, one) for one in ids}
    gone = set()
    for what, place in steps:
        getattr(store.designs, what)(user, ids[place])
        (gone.add if what == "delete" else gone.discard)(ids[place])
        assert {one.id for one in store.designs.find(user, Query())} == set(ids) - gone
        assert {one.id for one in store.designs.find(user, Query(show="deleted"))} == gone
    for one in ids:
        store.designs.restore(user, one)
        assert store.designs.get(user, one) == before[one]
    store.close()


def test_boards_are_named_left_renamed_deleted_and_restored(store, user):
    first, second, _ = stored.keep(store, user)
    store.boards.assign(user, first, [" Spring  2021 ", "Linen"])
    store.boards.assign(user, second, ["Linen"])
    assert store.boards.names(user) == ["Linen", "Spring 2021"]
    assert store.designs.get(user, first).boards == ("Linen", "Spring 2021")
    store.boards.assign(user, first, ["Linen"])
    assert store.designs.get(user, first).boards == ("Linen",)
    store.boards.rename(user, "Linen", "Linen 2")
    store.boards.delete(user, "Linen 2")
    assert store.designs.get(user, second).boards == () and store.boards.names(user, deleted=True) == ["Linen 2"]
    assert store.designs.find(user, Query(board="Linen 2")) == []
    store.boards.restore(user, "Linen 2")
    assert {one.id for one in store.designs.find(user, Query(board="Linen 2"))} == {first, second}
    with pytest.raises(StoreError, match="'Spring 2021' is taken"):
        store.boards.rename(user, "Linen 2", "Spring 2021")
    with pytest.raises(StoreError, match="none called 'Nothing'"):
        store.boards.delete(user, "Nothing")
    for name in ("  ", "x" * 81):
        with pytest.raises(StoreError, match="board: a name has 1 to 80 characters"):
            store.boards.assign(user, first, [name])
    assert store.designs.get(user, first).boards == ("Linen 2",)


# ---- processes that die, and two at once


def _writer(folder: Path, user: str, count: int) -> subprocess.Popen:
    words = [sys.executable, "-m", "tests.stored", str(folder), user, str(count)]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_processes_write_at_once_and_nothing_is_lost(tmp_path):
    users = [new_id(), new_id()]
    running = [_writer(tmp_path / "both", user, 12) for user in users]  # both make the folder and its tables
    assert [one.wait(timeout=120) for one in running] == [0, 0]
    store = Store.open(tmp_path / "both")
    for user in users:
        found = store.designs.find(user, Query(limit=100))
        assert sorted(one.request.seed for one in found) == list(range(12))
        assert all(store.designs.picture(one) for one in found)


def test_a_kill_at_any_moment_loses_nothing_that_was_said_to_be_kept(tmp_path):
    user = new_id()
    for delay in (0.02, 0.11):
        running = _writer(tmp_path / "killed", user, 1000)
        said = [running.stdout.readline() for _ in range(3)]
        time.sleep(delay)
        running.send_signal(signal.SIGKILL)
        said += running.stdout.read().split("\n")
        running.wait()
        count = len([line for line in said if line.strip()])
        store = Store.open(tmp_path / "killed")
        found = store.designs.find(user, Query(limit=10_000))
        assert len(found) >= count >= 3
        assert all(read_picture(store.designs.picture(one)).shape == (512, 384, 3) for one in found)
        assert store.database.rows("PRAGMA integrity_check")[0][0] == "ok"
        for one in found:
            store.database.run("DELETE FROM designs WHERE id = ?", (one.id,))
        store.close()


def test_a_kill_between_picture_and_row_leaves_a_picture_that_is_cleared_away(tmp_path):
    program = (
        "import os, signal, sys; from pathlib import Path; from fashiondistill.store import Store;"
        "from fashiondistill.store.designs import Designs; from tests import stored;"
        "store = Store.open(Path(sys.argv[1])); user = stored.make_user(store); print(user, flush=True);"
        "insert = Designs._insert;"
        "Designs._insert = lambda self, table, values: os.kill(os.getpid(), signal.SIGKILL) if table == 'designs' "
        "else insert(self, table, values);"
        "stored.keep(store, user)"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    store = Store.open(tmp_path)
    user = done.stdout.strip()
    assert store.designs.find(user, Query()) == []
    (request,) = store.database.rows("SELECT * FROM requests")
    on_disk = {path.stem for path in (tmp_path / "pictures").glob("??/*.png")}
    assert on_disk > {request["sketch"]} and len(on_disk) == 2  # too young to be taken for an orphan at the start
    assert store.remove_orphans(age=0) == 1
    assert {path.stem for path in (tmp_path / "pictures").glob("??/*.png")} == {request["sketch"]}
    assert len(stored.keep(store, user)) == 3


def test_old_orphans_and_parts_go_at_the_start_and_pictures_in_use_stay(store, user):
    stored.keep(store, user)
    used = set((store.folder / "pictures").glob("??/*.png"))
    orphan = store.pictures.path(store.pictures.write(b"nobody's"))
    part = orphan.with_name(".x.part")
    part.write_bytes(b"half")
    for path in (*used, orphan, part):
        os.utime(path, (1, 1))
    orphaned_by_rank = len(used) - len(store.designs.used_pictures())
    Store.open(store.folder)
    left = set((store.folder / "pictures").glob("??/*"))
    assert not orphan.exists() and not part.exists()
    assert len(left) == len(used) - orphaned_by_rank == len(store.designs.used_pictures())


def test_a_picture_that_a_clean_up_took_is_never_named_by_a_row(store, user, monkeypatch):
    write = store.pictures.write

    def write_and_lose(data: bytes) -> str:
        name = write(data)
        store.pictures.path(name).unlink()
        return name

    monkeypatch.setattr(store.pictures, "write", write_and_lose)
    with pytest.raises(StoreError, match="vanished while it was saved"):
        stored.keep(store, user)
    assert store.database.rows("SELECT * FROM requests") == []


def test_a_missing_or_damaged_picture_is_named(store, user):
    (design, *_) = stored.keep(store, user)
    record = store.designs.get(user, design)
    path = store.pictures.path(record.picture)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match=f"{record.picture}.png is damaged"):
        store.designs.picture(record)
    path.unlink()
    with pytest.raises(StoreError, match=f"{record.picture}.png cannot be read"):
        store.designs.picture(record)


# ---- opening


def test_a_folder_that_cannot_be_used_is_named_with_flag_and_remedy(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"--store_dir .*file/store is not usable: .*Give a folder that can be writ"):
        Store.open(tmp_path / "file" / "store")


def test_another_programs_database_and_a_damaged_one_are_left_alone(tmp_path):
    path = tmp_path / "studio.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreError, match="another program's database"):
        Store.open(tmp_path)
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="--store_dir: .*cannot be used .file is not a database"):
        Store.open(tmp_path)
    assert path.read_bytes().startswith(b"no database")


def test_a_newer_version_is_refused_and_an_older_one_migrated_with_a_copy(store, user, monkeypatch):
    (design, *_) = stored.keep(store, user)
    store.close()
    monkeypatch.setattr(
        database, "MIGRATIONS", [*database.MIGRATIONS, "ALTER TABLE designs ADD COLUMN stars INTEGER DEFAULT 5"]
    )
    newer = Store.open(store.folder)
    assert newer.database.rows("SELECT stars FROM designs WHERE id = ?", (design,))[0][0] == 5
    assert newer.designs.get(user, design).rank == 3
    newer.close()
    monkeypatch.undo()
    known = len(database.MIGRATIONS)
    with pytest.raises(
        StoreError, match=f"has version {known + 1}, made by a newer studio; this one knows up to {known}"
    ):
        Store.open(store.folder)
    with sqlite3.connect(store.folder / f"studio.version{known}.sqlite") as copy:
        assert copy.execute("PRAGMA user_version").fetchone()[0] == known
        assert copy.execute("SELECT count(*) FROM designs").fetchone()[0] == 3


def test_a_migration_that_breaks_changes_nothing(store, monkeypatch):
    store.close()
    monkeypatch.setattr(
        database, "MIGRATIONS", [*database.MIGRATIONS, "CREATE TABLE new (x); ALTER TABLE nowhere ADD COLUMN y"]
    )
    with pytest.raises(StoreError, match="no such table: nowhere"):
        Store.open(store.folder)
    monkeypatch.undo()
    again = Store.open(store.folder)
    assert not again.database.rows("SELECT 1 FROM sqlite_master WHERE name = 'new'")


def test_where_designs_are_kept_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("SPACE_ID", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_store_dir() == tmp_path / "fashiondistill"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_store_dir() == tmp_path / ".local" / "share" / "fashiondistill"
    monkeypatch.setenv("SPACE_ID", "someone/studio")
    monkeypatch.setattr(os, "access", lambda path, mode: path == "/data")
    assert default_store_dir() == Path("/data/fashiondistill")
