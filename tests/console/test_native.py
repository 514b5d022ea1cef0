"""The chatter of libmpg123, in processes of their own: descriptor 2 belongs to a whole process."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ODD_FILES = Path(__file__).parents[2] / "shared" / "data" / "odd-files"
DECODE = """
import sys
from audiocli import audio, errors
from audiocli.console import native
native.contain_native_stderr()
native.contain_native_stderr()
for path in sys.argv[1:]:
    try:
        audio.read(path)
    except errors.InputError:
        pass
"""


@pytest.fixture(scope="module")
def chatty(tmp_path_factory):
    """Files that libmpg123 has something to say about: cut, damaged, one frame, text that starts like a frame."""
    folder = tmp_path_factory.mktemp("chatty")
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 5 * 44_100)
    file = io.BytesIO()
    soundfile.write(file, noise, 44_100, format="MP3")
    whole = file.getvalue()
    middle = len(whole) // 2
    for name, data in {
        "cut.mp3": whole[: middle + 100],
        "damaged.mp3": whole[:middle] + bytes(range(256)) * 8 + whole[middle + 2048 :],
        "frame.mp3": whole[:700],
        "text.mp3": ("x" * 50_000).encode("utf-16"),
    }.items():
        (folder / name).write_bytes(data)
    return [str(path) for path in sorted(folder.iterdir()) + sorted((ODD_FILES / "mp3").glob("*"))]


def run(code, *args, **options):
    return subprocess.run(
        [sys.executable, "-c", code, *args], check=False, capture_output=True, text=True, timeout=60, **options
    )


def test_without_it_there_is_chatter(chatty):
    assert "mpg123" in run(DECODE.replace("native.contain_native_stderr()\n", ""), *chatty).stderr


def test_chatter_goes_nowhere(chatty):
    done = run(DECODE, *chatty)
    assert (done.returncode, done.stderr) == (0, "")


def test_messages_of_other_threads_arrive_while_mp3s_are_read(chatty):
    code = """
import sys, threading
from audiocli import audio, errors
from audiocli.console import native
native.contain_native_stderr()
def work():
    for path in 10 * sys.argv[1:]:
        try:
            audio.read(path)
        except errors.InputError:
            pass
workers = [threading.Thread(target=work) for _ in range(3)]
for worker in workers:
    worker.start()
lines = 0
while any(worker.is_alive() for worker in workers):
    print("line", lines, file=sys.stderr)
    lines += 1
print(lines)
"""
    done = run(code, *chatty)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [f"line {i}" for i in range(int(done.stdout))]


def test_children_and_descriptor_2_are_as_before(chatty):
    code = DECODE + (
        "import os, subprocess\n"
        "os.write(2, b'by descriptor\\n')\n"
        "subprocess.run([sys.executable, '-c', 'import sys; print(\"by a child\", file=sys.stderr)'])\n"
        "print('by sys.stderr', file=sys.stderr)\n"
    )
    assert run(code, *chatty).stderr.splitlines() == ["by descriptor", "by a child", "by sys.stderr"]


def test_a_forked_child_of_a_quiet_moment_speaks():
    code = (
        "import os, sys\nfrom audiocli.console import native\nnative.contain_native_stderr()\n"
        "with native.quiet():\n"
        "    if not os.fork():\n"
        "        os.write(2, b'child\\n')\n"
        "        with native.quiet(): pass\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
    )
    done = run(code)
    assert (done.returncode, done.stderr) == (0, "child\n")


def test_quiet_nests_and_does_nothing_unasked():
    code = (
        "import os\nfrom audiocli.console import native\n"
        "with native.quiet(): os.write(2, b'1')\n"
        "native.contain_native_stderr()\n"
        "with native.quiet():\n    with native.quiet(): os.write(2, b'2')\n    os.write(2, b'3')\n"
        "os.write(2, b'4')\n"
    )
    assert run(code).stderr == "14"


@pytest.mark.parametrize("flags", [[], ["-X", "faulthandler"], ["-W", "error", "-X", "dev"], ["-u"]])
def test_a_traceback_arrives(flags):
    code = "from audiocli.console import native\nnative.contain_native_stderr()\nwith native.quiet():\n    1 / 0"
    done = subprocess.run([sys.executable, *flags, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("ZeroDivisionError: division by zero")
    assert "ResourceWarning" not in done.stderr


def test_a_crash_is_reported_from_a_quiet_moment():
    code = (
        "import faulthandler, os\nfrom audiocli.console import native\nnative.contain_native_stderr()\n"
        "with native.quiet(): os.abort()"
    )
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code], check=False, capture_output=True, text=True
    )
    assert "Fatal Python error: Aborted" in done.stderr


def test_a_terminal_stays_a_terminal():
    code = (
        "import sys\nfrom audiocli.console import native\nnative.contain_native_stderr()\n"
        "print(sys.stderr.isatty(), sys.stderr.fileno() != 2, sys.stderr.encoding, sys.stderr.errors)"
    )
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, stderr=theirs, text=True
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.stdout == "True True utf-8 backslashreplace\n"


def test_without_descriptor_2():
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "{sys.executable}" -c "$0" 2>&-', DECODE + "print('done')"],
        check=False, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "done\n")
