"""Groups that share a forward pass, and halving when memory runs out."""

import pytest
import torch

from audiocli.audio import Audio
from audiocli.models.batches import Batches
from audiocli.verbs.transcribe import ctc, moonshine
from audiocli.verbs.transcribe.whisper import engine as asr_whisper
from tests.models import tiny

CPU = torch.device("cpu")


def run(batches, costs, alike=False, holds=float("inf")):
    """The groups that go through, and the result for each item; a pass holds so much padded audio."""
    passes = []

    def forward(items):
        passes.append(list(items))
        if len(items) * max(items) > holds:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return [10 * item for item in items]

    return passes, batches.run(costs, lambda cost: cost, forward, alike=alike)


def test_items_of_like_length_go_together_within_the_seconds():
    passes, made = run(Batches("auto", 12.0, CPU), [5.0, 1.0, 6.0, 2.0, 30.0])
    assert passes == [[1.0, 2.0], [5.0, 6.0], [30.0]]
    assert made == [50.0, 10.0, 60.0, 20.0, 300.0]


def test_a_number_is_a_number():
    passes, _ = run(Batches("3", 12.0, CPU), [9.0, 8.0, 7.0, 1.0])
    assert passes == [[1.0, 7.0, 8.0], [9.0]]
    assert run(Batches("1", 12.0, CPU), [2.0, 1.0])[0] == [[1.0], [2.0]]


def test_only_clips_of_one_length_where_padding_would_show():
    assert run(Batches("auto", 12.0, CPU), [2.0, 1.0, 2.0, 2.0], alike=True)[0] == [[1.0], [2.0, 2.0, 2.0]]


def test_nothing_makes_nothing():
    assert run(Batches("auto", 12.0, CPU), []) == ([], [])


@pytest.mark.parametrize("size", ["auto", "8"])
def test_out_of_memory_halves_and_is_remembered(size):
    batches = Batches(size, 100.0, CPU)
    passes, made = run(batches, [1.0] * 8, holds=3)
    assert made == [10.0] * 8
    assert [len(each) for each in passes] == [8, 4, 2, 2, 4, 2, 2]
    passes, made = run(batches, [1.0] * 8, holds=3)
    assert [len(each) for each in passes] == [2, 2, 2, 2]


def test_one_item_that_does_not_fit_and_other_errors_are_reported():
    with pytest.raises(RuntimeError, match="allocate memory"):
        run(Batches("auto", 100.0, CPU), [5.0], holds=3)

    def wrong(items):
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        Batches("auto", 100.0, CPU).run([1.0, 1.0], lambda cost: cost, wrong)


@pytest.mark.parametrize(
    ("load", "family"), [(ctc, "wav2vec2-group"), (moonshine, "moonshine"), (asr_whisper, "whisper")]
)
def test_the_size_reaches_every_family_and_changes_no_text(load, family, tmp_path, monkeypatch):
    folder = tiny.untrained(family, tmp_path)
    noise = torch.Generator().manual_seed(0)
    clips = [Audio(0.1 * torch.randn(1, 8_000 * n, generator=noise).numpy(), tiny.RATE, str(n)) for n in (1, 2, 3, 3)]
    options = {"language": "en", "temperature": 1.0} if family == "whisper" else {}  # 1: no second tries
    sizes, records = {}, {}
    for size in ("auto", "1", "3"):
        made = tiny.runner(load.load, folder, batch_size=size, **options)
        name = "_forward" if load is ctc else "_read"
        forward, sizes[size] = getattr(made, name), []

        def counted(group, *more, f=forward, size=size):
            sizes[size].append(len(group))
            return f(group, *more)

        monkeypatch.setattr(made, name, counted)
        records[size] = made(clips)
    assert sizes == {"auto": [4], "1": [1, 1, 1, 1], "3": [3, 1]}
    if family != "whisper":  # draws of a batch are one stream
        assert tiny.same(records["auto"], records["1"])
        assert tiny.same(records["auto"], records["3"])
