"""`audiocli diarize` from the outside: turns of real speech, formats, folders, bad input, names."""

import csv
import json

import numpy as np
import pytest
import soundfile

from audiocli.vad.silero import SAMPLE_RATE as RATE

FORMATS = ("rttm", "json", "jsonl", "csv", "TextGrid", "srt", "labels", "txt", "svg")


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("AUDIOCLI_DIARIZE_MODEL", raising=False)


def said(shared, voice, number):
    """Sentence `number` of a speaker of CMU ARCTIC, at -26 dBFS."""
    folder = shared / "data" / "cmu-arctic"
    rows = [
        row for row in csv.DictReader((folder / "transcripts.tsv").open(), delimiter="\t") if row["speaker"] == voice
    ]
    samples = soundfile.read(folder / rows[number]["path"], dtype="float32")[0]
    return 0.05 * samples / np.sqrt(np.mean(samples**2))


@pytest.fixture(scope="session")
def talk(shared, tmp_path_factory):
    """A man and a woman in turns, and when each of them speaks."""
    parts, turns, at = [], [], 0.0
    for n in range(6):
        voice = ("bdl", "slt")[n % 2]
        samples = said(shared, voice, 3 * n)
        parts += [np.zeros(RATE // 2, np.float32), samples]
        turns.append((at + 0.5, at + 0.5 + len(samples) / RATE, voice))
        at = turns[-1][1]
    path = tmp_path_factory.mktemp("talk") / "talk.wav"
    soundfile.write(path, np.concatenate(parts), RATE)
    return path, turns


def turns_of(out):
    fields = [line.split() for line in out.decode().splitlines()]
    return [(float(f[3]), float(f[3]) + float(f[4]), f[7]) for f in fields]


def agreement(found, turns):
    """The share of the time on which both agree, under the better of the two ways to call two speakers."""
    times = np.arange(0.05, turns[-1][1], 0.1)

    def who(all_turns, time):
        return next((speaker for start, end, speaker in all_turns if start <= time < end), None)

    pairs = [(who(found, time), who(turns, time)) for time in times]
    both = [pair for pair in pairs if None not in pair]
    names = sorted({speaker for _, _, speaker in found})[:2]
    share = sum(pair in ((names[0], "bdl"), (names[-1], "slt")) for pair in both) / len(both)
    return max(share, 1.0 - share)


def test_two_voices_are_distinguished(call, talk):
    path, turns = talk
    code, out, err = call("diarize", path, "--speakers", "2", "-q")
    assert (code, err) == (0, "")
    assert agreement(turns_of(out), turns) > 0.95


def test_a_pipe_a_cut_and_the_number_by_the_data(call, run, talk):
    path, _ = talk
    code, whole, _ = call("diarize", path, "-q", "--max-speakers", "2")
    piped = run("diarize", "-", "-q", "--max-speakers", "2", input=path.read_bytes())
    assert piped.returncode == code == 0
    assert piped.stdout == whole.replace(b" talk ", b" stdin ")
    _, late, _ = call("diarize", path, "-q", "--max-speakers", "2", "--start", "5")
    assert turns_of(late)[0][0] >= 5.0
    assert turns_of(late)[-1][1] == pytest.approx(turns_of(whole)[-1][1], abs=0.1)


def test_telephone_speech_at_8_khz(call, talk, tmp_path):
    path, turns = talk
    samples = soundfile.read(path, dtype="float32")[0]
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3_400)] = 0.0
    soundfile.write(tmp_path / "call.wav", np.fft.irfft(spectrum, len(samples))[::2], RATE // 2)
    code, out, err = call("diarize", "call.wav", "--speakers", "2", "-q")
    assert (code, err) == (0, "")
    assert agreement(turns_of(out), turns) > 0.9


def test_words_have_speakers(call, talk):
    path, turns = talk
    code, out, err = call("transcribe", path, "--diarize", "--speakers", "2", "-f", "json", "-q", "--duration", "14")
    assert (code, err) == (0, "")
    record = json.loads(out)
    words = [word for segment in record["segments"] for word in segment["words"]]
    assert agreement([(word["start"], word["end"], word["speaker"]) for word in words], turns) > 0.9
    assert all({word["speaker"] for word in segment["words"]} == {segment["speaker"]} for segment in record["segments"])
    assert record["options"]["timestamps"] == "segment"


def test_speakers_are_called_by_name(call, real, shared, talk, tmp_path):
    path, _ = talk
    samples = np.concatenate([said(shared, "slt", n) for n in range(100, 106)])
    soundfile.write(tmp_path / "anna.wav", samples, RATE)
    assert call("verify", "anna.wav", "--enroll", "Anna", "--db", "people.db", "-q")[0] == 0
    code, out, _ = call("diarize", path, "--speakers", "2", "--db", "people.db", "-q")
    assert code == 0
    assert "Anna" in {speaker for _, _, speaker in turns_of(out)}


@pytest.fixture
def odd(tmp_path, speech):
    """Inputs without much in them."""
    soundfile.write(tmp_path / "silence.wav", np.zeros(2 * RATE), RATE)
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), RATE)
    soundfile.write(tmp_path / "noise.wav", 0.01 * np.random.default_rng(0).standard_normal(RATE), RATE)
    samples, rate = soundfile.read(speech)
    soundfile.write(tmp_path / "short.wav", samples[: int(0.3 * rate)], rate)
    return [tmp_path / f"{name}.wav" for name in ("silence", "empty", "noise", "short")]


def test_next_to_nothing_is_no_failure(call, odd):
    code, out, err = call("diarize", *odd, "-f", "jsonl", "-q")
    assert (code, err) == (0, "")
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["status"] for record in records[:3]] == ["no_speech", "empty", "no_speech"]
    assert [record["turns"] for record in records[:3]] == [[], [], []]
    assert len(records[3]["speakers"]) <= 1


@pytest.mark.parametrize("form", FORMATS)
def test_silence_is_a_valid_file(call, odd, tmp_path, form):
    assert call("diarize", odd[0], "-o", f"x.{form}", "-q") == (0, b"", "")
    text = (tmp_path / f"x.{form}").read_text()
    if "json" in form:
        assert json.loads(text)["turns"] == []
    assert form in ("json", "jsonl", "csv", "TextGrid", "svg") or text == ""


def test_more_speakers_than_there_are(call, recording):
    code, out, err = call("diarize", recording, "--speakers", "40", "--duration", "8")
    assert code == 0
    assert 1 <= len({speaker for _, _, speaker in turns_of(out)}) < 40
    assert "of 40 speakers found" in err


def test_a_folder_with_pictures_goes_on_after_a_kill(call, many, tmp_path):
    many(3)
    (tmp_path / "in" / "broken.wav").write_bytes(b"RIFF nothing")
    code, out, err = call("diarize", "in", "-o", "out/", "--plot", "svg", "-q")
    assert (code, out) == (1, b"")
    assert "1 of 4 failed" in err
    assert sorted(p.name for p in (tmp_path / "out").glob("0*")) == [
        f"0{n}.{s}" for n in range(3) for s in ("rttm", "svg")
    ]
    (tmp_path / "out" / "01.rttm").unlink()
    (tmp_path / "in" / "broken.wav").unlink()
    code, _, err = call("diarize", "in", "-o", "out/", "--plot", "svg", "--resume")
    assert code == 0
    assert "1 done, 2 were done before" in err
    code, _, err = call("diarize", "in", "-o", "out/", "-n", "2", "--plot", "svg", "--resume")
    assert "were done before" not in err  # other options, another result


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--speakers", "0"], "--speakers must be 1"),
        (["--min-speakers", "-1"], "--min-speakers must be 1"),
        (["--min-speakers", "3", "--max-speakers", "2"], "is more than"),
        (["--speakers", "2", "--max-speakers", "3"], "is the number itself"),
        (["--channels", "--speakers", "2"], "a speaker of each channel"),
        (["--channels", "--channel", "right"], "leave --channel out"),
        (["--vad-threshold", "0"], "--vad-threshold"),
        (["--plot", "bmp"], "--plot"),
        (["--format", "ctm"], "rttm"),
        (["--model", "whisper-base"], "audiocli transcribe"),
        (["--model", "siamese-speakers"], "audiocli verify"),
        (["--precision", "int3"], "--precision"),
        (["--device", "cuda"], "--device"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_a_usage_error(call, odd, args, words):
    code, out, err = call("diarize", odd[0], *args)
    assert (code, out) == (2, b"")
    assert words in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--speakers", "2"], "add --diarize"),
        (["--db", "x"], "add --diarize"),
        (["--diarize-model", "siamese-clusters"], "add --diarize"),
        (["--diarize", "--diarize-model", "siamese-speakers"], "audiocli verify"),
        (["--diarize", "--diarize-model", "no-such"], "no-such"),
        (["--diarize", "--speakers", "0"], "1 or more"),
        (["--diarize", "--stream"], "leave --stream out"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_speakers_of_a_transcript_need_sense(call, odd, args, words):
    code, _, err = call("transcribe", odd[0], *args)
    assert code == 2
    assert words in err.splitlines()[-1]


def test_subtitles_of_two_inputs_need_a_folder(call, odd):
    code, _, err = call("diarize", *odd, "-f", "srt")
    assert code == 2
    assert "-o FOLDER/" in err
