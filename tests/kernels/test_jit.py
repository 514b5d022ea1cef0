"""Where compiled kernels are kept: in a folder that can be written, under names that two processes never share."""

import os
import pickle
import subprocess
import sys

import pytest
from audiocli.kernels import _jit

CODE = (
    "import numba, numpy; before = numba.config.CACHE_DIR\n"
    "from audiocli.kernels import _jit, spectral\n"
    "spectral.log_in_place(numpy.ones((2, 3), numpy.float32), spectral.Log(1.0, 1e-10))\n"
    "print(_jit.CACHE is not None, numba.config.CACHE_DIR == before)"
)


def process(**environment):
    result = subprocess.run(
        [sys.executable, "-c", CODE], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_two_processes_never_write_the_same_file(tmp_path):
    for _ in range(2):
        assert process(NUMBA_CACHE_DIR=str(tmp_path)) == ["True", "True"]
        (index,) = tmp_path.rglob("spectral._log-*.nbi")
        index.unlink()  # as if the second had started before the first was done
    names = [path.name for path in tmp_path.rglob("spectral._log-*.nbc")]
    assert len(set(names)) == 2


def test_nothing_is_taken_that_other_sources_were_compiled_to(tmp_path):
    (tmp_path / "room").mkdir()
    (tmp_path / "a.py").write_text("a")
    (tmp_path / "room" / "b.py").write_text("b")
    before = _jit._digest(tmp_path)
    assert _jit._digest(tmp_path) == before
    (tmp_path / "room" / "b.py").write_text("c")
    assert _jit._digest(tmp_path) != before
    # Of another version, numba reads no more than this: types that are no more could not be read.
    assert process(NUMBA_CACHE_DIR=str(tmp_path)) == ["True", "True"]
    (index,) = tmp_path.rglob("spectral._log-*.nbi")
    assert pickle.loads(index.read_bytes()) == _jit._VERSION
    index.write_bytes(pickle.dumps("another") + b"not to be read")
    assert process(NUMBA_CACHE_DIR=str(tmp_path)) == ["True", "True"]


def test_without_a_folder_kernels_are_compiled_each_time(tmp_path):
    (tmp_path / "file").write_text("")
    assert process(NUMBA_CACHE_DIR=str(tmp_path / "file" / "below")) == ["False", "True"]


WATCHED = (
    "import numpy; from audiocli.kernels import _jit, spectral\n"
    "say = lambda: print('compiling', flush=True)\n"
    "with _jit.watched(say, after={after}):\n"
    "    for _ in range(2): spectral.log_in_place(numpy.ones((2, 3), numpy.float32), spectral.Log(1.0, 1e-10))\n"
)


@pytest.mark.parametrize(("after", "said"), [(0.001, ["compiling"]), (1000.0, [])])
def test_compilation_that_takes_long_is_said_once_and_only_then(tmp_path, after, said):
    for expected in (said, []):  # in the second process all is in the cache
        result = subprocess.run(
            [sys.executable, "-c", WATCHED.format(after=after)],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout.split() == expected
