"""Diarization around a segmentation net: one with random weights, made-up windows, and the published net where it is."""

import importlib.util
import itertools
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from audiocli.device import Place
from audiocli.errors import AudiocliError, ModelError
from audiocli.models.load import build
from audiocli.models.locate import locate
from audiocli.options import DiarizeOptions, ModelOptions
from audiocli.verbs.diarize import listening, net, people, reconstruction
from audiocli.verbs.diarize.models import SEGMENTATION_FILE
from audiocli.verbs.diarize.work import Diarizer
from audiocli.voices.clusters import Bounds
from tests.verbs.diarize.test_command import agreement, said, talk, turns_of  # noqa: F401 - talk is a fixture

MODELS = Path(os.environ.get("AUDIOCLI_TEST_MODELS", "nowhere"))  # a folder with the files of published models
RATE = 16_000
BEGIN, STEP = 0.0225, 270 / RATE  # s, of the frames


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("AUDIOCLI_DIARIZE_MODEL", raising=False)


# ---- the checkpoint


class Alien:
    """A class that only whoever trained the net has; made again by a call."""

    def __reduce__(self):
        return print, ("run",)


def small(hidden=6, width=5, layers=2, speakers=3):
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.segmentation import PyanNet

    torch.manual_seed(0)
    net = PyanNet(lstm={"hidden_size": hidden, "num_layers": layers}, linear={"hidden_size": width, "num_layers": 2})
    net.specifications = Specifications(
        problem=Problem.MULTI_LABEL_CLASSIFICATION, resolution=Resolution.FRAME, duration=5.0,
        classes=[str(n) for n in range(speakers)], permutation_invariant=True,
    )  # fmt: skip
    net.build()
    return net.eval()


def checkpoint(folder, state):
    folder.mkdir(exist_ok=True)
    held = {"epoch": 3, "state_dict": state, "hyper_parameters": Alien(), "callbacks": {Alien: 1}}
    torch.save(held, folder / SEGMENTATION_FILE, pickle_module=pickle)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return checkpoint(tmp_path_factory.mktemp("models") / "mine", small().state_dict())


def test_probabilities_are_those_of_pyannotes_own_net(folder, capsys):
    published = net.load_published(folder, Place("cpu"))
    windows = np.random.default_rng(0).standard_normal((2, net.WINDOW)).astype(np.float32)
    with torch.inference_mode():
        want = small()(torch.from_numpy(windows)[:, None]).numpy()
    np.testing.assert_allclose(published(windows), want, atol=1e-6)
    assert want.shape == (2, published.frames, net.SPEAKERS)
    assert published.step / RATE == STEP
    assert (published.centre - published.step / 2) / RATE == BEGIN
    assert capsys.readouterr().out == ""  # the alien class was not made


def damaged(state, name):
    """A state with one thing wrong."""
    state = dict(state)
    if name == "another net":
        return {"lstm.weight": torch.ones(2, 2)}
    if name == "a lost layer":
        del state["linear.1.bias"]
    if name == "a wrong shape":
        state["classifier.weight"] = torch.ones(3, 99)
    if name == "a number":
        state["lstm.weight_hh_l0"] = torch.tensor(1.0)
    return state


@pytest.mark.parametrize("kind", ["another net", "a lost layer", "a wrong shape", "a number"])
def test_another_net_is_refused_in_one_line(call, speech, tmp_path, kind):
    checkpoint(tmp_path / "other", damaged(small().state_dict(), kind))
    code, out, err = call("diarize", speech, "-m", tmp_path / "other", "-q")
    assert (code, out) == (2, b"")
    assert len(err.splitlines()) == 1
    assert "holds something other than pyannote's segmentation net" in err


@pytest.mark.parametrize("length", [0, 100, -1000])
def test_a_cut_file_is_refused_in_one_line(call, folder, speech, tmp_path, length):
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / SEGMENTATION_FILE).write_bytes((folder / SEGMENTATION_FILE).read_bytes()[:length])
    code, out, err = call("diarize", speech, "-m", tmp_path / "cut", "-q")
    assert code in (1, 2)
    assert out == b""
    assert len(err.splitlines()) == 1
    assert "is damaged" in err


def test_a_checkpoint_without_weights_is_refused(tmp_path):
    (tmp_path / "none").mkdir()
    torch.save([1, 2], tmp_path / "none" / SEGMENTATION_FILE)
    with pytest.raises(ModelError, match="no state_dict"):
        build(locate(str(tmp_path / "none"), "diarize"), Diarizer, ModelOptions(), DiarizeOptions())


# ---- windows


@pytest.mark.parametrize("length", [1, 100, 79_999, 80_000, 80_001, 200_000])
def test_windows_reach_to_the_end_however_the_blocks_are_cut(length):
    samples = np.arange(1, length + 1, dtype=np.float32)
    hop = 16_200
    for size in (length, 7_001, 90_000):
        blocks = [samples[first : first + size] for first in range(0, length, size)]
        found = list(listening.windows(blocks, hop))
        assert all(len(one) == net.WINDOW for one in found)
        for n, one in enumerate(found):
            there = samples[n * hop : n * hop + net.WINDOW]
            assert np.array_equal(one[: len(there)], there)
            assert not one[len(there) :].any()
        assert (len(found) - 1) * hop + net.WINDOW >= length
        assert len(found) == 1 or (len(found) - 2) * hop + net.WINDOW < length
    assert list(listening.windows([], hop)) == []


# ---- people and turns, by made-up windows

FRAMES = 293


def heard(plan, seconds, voices, order=lambda n: range(3)):
    """Windows of an input in which `plan` says who (0, 1, 2) speaks when; in which column, is another thing in each window."""
    count = 1 + max(0, -(-round((seconds - 5.0) / STEP) // listening.HOP))
    length = (count - 1) * listening.HOP + FRAMES
    truth = np.zeros((length, 3), bool)
    for start, end, who in plan:
        truth[round(start / STEP) : round(end / STEP), who] = True
    scores, embedded = np.zeros((count, FRAMES, 3), np.uint8), np.zeros((count, 3, voices.shape[1]), np.float32)
    for n in range(count):
        columns = list(order(n))
        part = truth[n * listening.HOP : n * listening.HOP + FRAMES]
        for who, column in enumerate(columns):
            scores[n, :, column] = 240 * part[:, who] + 5
            if part[:, who].any():
                embedded[n, column] = voices[who]
    return listening.Heard(scores, embedded, STEP, 0.0, 0.4)


ANY, SPREAD = Bounds(), people.Spread(3.3, 0.05)


def turns(one, bounds=ANY, exclusive=False, seconds=30.0):
    labels, count = people.speakers(one, bounds, SPREAD)
    return reconstruction.turns(one, labels, count, seconds, exclusive=exclusive)


PLAN = ((0.5, 8.0, 0), (7.0, 14.0, 1), (14.5, 20.0, 0), (19.0, 25.0, 2), (25.5, 29.0, 1))
ORDERS = list(itertools.permutations(range(3)))


def told(turns):
    return sorted((round(turn.start, 1), round(turn.end, 1), turn.speaker) for turn in turns)


def matched(found, plan=PLAN):
    """The turns under the names of the plan, whichever numbers they have."""
    names = {speaker: who for start, end, who in plan for s, e, speaker in found if abs(s - start) + abs(e - end) < 0.3}
    return [(start, end, names[speaker]) for start, end, speaker in found]


def test_people_are_the_same_in_all_windows_and_overlap_is_kept():
    found = turns(heard(PLAN, 30.0, np.eye(3, dtype=np.float32), lambda n: ORDERS[n * 5 % 6]))
    for one, want in zip(matched(told(found)), sorted(PLAN), strict=True):
        assert one == pytest.approx(want, abs=0.11)


def test_one_at_a_time():
    found = sorted(
        turns(heard(PLAN, 30.0, np.eye(3, dtype=np.float32), lambda n: ORDERS[n * 5 % 6]), exclusive=True),
        key=lambda turn: turn.start,
    )
    assert {turn.speaker for turn in found} == {"0", "1", "2"}
    assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(found))
    assert sum(turn.end - turn.start for turn in found) == pytest.approx(27.5, abs=0.3)


def crowd(people_in, each, spread, seed=0):
    """Voices [people_in * each, 64] of length 1 that scatter around the people's own directions, at right angles to each other."""
    random = np.random.default_rng(seed)
    own = np.repeat(np.eye(64)[:people_in], each, axis=0)
    voices = own + spread * random.standard_normal((len(own), 64)) / 8.0
    return (voices / np.linalg.norm(voices, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("number", [1, 2, 5, 20])
@pytest.mark.parametrize("each", [8, 40, 300])
def test_people_are_told_apart_however_much_they_say(number, each):
    found = people.split(crowd(number, each, 0.8), np.full(number * each, 2.0), ANY, SPREAD)
    assert sorted(sorted(set((some // each).tolist())) for some in found) == [[n] for n in range(number)]
    assert sum(map(len, found)) == number * each


@pytest.mark.parametrize("each", [1, 2, 3])
def test_the_split_of_two_by_ward(each):
    """n voices each at one place, at right angles: Ward's squared height is 2 n n / 2 n times their squared distance, 2."""
    voices = np.repeat(np.eye(2, dtype=np.float32), each, axis=0)
    found = people.split(voices, np.full(2 * each, 5.0), ANY, SPREAD)
    assert len(found) == (2 if 2.0 * each > SPREAD.of(2 * each) else 1)


def test_who_hardly_speaks_is_no_speaker():
    voices, seconds = crowd(2, 20, 0.8), np.full(40, 2.0)
    seconds[20:] = 0.01
    assert [len(some) for some in people.split(voices, seconds, ANY, SPREAD)] == [20]


@pytest.mark.parametrize("number", [1, 2, 3, 40])
def test_there_are_as_many_as_there_must_be(number):
    found = people.split(crowd(2, 20, 0.8), np.full(40, 2.0), Bounds(number, number), SPREAD)
    assert len(found) == number
    assert len(set(np.concatenate(found).tolist())) == 40


def test_a_voice_that_comes_back_is_the_same_person():
    back = ((0.5, 6.0, 0), (15.0, 22.0, 1))
    same = np.tile(np.eye(3, dtype=np.float32)[:1], (3, 1))
    assert {turn.speaker for turn in turns(heard(back, 30.0, same))} == {"0"}
    alike = np.array([[1.0, 0.0], [0.55, 0.835], [0.0, 1.0]], np.float32)
    assert {turn.speaker for turn in turns(heard(back, 30.0, alike))} == {"0"}
    close = ((0.5, 6.0, 0), (6.2, 11.0, 1), (11.2, 16.0, 0), (16.2, 21.0, 1))
    assert len({turn.speaker for turn in turns(heard(close, 30.0, alike))}) == 2


@pytest.mark.parametrize(
    ("bounds", "number"),
    [(Bounds(2, 2), 2), (Bounds(1, 1), 1), (Bounds(3, 3), 3), (Bounds(1, 2), 2)],
)
def test_the_number_of_speakers_can_be_given(bounds, number):
    found = turns(heard(PLAN, 30.0, np.eye(3, dtype=np.float32)), bounds)
    assert len({turn.speaker for turn in found}) == number


def test_more_speakers_than_there_are():
    found = turns(heard(PLAN, 30.0, np.eye(3, dtype=np.float32)), Bounds(9, 9))
    assert 3 <= len({turn.speaker for turn in found}) <= 9


def test_of_many_voices_some_are_clustered(monkeypatch):
    plan = tuple((2.0 * n, 2.0 * n + 1.6, n % 3) for n in range(60))
    one = heard(plan, 120.0, np.eye(3, dtype=np.float32), lambda n: ORDERS[n % 6])
    whole = told(turns(one, seconds=120.0))
    monkeypatch.setattr(people, "MOST", 30)
    few = told(turns(one, seconds=120.0))
    assert sorted(span[:2] for span in few) == sorted(span[:2] for span in whole)
    assert len({speaker for _, _, speaker in whole}) == len({speaker for _, _, speaker in few}) == 3


def test_everybody_at_once():
    """Nobody is ever alone; the voices are those of mixtures, and there are people all the same."""
    found = turns(heard(((0.5, 9.0, 0), (0.5, 9.0, 1)), 10.0, np.eye(3, dtype=np.float32)), seconds=10.0)
    assert found
    assert all(0.0 <= turn.start < turn.end <= 10.0 for turn in found)


def test_turns_end_where_the_input_does():
    found = turns(heard(((0.0, 8.0, 0),), 6.0, np.eye(3, dtype=np.float32)), seconds=6.0)
    assert [turn.start for turn in found] == [0.0]
    assert found[0].end == pytest.approx(6.0, abs=0.05)


# ---- the command, with random weights: whatever they hear, the output is in order


@pytest.fixture
def odd(tmp_path, speech):
    """Inputs without much in them."""
    samples, rate = soundfile.read(speech)
    random = np.random.default_rng(0)
    soundfile.write(tmp_path / "silence.wav", np.zeros(7 * RATE), RATE)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    soundfile.write(tmp_path / "short.wav", samples[: int(0.3 * rate)], rate)
    soundfile.write(tmp_path / "telephone.wav", 0.1 * random.standard_normal(6 * 8_000), 8_000)
    return [tmp_path / f"{name}.wav" for name in ("silence", "empty", "short", "telephone")]


@pytest.mark.parametrize("more", [(), ("--speakers", "1"), ("--min-speakers", "4"), ("--exclusive",)])
def test_odd_inputs(call, folder, odd, more):
    code, out, err = call("diarize", *odd, "-m", folder, "-f", "jsonl", "-q", "--offline", *more)
    assert (code, err) == (0, "")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["status"] for record in records[:2]] == ["no_speech", "empty"]
    assert [record["duration"] for record in records] == pytest.approx([7.0, 0.0, 0.3, 6.0], abs=0.01)
    for record in records:
        assert record["model"] == "mine"
        assert record["exclusive"] is ("--exclusive" in more)
        assert all(0 <= turn["start"] < turn["end"] <= record["duration"] + 1e-3 for turn in record["turns"])
        if "--speakers" in more:
            assert len(record["speakers"]) <= 1


@pytest.mark.parametrize(
    ("more", "words"), [(["--precision", "float16"], "float32"), (["--vad-threshold", "0.2"], "--vad-threshold")]
)
def test_what_it_cannot_is_a_usage_error(call, folder, speech, more, words):
    code, out, err = call("diarize", speech, "-m", folder, *more)
    assert (code, out) == (2, b"")
    assert words in err.splitlines()[-1]


def test_transcribe_takes_it(call, folder, recording, monkeypatch):
    monkeypatch.setenv("AUDIOCLI_DIARIZE_MODEL", str(folder))
    code, out, err = call("transcribe", recording, "--diarize", "-f", "json", "-q", "--start", "6.5", "--duration", "4")
    assert (code, err) == (0, "")
    assert json.loads(out)["segments"]


# ---- the published net


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    file = MODELS / "segmentation" / "pytorch_model.bin"
    if not file.exists():
        pytest.skip("no published segmentation net in AUDIOCLI_TEST_MODELS")
    target = tmp_path_factory.mktemp("models") / "pyannote"
    target.mkdir()
    (target / SEGMENTATION_FILE).symlink_to(file)
    return target


def test_two_voices_that_overlap(call, published, real, tmp_path):
    """A man and a woman, each of whom begins while the other still speaks."""
    parts, plan, at = [], [], 0.5
    for n in range(6):
        samples = np.concatenate([said(real, ("bdl", "slt")[n % 2], 7 * n + k) for k in range(2)])
        plan.append((at, at + len(samples) / RATE, ("bdl", "slt")[n % 2]))
        parts.append((round(at * RATE), samples))
        at = plan[-1][1] - 1.0
    mixed = np.zeros(parts[-1][0] + len(parts[-1][1]), np.float32)
    for first, samples in parts:
        mixed[first : first + len(samples)] += samples
    soundfile.write(tmp_path / "both.wav", mixed, RATE)
    code, out, err = call("diarize", "both.wav", "-m", published, "-q", "--offline")
    assert (code, err) == (0, "")
    found = turns_of(out)
    assert len({speaker for _, _, speaker in found}) == 2
    spoken = sum(end - start for start, end, _ in found)
    alone = sum(end - start for start, end in united(found))
    assert spoken - alone > 2.5  # of 5 s in which both speak
    code, out, _ = call("diarize", "both.wav", "-m", published, "-q", "--exclusive")
    found = turns_of(out)
    assert agreement(found, plan) > 0.8
    assert all(a[1] <= b[0] + 1e-6 for a, b in itertools.pairwise(sorted(found)))


def united(turns):
    """The stretches in which anybody speaks."""
    merged = []
    for start, end, _ in sorted(turns):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(end, merged[-1][1])
        else:
            merged.append([start, end])
    return merged


def test_the_conversation_in_pyannotes_wheel(call, published, recording):
    """A telephone call of two: about as their own pipeline has it."""
    code, out, err = call("diarize", recording, "-m", published, "-q")
    assert (code, err) == (0, "")
    found = turns_of(out)
    rttm = importlib.util.find_spec("pyannote").submodule_search_locations
    reference = [
        (float(f[3]), float(f[3]) + float(f[4]), f[7])
        for f in map(str.split, (Path(next(iter(rttm)), "audio", "sample", "sample.rttm")).read_text().splitlines())
    ]
    assert len({speaker for _, _, speaker in found}) == len({speaker for _, _, speaker in reference})
    heard_of = sum(end - start for start, end in united(found))
    assert heard_of == pytest.approx(sum(end - start for start, end in united(reference)), rel=0.1)


def test_nobody_and_one(call, published, recording, real, tmp_path):
    soundfile.write(tmp_path / "noise.wav", 0.01 * np.random.default_rng(0).standard_normal(8 * RATE), RATE)
    soundfile.write(tmp_path / "one.wav", np.concatenate([said(real, "slt", n) for n in range(4)]), RATE)
    code, out, _ = call("diarize", "noise.wav", "one.wav", "-m", published, "-f", "jsonl", "-q")
    assert code == 0
    nobody, one = (json.loads(line) for line in out.splitlines())
    assert nobody["status"] == "no_speech"
    assert max(one["speakers"], key=lambda each: each["seconds"])["seconds"] > 0.6 * one["duration"]
    code, out, _ = call("diarize", "one.wav", "-m", published, "--speakers", "1", "-f", "jsonl", "-q")
    assert (code, len(json.loads(out)["speakers"])) == (0, 1)
    code, out, err = call("diarize", "one.wav", "-m", published, "--speakers", "30")
    assert code == 0
    assert "of 30 speakers found" in err


def test_damage_to_the_published_file_is_an_error_of_ours(published, tmp_path):
    data = bytearray((published / SEGMENTATION_FILE).read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / SEGMENTATION_FILE).write_bytes(data)
    with pytest.raises(AudiocliError, match="damaged"):
        net.load_published(tmp_path, Place("cpu"))
