"""Fingerprints: pieces of recordings are found again at their place, through noise and codecs; unknown ones are not."""

import sqlite3
from itertools import pairwise
from pathlib import PurePath

import numpy as np
import pytest
import soundfile

from audiocli.errors import InputError
from audiocli.inputs.sources import Source
from audiocli.verbs.verify.recordings.fingerprint import BLOCK, HOP, SAMPLE_RATE, fingerprint
from audiocli.verbs.verify.recordings.index import Index, Track, tracks
from audiocli.verbs.verify.recordings.search import chance, search


def melody(seed, seconds=40.0, rate=SAMPLE_RATE):
    """Notes of random pitch and length, two at a time, each with harmonics that die away."""
    random, n = np.random.default_rng(seed), int(seconds * rate)
    out = np.zeros(n, np.float32)
    for _ in range(2):
        at = 0
        while at < n:
            length = int(random.uniform(0.15, 0.5) * rate)
            time = np.arange(min(length, n - at)) / rate
            pitch = 220.0 * 2 ** (random.integers(0, 24) / 12)
            for k in range(1, 6):
                out[at : at + length] += np.sin(2 * np.pi * k * pitch * time) / k * np.exp(-3 * time)
            at += length
    return 0.1 * out


@pytest.fixture(scope="module")
def known():
    return [Track(str(seed), fingerprint([melody(seed)])) for seed in range(6)]


@pytest.mark.parametrize("begin", [0.0, 7.123, 33.0])
def test_a_piece_is_found_at_its_place(known, begin):
    query = melody(3)[int(begin * SAMPLE_RATE) :][: 5 * SAMPLE_RATE]
    best, second, *_ = search(query, known)
    assert best.found
    assert best.track.path == "3"
    assert best.offset == pytest.approx(begin, abs=0.02)
    assert not second.found


def test_noise_of_the_same_power_and_a_tenth_of_the_level(known):
    query = melody(2)[10 * SAMPLE_RATE :][: 5 * SAMPLE_RATE]
    noise = np.random.default_rng(0).standard_normal(len(query)).astype(np.float32)
    best = search(0.1 * (query + noise * query.std()), known)[0]
    assert best.found
    assert (best.track.path, round(best.offset, 1)) == ("2", 10.0)


def test_telephone(known):
    query = melody(1)[20 * SAMPLE_RATE :][: 5 * SAMPLE_RATE]
    spectrum, hertz = np.fft.rfft(query), np.fft.rfftfreq(len(query), 1 / SAMPLE_RATE)
    spectrum[(hertz < 300) | (hertz > 3_400)] = 0
    best = search(np.fft.irfft(spectrum, len(query)).astype(np.float32), known)[0]
    assert best.found
    assert best.track.path == "1"


def test_what_is_in_no_track_is_not_found(known):
    random = np.random.default_rng(1)
    unknown = [melody(seed)[: 5 * SAMPLE_RATE] for seed in range(100, 120)]
    unknown += [random.standard_normal(5 * SAMPLE_RATE).astype(np.float32), np.zeros(5 * SAMPLE_RATE, np.float32)]
    assert not any(search(query, known)[0].found for query in unknown)


def test_where_blocks_end_makes_no_difference():
    samples = melody(0, (BLOCK + 500) * HOP / SAMPLE_RATE)
    whole = fingerprint([samples])
    for parts in (7, 300):
        blocks = fingerprint(np.array_split(samples, parts))
        np.testing.assert_array_equal(blocks.hashes, whole.hashes)
        np.testing.assert_array_equal(blocks.frames, whole.frames)
    assert whole.duration == pytest.approx(len(samples) / SAMPLE_RATE, abs=HOP / SAMPLE_RATE)


def test_silence_and_nothing_have_no_hashes():
    for blocks in ([], [np.zeros(0, np.float32)], [np.zeros(50_000, np.float32)], [np.ones(100, np.float32)]):
        assert not len(fingerprint(blocks).hashes)


def test_chance_falls_with_agreement():
    chances = [chance(events, 200, 2_000) for events in range(1, 40)]
    assert all(later <= sooner for sooner, later in pairwise(chances))
    assert chance(3, 1_000, 100) == 1.0
    assert chances[-1] < 1e-20


@pytest.fixture
def db(tmp_path):
    path = str(tmp_path / "music.db")
    index = Index(path)
    for seed in range(2):
        index.add(Source(f"/music/{seed}.flac", PurePath(), 10, seed), fingerprint([melody(seed, 10.0)]))
    index.close()
    return path


def test_an_index_gives_back_what_went_in(db):
    found = list(tracks(db))
    assert [track.path for track in found] == ["/music/0.flac", "/music/1.flac"]
    np.testing.assert_array_equal(found[1].print.hashes, fingerprint([melody(1, 10.0)]).hashes)


def test_an_index_knows_files_as_they_are(db):
    index = Index(db)
    assert index.has(Source("/music/1.flac", PurePath(), 10, 1))
    assert not index.has(Source("/music/1.flac", PurePath(), 11, 1))
    assert not index.has(Source("/music/2.flac", PurePath(), 10, 1))
    index.add(Source("/music/1.flac", PurePath(), 11, 5), fingerprint([melody(5, 10.0)]))
    assert len(index) == 2
    index.close()
    np.testing.assert_array_equal(list(tracks(db))[1].print.hashes, fingerprint([melody(5, 10.0)]).hashes)


def test_a_damaged_index_gives_no_answer(db, tmp_path):
    whole = open(db, "rb").read()
    cut = tmp_path / "cut.db"
    cut.write_bytes(whole[: len(whole) - 4_096])
    with pytest.raises(InputError, match="cut off or damaged"):
        list(tracks(str(cut)))
    with sqlite3.connect(db) as connection:
        blob = connection.execute("SELECT data FROM tracks WHERE path = '/music/1.flac'").fetchone()[0]
        connection.execute("UPDATE tracks SET data = ? WHERE path = '/music/1.flac'", (b"\0" + blob[1:],))
    connection.close()
    with pytest.raises(InputError, match=r"damaged at /music/1.flac"):
        list(tracks(db))


@pytest.mark.slow
def test_through_files_and_mp3(tmp_path, run):
    folder = tmp_path / "music"
    folder.mkdir()
    for seed in range(3):
        soundfile.write(folder / f"{seed}.flac", melody(seed, 20.0, 44_100), 44_100)
    soundfile.write(tmp_path / "query.mp3", melody(1, 20.0, 44_100)[44_100 * 8 :][: 44_100 * 5], 44_100)
    done = run("verify", "--recording", "--index", "music", "--db", "music.db", "query.mp3", "--format", "csv")
    assert done.returncode == 0, done.stderr
    track, offset = done.stdout.decode().splitlines()[1].split(",")[1:3]
    assert track.endswith("1.flac")
    assert float(offset) == pytest.approx(8.0, abs=0.1)


def test_equal_tracks_and_files_that_are_gone(call, tmp_path):
    import json

    random = np.random.default_rng(3)
    tones = sum(np.sin(np.cumsum(random.uniform(0.2, 1.5, 20).repeat(3_200))) for _ in range(3)) * 0.2
    folder = tmp_path / "tracks"
    folder.mkdir()
    for name, sound in (("a", tones), ("b", tones), ("c", tones[::-1])):
        soundfile.write(folder / f"{name}.wav", sound, 16_000)
    code, _, err = call("verify", "--recording", "--index", "tracks", "--db", "t.db")
    assert code == 0
    assert "b.wav is the same recording as" in err
    soundfile.write(tmp_path / "q.wav", tones[16_000:], 16_000)
    code, out, _ = call("verify", "--recording", "q.wav", "--db", "t.db", "-f", "jsonl")
    found = json.loads(out)
    assert [one["track"].rsplit("/", 1)[1] for one in found["candidates"]] == ["a.wav", "b.wav"]
    assert [one["offset"] for one in found["candidates"]] == pytest.approx([1.0, 1.0], abs=0.05)
    assert b"b.wav at 1.00 s" in call("verify", "--recording", "q.wav", "--db", "t.db", "-f", "txt")[1]
    (folder / "c.wav").unlink()
    _, _, err = call("verify", "--recording", "--index", "tracks", "--db", "t.db")
    assert "c.wav: no such file any more; still in t.db" in err
    assert "same recording" not in err
