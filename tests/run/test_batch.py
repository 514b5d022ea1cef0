"""The way of inputs through a run, with scripted readers, runners and sinks."""

import os
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import PurePath

import pytest

from audiocli.console import Console
from audiocli.errors import DeviceError, InputError, OutputError, UsageError
from audiocli.inputs.sources import Source
from audiocli.outputs.sinks import Claim, NoMoreOutputError
from audiocli.records import Failure, Record
from audiocli.run.batch import Grouping, Work, run
from audiocli.run.job import finish
from audiocli.run.mapped import mapped
from audiocli.run.prefetch import prefetch

NAMES = [f"{i:02}" for i in range(20)]


@pytest.fixture(autouse=True)
def not_debugging(monkeypatch):
    monkeypatch.delenv("AUDIOCLI_DEBUG", raising=False)


class Told(Console):
    """A console that records its messages."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def error(self, text):
        self.lines.append(text)


class Kept:
    """A sink that keeps everything, in order."""

    def __init__(self):
        self.prepared, self.committed, self.failed, self.closed = [], [], [], []

    def claim(self, source):
        return None if source.path.startswith("done") else Claim(source)

    def prepare(self, claim, record):
        assert claim.source.path == record.path
        self.prepared.append(record.path)

    def commit(self, claim, record):
        assert claim.source.path == record.path
        self.committed.append(record.path)

    def fail(self, claim, failure):
        self.failed.append(failure.path)

    def close(self, complete=True):
        self.closed.append(complete)


def source(name):
    return Source(name, PurePath(name), 1, 1)


def record(name):
    return Record(path=name, duration=1.0, sample_rate=1, task="test")


def read(source):
    """The item of a source is its name."""
    return source.path


def runner(batch):
    return [record(name) for name in batch]


def raising(errors, then=runner):
    """A runner that raises errors[name] when it meets the name."""

    def run_batch(batch):
        for name in batch:
            if name in errors:
                raise errors[name]
        return then(batch)

    return run_batch


GROUPING = Grouping(cost=lambda name: 1.0 + int(name) % 7, seconds=20.0, window=8)
both_ways = pytest.mark.parametrize("grouping", [None, GROUPING], ids=["one by one", "in groups"])


class Doing(Work):
    """A work made of functions."""

    grouping = None

    def __init__(self, read=read, runner=runner, grouping=None):
        self.read, self.runner, self.grouping = read, runner, grouping

    def __call__(self, batch):
        return self.runner(batch)


def go(names=NAMES, *, read=read, runner=runner, sink=None, grouping=None, jobs=3):
    """Tally, sink and lines of a run."""
    sink, console = sink or Kept(), Told()
    found = (source(name) if isinstance(name, str) else name for name in names)
    tally = run(found, Doing(read, runner, grouping), sink, console, jobs=jobs)
    return tally, sink, console.lines


@both_ways
def test_order_is_kept(grouping):
    tally, sink, lines = go(grouping=grouping)
    assert sink.committed == NAMES
    assert sorted(sink.prepared) == NAMES
    assert sink.closed == [True]
    assert (tally.done, tally.seconds, tally.total, lines) == (20, 20.0, 20, [])


@both_ways
def test_each_failure_is_reported_in_its_place_and_the_others_go_on(grouping):
    names = [*NAMES[:5], Failure("lost", "no such file"), *NAMES[5:], "done 1"]
    errors = {
        "03": InputError("is damaged"),
        "07": MemoryError(),
        "09": KeyError("x"),
        "11": OSError(5, "Input/output error"),
    }
    tally, sink, lines = go(names, runner=raising(errors), grouping=grouping)
    assert sink.committed == [name for name in NAMES if name not in errors]
    assert sink.failed == ["03", "lost", "07", "09", "11"]
    assert lines == [
        "03: is damaged",
        "lost: no such file",
        "07: out of memory",
        "09: a bug in audiocli: KeyError: 'x'",
        "11: input/output error",
    ]
    assert (tally.done, tally.skipped, tally.failed, tally.bugs, tally.total) == (16, 1, 5, 1, 22)
    console = Told()
    assert finish(tally, console) == 3
    assert console.lines[-1] == "5 of 22 failed"


@both_ways
def test_readers_sinks_and_claims_may_fail(grouping):
    def bad_read(source):
        if source.path == "01":
            raise InputError("cannot be read")
        return source.path

    class Picky(Kept):
        def claim(self, source):
            if source.path == "00":
                raise OutputError("exists")
            return super().claim(source)

        def prepare(self, claim, record):
            if record.path == "02":
                raise OutputError("does not fit")

        def commit(self, claim, record):
            if record.path == "03":
                raise ValueError("a bug")
            super().commit(claim, record)

    tally, sink, lines = go(NAMES[:5], read=bad_read, sink=Picky(), grouping=grouping)
    assert lines == ["00: exists", "01: cannot be read", "02: does not fit", "03: a bug in audiocli: ValueError: a bug"]
    assert sink.committed == ["04"]
    assert (tally.failed, tally.bugs) == (4, 1)


@both_ways
@pytest.mark.parametrize("error", [UsageError("wrong"), DeviceError("none"), BrokenPipeError()])
def test_what_no_other_input_can_mend_ends_the_run(grouping, error):
    sink, begun = Kept(), []

    def counting(batch):
        begun.extend(batch)
        return raising({"02": error})(batch)

    with pytest.raises(type(error)):
        go(runner=counting, sink=sink, grouping=grouping, jobs=1)
    assert sink.closed == [False]
    assert len(begun) <= 8


@both_ways
def test_a_full_disk_ends_the_run(grouping):
    class Full(Kept):
        def prepare(self, claim, record):
            if record.path >= "04":
                raise NoMoreOutputError("x: the disk is full")
            super().prepare(claim, record)

    tally, sink, lines = go(sink=Full(), grouping=grouping)
    assert sink.committed == NAMES[:4]
    assert lines == ["04: x: the disk is full"]
    assert sink.closed == [False]
    assert sink.failed == []
    console = Told()
    assert finish(tally, console) == 1
    assert console.lines == ["stopped early, 1 of 5 failed"]


def test_a_full_temporary_folder_ends_the_run():
    tally, _, (line,) = go(runner=raising({"02": OSError(28, "No space left on device")}))
    assert tally.stuck
    assert line.endswith(": the disk is full")


def test_a_bug_shows_itself_when_debugging(monkeypatch):
    monkeypatch.setenv("AUDIOCLI_DEBUG", "1")
    with pytest.raises(KeyError):
        go(runner=raising({"02": KeyError("x")}))


# Reading ahead


@pytest.mark.parametrize("ahead", [1, 2, 7])
def test_never_more_than_ahead(ahead):
    """Started but not yet taken; over an endless iterator."""
    lock, started = threading.Lock(), [0]

    def count(item):
        with lock:
            started[0] += 1
        return item

    def endless():
        n = 0
        while True:
            yield n
            n += 1

    with ThreadPoolExecutor(4) as pool:
        for taken, item in enumerate(prefetch(count, endless(), pool, ahead), start=1):
            assert item == taken - 1
            assert started[0] <= taken + ahead
            if taken == 50:
                break


def test_work_is_shared_between_threads():
    """Three at once: none of them would end without the two others."""
    barrier = threading.Barrier(3, timeout=30)

    def together(batch):
        barrier.wait()
        return runner(batch)

    assert go(NAMES[:18], runner=together, jobs=3)[0].done == 18


def test_all_is_given_out_before_a_wait():
    """None among the inputs: the next may be long in coming."""
    for grouping in (None, GROUPING):
        sink = Kept()

        def slow(sink=sink):
            for n, name in enumerate(NAMES[:6]):
                if n in (1, 4):
                    yield None
                    assert sink.committed == NAMES[:n]
                yield name

        assert go(slow(), sink=sink, grouping=grouping)[0].done == 6


def test_an_error_of_the_list_itself_is_no_failure_of_an_input():
    def broken():
        yield "00"
        raise UsageError("the list is gone")

    sink = Kept()
    with pytest.raises(UsageError):
        go(broken(), sink=sink)
    assert sink.closed == [False]


# Groups


def batches(grouping, names=NAMES, then=runner):
    seen = []

    def noting(batch):
        seen.append(batch)
        return then(batch)

    return seen, go(names, runner=noting, grouping=grouping)


def test_groups_keep_within_the_budget():
    seen, (tally, sink, _) = batches(GROUPING)
    assert tally.done == 20
    assert sink.committed == NAMES
    costs = [[GROUPING.cost(name) for name in batch] for batch in seen]
    assert all(len(group) * max(group) <= GROUPING.seconds for group in costs)
    assert max(map(len, seen)) > 1
    assert sum(len(group) * max(group) - sum(group) for group in costs) < 30  # of similar length: little padding
    # One that is longer than the budget goes alone.
    seen, (tally, _, _) = batches(replace(GROUPING, seconds=3.0))
    assert tally.done == 20
    assert all(len(batch) == 1 for batch in seen if max(map(GROUPING.cost, batch)) > 3.0)


@pytest.mark.parametrize("error", [MemoryError, type("OutOfMemoryError", (RuntimeError,), {})])
def test_out_of_memory_halves_the_batch(error):
    def small(batch):
        if len(batch) > 2:
            raise error("too large")
        return runner(batch)

    seen, (tally, sink, lines) = batches(replace(GROUPING, seconds=1e9), then=small)
    assert (tally.done, lines) == (20, [])
    assert sink.committed == NAMES
    assert Counter(map(len, seen)) == {8: 2, 4: 5, 2: 10}
    seen, (tally, _, lines) = batches(GROUPING, NAMES[:2], then=raising({"00": error("still")}))
    assert (tally.done, tally.bugs, lines) == (1, 0, ["00: out of memory"])


def test_a_bad_item_fails_alone_in_its_group():
    seen, (_, sink, lines) = batches(replace(GROUPING, seconds=1e9), then=raising({"05": InputError("odd")}))
    assert lines == ["05: odd"]
    assert sink.committed == [name for name in NAMES if name != "05"]
    assert Counter(map(len, seen)) == {8: 2, 4: 1, 1: 8}  # those of its group, once each


def test_a_bug_shows_itself_after_a_batch_and_its_items():
    seen, (tally, _, lines) = batches(replace(GROUPING, seconds=1e9), NAMES[:8], then=lambda batch: 1 / 0)
    assert (tally.failed, tally.bugs, len(lines)) == (8, 8, 8)
    assert Counter(map(len, seen)) == {8: 1, 1: 8}


def test_a_runner_that_loses_results_is_a_bug():
    with pytest.raises(ValueError, match="zip"):
        go(runner=lambda batch: runner(batch)[1:], grouping=GROUPING)


@both_ways
def test_mapped_gives_every_result_and_why_there_is_none(grouping):
    console, found = Told(), [*map(source, NAMES[:4]), Failure("lost", "no such file")]
    results, tally = mapped(found, Doing(runner=raising({"02": InputError("odd")}), grouping=grouping), console, jobs=2)
    assert results.records == {name: record(name) for name in ("00", "01", "03")}
    assert results.failures == {"02": "odd", "lost": "no such file"}
    assert (tally.done, tally.failed) == (3, 2)
    assert console.lines == ["02: odd", "lost: no such file"]


# Ctrl-C


@pytest.fixture
def ctrl_c():
    """A Ctrl-C from any thread; the handler that was there before comes back."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


@both_ways
def test_ctrl_c_ends_after_the_files_in_hand(ctrl_c, grouping):
    def interrupted(batch):
        if "05" in batch:
            ctrl_c()
        return runner(batch)

    tally, sink, lines = go(runner=interrupted, grouping=grouping, jobs=1)
    assert tally.interrupted
    assert lines == ["finishing the file in hand; Ctrl-C again stops at once"]
    assert "05" in sink.committed
    assert 1 <= tally.done < 20
    assert sink.closed == [False]
    console = Told()
    assert finish(tally, console) == 130
    assert console.lines[-1].startswith(f"interrupted: {tally.done} done")


def test_ctrl_c_ends_the_wait_for_the_next_input(ctrl_c):
    def waiting():
        yield "00"
        yield None
        ctrl_c()
        threading.Event().wait(30)
        raise AssertionError("nobody ended the wait")

    tally, sink, _ = go(waiting())
    assert (tally.interrupted, sink.committed) == (True, ["00"])


def test_ctrl_c_twice_ends_the_process(ctrl_c, monkeypatch):
    ended, told = [], threading.Event()
    monkeypatch.setattr(os, "_exit", ended.append)

    class Noticing(Told):
        def error(self, text):
            super().error(text)
            told.set()

    def interrupted(batch):
        ctrl_c()
        assert told.wait(30)
        ctrl_c()
        return runner(batch)

    run(map(source, NAMES), Doing(runner=interrupted), Kept(), Noticing())
    assert ended == [130]


def test_in_another_thread_ctrl_c_is_not_ours():
    results = []
    thread = threading.Thread(target=lambda: results.append(go()[0].done))
    thread.start()
    thread.join()
    assert results == [20]


def test_where_nothing_is_found_is_said_and_counted():
    """Each of a few inputs has its line; of many in which the same thing is missing, the rest is counted."""

    def silent(batch):
        return [replace(record(name), status="no_speech", warnings=("it hums",) * (name == "03")) for name in batch]

    told = Told()
    run([source(name) for name in NAMES[:4]], Doing(runner=silent), Kept(), told)
    lines = [f"{name}: no speech in it" for name in NAMES[:4]]
    assert told.lines == [*lines, "03: it hums"]
    told = Told()
    run([source(name) for name in NAMES], Doing(runner=silent), Kept(), told)
    assert told.lines[:4] == lines
    assert (len(told.lines), told.lines[-1]) == (12, "20 inputs in all: no speech in it")


@pytest.fixture
def heeded():
    """SIGINT as on a terminal: tests that a script starts with & inherit that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_each_verb_says_what_ends_at_ctrl_c(capsys):
    from audiocli.console import Console
    from audiocli.inputs.stop import Stop

    with Stop(Console(), "stopping after the step in hand").listening():
        signal.raise_signal(signal.SIGINT)
    assert capsys.readouterr().err == "audiocli: stopping after the step in hand; Ctrl-C again stops at once\n"
