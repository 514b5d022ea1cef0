"""The inputs that are found, their order and names; pipes."""

import json
import os
import threading
import time
from pathlib import Path, PurePath

import pytest

from audiocli.errors import InputError, UsageError
from audiocli.inputs import pipes
from audiocli.inputs.sources import Source, find
from audiocli.options import InputOptions
from audiocli.records import Failure


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def touch(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")


def found(*inputs, leave_out=None, **options):
    """Path and place of each source; path and reason of each failure."""
    return [
        (one.path, one.reason if isinstance(one, Failure) else str(one.relative))
        for one in find(inputs, InputOptions(**options), leave_out=leave_out)
        if one is not None
    ]


def paths(*inputs, **options):
    return [path for path, _ in found(*inputs, **options)]


def test_files_in_the_order_given_and_each_once():
    touch("b.wav", "a.txt")
    assert found("b.wav", "a.txt", "./b.wav", os.path.abspath("a.txt"), "b.wav") == [
        ("b.wav", "b.wav"),
        ("a.txt", "a.txt"),
    ]
    assert found("missing.wav", "b.wav") == [("missing.wav", "no such file or directory"), ("b.wav", "b.wav")]


def test_folders_are_walked_in_the_order_of_names():
    touch("in/b.wav", "in/a.flac", "in/c/d/e.MP3", "in/notes.txt", "in/.hidden.wav", "in/.git/x.wav", "in/._a.wav")
    assert found("in") == [("in/a.flac", "a.flac"), ("in/b.wav", "b.wav"), ("in/c/d/e.MP3", "c/d/e.MP3")]
    assert paths("in", glob=("*.txt", "c/*")) == ["in/c/d/e.MP3", "in/notes.txt"]
    assert found("in", glob=("*.ogg",)) == [("in", "no audio files in this folder match *.ogg")]
    assert paths("in/b.wav", "in") == ["in/b.wav", "in/a.flac", "in/c/d/e.MP3"]


def test_several_folders_keep_their_own_names():
    touch("a/x.wav", "b/x.wav", "b/in/y.wav")
    assert found("a", "b/") == [("a/x.wav", "a/x.wav"), ("b/in/y.wav", "b/in/y.wav"), ("b/x.wav", "b/x.wav")]
    os.chdir("b/in")
    # A folder that is named by dots has a name, too; nothing may stand outside of the output folder.
    assert found("..", "../../a") == [
        ("../in/y.wav", "b/in/y.wav"),
        ("../x.wav", "b/x.wav"),
        ("../../a/x.wav", "a/x.wav"),
    ]
    assert found(".", "../x.wav") == [("./y.wav", "in/y.wav"), ("../x.wav", "x.wav")]


def test_the_output_folder_is_no_input():
    touch("in/a.wav", "in/out/a.wav", "in/b/out/c.wav")
    assert paths("in", leave_out=Path("in/out/")) == ["in/a.wav", "in/b/out/c.wav"]
    Path("link").symlink_to("in/out")
    assert paths("in", leave_out=Path("link")) == ["in/a.wav", "in/b/out/c.wav"]
    assert paths("in", leave_out=Path("in")) == ["in/a.wav", "in/b/out/c.wav", "in/out/a.wav"]


def test_odd_things_in_folders():
    touch("in/a.wav", "in/folder.wav/b.wav", "in/empty.wav/c.txt")
    Path("in/broken.wav").symlink_to("nowhere.wav")
    Path("in/link.wav").symlink_to("a.wav")
    Path("in/loop").symlink_to(".")
    Path("in/self.wav").symlink_to("self.wav")
    os.mkfifo("in/pipe.wav")
    assert found("in") == [
        ("in/a.wav", "a.wav"),
        ("in/broken.wav", "no such file or directory"),
        ("in/folder.wav/b.wav", "folder.wav/b.wav"),
        ("in/link.wav", "link.wav"),
        ("in/self.wav", "too many levels of symbolic links"),
    ]
    assert found("in/folder.wav") == [("in/folder.wav/b.wav", "b.wav")]
    assert found("in/empty.wav") == [("in/empty.wav", "no audio files in this folder")]
    assert paths("in/pipe.wav") == ["in/pipe.wav"]


def test_links_to_folders_are_followed():
    """Each real folder once, by its own path where that is below the root; loops end."""
    touch("in/a.wav", "in/own/b.wav", "real/c.wav", "real/deep/d.wav", "real/.hidden/e.wav")
    Path("in/also-own").symlink_to("own")
    Path("in/more").symlink_to("../real")
    Path("in/part").symlink_to("../real/deep")
    Path("real/up").symlink_to("../in")
    Path("in/gone").symlink_to("../unmounted")
    Path("in/gone.txt").symlink_to("../unmounted.txt")
    assert found("in") == [
        ("in/a.wav", "a.wav"),
        ("in/gone", "no such file or directory"),
        ("in/more/c.wav", "more/c.wav"),
        ("in/more/deep/d.wav", "more/deep/d.wav"),
        ("in/own/b.wav", "own/b.wav"),
    ]
    Path("in/gone").unlink()
    Path("links").mkdir()
    Path("links/x").symlink_to("../real")
    assert paths("links") == ["links/x/c.wav", "links/x/deep/d.wav", "links/x/up/a.wav", "links/x/up/own/b.wav"]
    os.rename("real/deep", "deep")
    Path("in/part").unlink()
    assert paths("in", leave_out=Path("real")) == ["in/a.wav", "in/own/b.wav"]


def test_a_folder_that_cannot_be_read(monkeypatch):
    touch("in/a.wav", "in/locked/b.wav")
    scan = os.scandir

    def guarded(path):
        if os.fspath(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert found("in") == [("in/locked", "permission denied"), ("in/a.wav", "a.wav")]


def test_usage_errors_come_at_once():
    for inputs, files_from in (([], None), (["-", "-"], None), (["-"], "-"), ([], "nowhere"), ([], ".")):
        with pytest.raises(UsageError):
            find(inputs, InputOptions(files_from=files_from))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a.wav\nb c.wav\n", ["a.wav", "b c.wav"]),
        (b"a.wav\r\n\r\n\nb c.wav", ["a.wav", "b c.wav"]),
        (b"a.wav\0b\n\r\0", ["a.wav", "b\n\r"]),
        (b"a.wav", ["a.wav"]),
        (b"\xff\xe9.wav\n", ["\udcff\udce9.wav"]),
        (b"", []),
        (b'{"path": "a.wav", "output": "out/b.wav"}\n{"path": "a.wav", "output": null}\n', ["out/b.wav", "a.wav"]),
        (b'{"path": "\\udcff.wav"}\n', ["\udcff.wav"]),
        (b"{a.wav\n", ["{a.wav"]),
        (b"-\n", ["./-"]),
        (b"\xef\xbb\xbfa.wav\nb.wav\n", ["a.wav", "b.wav"]),
        (b'\xef\xbb\xbf{"path": "a.wav"}\n', ["a.wav"]),
        ("a é.wav\r\nb.wav".encode("utf-16"), ["a é.wav", "b.wav"]),
        ("a.wav\0b\n.wav\0".encode("utf-16"), ["a.wav", "b\n.wav"]),
        (b"# sounds\na.wav\n#b.wav\n#1.wav\n", ["a.wav", "#1.wav"]),
        (b"# sounds\0", ["# sounds"]),
    ],
)
def test_lists_of_paths(text, expected):
    touch("#1.wav")
    Path("list").write_bytes(text)
    assert paths(files_from="list") == expected


def test_records_of_an_earlier_verb_that_name_no_file():
    lines = [
        {"path": "-", "output": None},
        {"path": "x.wav", "status": "failed", "error": "too odd"},
        {"other": 1},
        {"path": 3},
        {"path": "a\0b"},
        {"path": "\ud800"},
    ]
    Path("list").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [why for _, why in found(files_from="list")] == [
        "the step before has written no file",
        "failed in the step before: too odd",
        "the step before has written no file",
        "the step before has written no file",
        "is not a file name",
        "is not a file name",
    ]


def test_places_of_listed_paths():
    touch("a/b/x.wav", "y.wav")
    Path("list").write_text(
        f"a/b/x.wav\n../{Path.cwd().name}/y.wav\n{Path('a/../y.wav')}\n{Path('a').absolute()}/b/x.wav\n"
    )
    # Below this folder the tree is kept; what leads out of it has only its name.
    assert found(files_from="list") == [("a/b/x.wav", "a/b/x.wav"), (f"../{Path.cwd().name}/y.wav", "y.wav")]


def test_a_list_says_when_it_waits():
    touch("a.wav", "b.wav")
    os.mkfifo("list")
    writing = os.open("list", os.O_RDWR)
    stream = find([], InputOptions(files_from="list"))
    assert next(stream) is None
    os.write(writing, b"a.wav\nb.w")
    assert next(stream).path == "a.wav"
    assert next(stream) is None
    os.write(writing, b"av\n")
    assert next(stream).path == "b.wav"


def test_a_list_in_another_encoding_comes_as_it_is_written():
    touch("a.wav", "b.wav")
    os.mkfifo("list")
    writing = os.open("list", os.O_RDWR)
    stream = find([], InputOptions(files_from="list"))
    for byte in "a.wav\nb".encode("utf-16"):
        os.write(writing, bytes([byte]))
    assert next(one for one in stream if one is not None).path == "a.wav"
    assert next(stream) is None
    os.write(writing, ".wav\n".encode("utf-16-le"))
    assert next(one for one in stream if one is not None).path == "b.wav"


def test_a_zero_may_come_later():
    """One name, then a pause, then what separates it from the next."""
    touch("a.wav")
    os.mkfifo("list")
    writing = os.open("list", os.O_RDWR)
    stream = find([], InputOptions(files_from="list"))
    os.write(writing, b"a.wav")
    assert next(stream) is None
    os.write(writing, b"\0a\nb\0")
    assert next(stream).path == "a.wav"
    assert next(stream).path == "a\nb"


def read(source):
    with source.open() as stream:
        return stream.read()


def test_a_named_pipe_with_a_slow_writer():
    os.mkfifo("pipe")

    def write():
        with open("pipe", "wb", buffering=0) as stream:
            for _ in range(3):
                time.sleep(0.02)
                stream.write(b"x" * 100_000)

    writer = threading.Thread(target=write)
    writer.start()
    assert read(Source("pipe", PurePath("pipe"))) == b"x" * 300_000
    writer.join()


def test_a_named_pipe_that_nobody_writes_to(monkeypatch):
    monkeypatch.setattr(pipes, "PATIENCE", 0.1)
    os.mkfifo("pipe")
    with pytest.raises(InputError, match="nobody has written"):
        Source("pipe", PurePath("pipe")).open()


def test_a_descriptor_of_the_shell():
    """<(...) gives a path to a pipe that may have been written and closed before it is read."""
    reading, writing = os.pipe()
    os.write(writing, b"all of it")
    os.close(writing)
    assert read(Source(f"/dev/fd/{reading}", PurePath("fd"))) == b"all of it"
    assert read(Source(f"/dev/fd/{reading}", PurePath("fd"))) == b""  # nobody else can write, so there is no waiting
    os.close(reading)


def test_what_is_no_input():
    for path, reason in ((".", "is a folder"), ("/dev/null", "is neither"), ("missing", "no such file")):
        with pytest.raises(InputError, match=reason):
            Source(path, PurePath("x")).open()
