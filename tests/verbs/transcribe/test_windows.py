"""The walk over windows, with a net that says what it was asked: a language an input, batches of one length, prompts."""

import numpy as np
import pytest

from audiocli.audio import Audio
from audiocli.device import Device
from audiocli.errors import UsageError
from audiocli.models import registry
from audiocli.models.batches import Batches
from audiocli.options import TranscribeOptions
from audiocli.verbs.transcribe.whisper.reading import Reading
from audiocli.verbs.transcribe.whisper.tokens import Tokens
from audiocli.verbs.transcribe.whisper.windows import Windows
from tests.conftest import vowels

RATE = 16_000
END, START, PREVIOUS, NO_SPEECH, NO_TIMES = 1_000, 1_001, 1_002, 1_003, 1_010
LANGUAGES = {"de": 1_004, "en": 1_005, "fr": 1_006}
SPEC = registry.MODELS["pocketsphinx"]


class Bytes:
    """A tokenizer whose tokens are bytes."""

    @staticmethod
    def encode(text, add_special_tokens):
        assert not add_special_tokens
        return list(text.encode())

    @staticmethod
    def decode(tokens):
        return bytes(tokens).decode()


class Listing(Bytes):
    """The same, with special tokens."""

    @staticmethod
    def get_vocab():
        names = {"endoftext": END, "startoftranscript": START, "startofprev": PREVIOUS, "nocaptions": NO_SPEECH}
        tasks = {"transcribe": 1_007, "translate": 1_008, "notimestamps": NO_TIMES, "2.00": 1_111, "startoflm": 1_009}
        return {f"<|{name}|>": number for name, number in {**names, **LANGUAGES, **tasks}.items()}


class Echo:
    """A net that answers with the number of whole seconds, in the language of the loudness: louder than .3 is German."""

    sample_rate, window, room = RATE, 30 * RATE, 448

    def __init__(self, size="auto"):
        self.batches = Batches(size, 60.0, Device("cpu"))
        self.encoded, self.asked_for_language, self.given = [], 0, []

    def length(self, samples):
        return float(np.ceil(samples / RATE / 2) * 2)

    def encode(self, windows):
        assert len({self.length(len(window)) for window in windows}) == 1
        self.encoded.append(len(windows))
        return windows

    def languages(self, encoded):
        self.asked_for_language += len(encoded)
        return ["de" if np.abs(window).max() > 0.3 else "fr" for window in encoded]

    def read(self, encoded, given):
        self.given += given
        empty = [np.abs(window).max() > 0.8 for window in encoded]
        return [
            Reading(
                [NO_TIMES + 1, *f" {len(window) // RATE}".encode(), NO_TIMES + 51], -2.0 if no else -0.2, float(no), 1.0
            )
            for window, no in zip(encoded, empty, strict=True)
        ]

    def words(self, *args):
        raise AssertionError("nobody asked for words")


def runner(net, **options):
    tokens = Tokens(
        Bytes(), END, START, PREVIOUS, NO_SPEECH, NO_TIMES, {"transcribe": 1_007, "translate": 1_008}, LANGUAGES
    )
    return Windows(net, tokens, SPEC, TranscribeOptions(**options))


def sound(seconds, level):
    samples = np.resize(vowels(), int(seconds * RATE))
    return Audio((samples / np.abs(samples).max() * level)[None].astype(np.float32), RATE, "x")


FRENCH, GERMAN, NOISE = 0.2, 0.5, 1.0


def test_the_longest_of_the_first_pieces_shows_the_language_of_an_input():
    net, known = Echo(), {}
    pieces = [sound(2, FRENCH), sound(9, GERMAN), sound(2, FRENCH), sound(20, FRENCH), sound(5, FRENCH)]
    records = runner(net).pieces(pieces, [0, 0, 0, 0, 7], known)
    assert [record.language for record in records] == ["de", "de", "de", "de", "fr"]
    assert known == {0: "de", 7: "fr"}
    assert net.asked_for_language == 2
    assert [record.text for record in records] == ["2", "9", "2", "20", "5"]


def test_a_known_language_is_not_asked_for():
    net = Echo()
    (record,) = runner(net).pieces([sound(3, FRENCH)], [4], {4: "en"})
    assert (record.language, net.asked_for_language) == ("en", 0)
    (record,) = runner(net, language="German").alone([sound(3, FRENCH)])
    assert (record.language, net.asked_for_language) == ("de", 0)


def test_what_is_not_speech_shows_no_language():
    net, known = Echo(), {}
    records = runner(net).pieces([sound(9, NOISE), sound(3, FRENCH)], [0, 0], known)
    assert known == {0: "fr"}
    assert [record.text for record in records] == ["", "3"]
    assert records[0].dropped[0].startswith("no speech: 0.0-9.0 s")


@pytest.mark.parametrize(("size", "batches"), [("1", [1] * 6), ("2", [1, 1, 2, 2]), ("auto", [1, 1, 4])])
def test_batches_hold_windows_of_one_length_and_change_nothing(size, batches):
    pieces = [sound(seconds, FRENCH) for seconds in (3.2, 7, 3.5, 1, 3.9, 3.1)]
    net = Echo(size)
    records = runner(net, language="fr").alone(pieces)
    assert sorted(net.encoded) == batches
    alone = [runner(Echo(), language="fr").alone([piece])[0] for piece in pieces]
    assert records == alone


def test_speech_as_it_comes_has_the_text_before_it_as_prompt():
    net = Echo()
    windows = runner(net, prompt="Names", hotwords=("Ada",))
    found = windows.hear(sound(3, GERMAN).samples[0], prompt="and so", language="en", words=False)
    assert found.language == "en"
    assert "".join(segment.text for segment in found.segments) == " 3"
    asked = [START, LANGUAGES["en"], 1_007]
    assert net.given == [[PREVIOUS, *b" Names and so, Ada", *asked]]
    assert windows.hear(np.zeros(RATE, np.float32)).segments == ()
    assert net.asked_for_language == 0


def test_an_english_model_knows_nothing_else():
    tokens = Tokens.of(Listing(), multilingual=False)
    assert tokens.languages == {}
    assert Tokens.of(Listing(), multilingual=True).languages == LANGUAGES
    for options, words in (({"language": "de"}, "English only"), ({"translate": True}, "cannot translate")):
        with pytest.raises(UsageError, match=words):
            Windows(Echo(), tokens, SPEC, TranscribeOptions(**options))
    net = Echo()
    (record,) = Windows(net, tokens, SPEC, TranscribeOptions(language="en-GB")).alone([sound(3, GERMAN)])
    assert (record.language, net.asked_for_language) == ("en", 0)
