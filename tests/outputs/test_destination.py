"""What -o and --format mean, before anything is opened."""

import pytest

from audiocli.errors import UsageError
from audiocli.options import OutputOptions
from audiocli.outputs.destination import destination
from audiocli.records import Diarization, Features, Recording, Speech, Transcript


@pytest.mark.parametrize(
    ("kind", "name"),
    [(Transcript, "txt"), (Features, "npz"), (Diarization, "rttm"), (Recording, "wav"), (Speech, "wav")],
)
def test_a_folder_is_none_of_the_formats_in_its_name(tmp_path, kind, name):
    (tmp_path / "talks.ctm").mkdir()
    for output in ("talks.ctm", "talks.json/", "new/"):
        there = destination(OutputOptions(output=str(tmp_path) + "/" + output), kind, single=True, default="csv")
        assert (there.is_folder, there.is_stdout, there.format.name) == (True, False, name)


@pytest.mark.parametrize(
    ("writing", "kind", "name"),
    [
        (OutputOptions("x.CTM"), Transcript, "ctm"),
        (OutputOptions("x.srt", "JSON"), Transcript, "json"),
        (OutputOptions("-"), Transcript, "txt"),
        (OutputOptions(), Transcript, "txt"),
        (OutputOptions("/dev/stdout"), Transcript, "txt"),
        (OutputOptions("/dev/null"), Transcript, "txt"),
        (OutputOptions("x.flac"), Recording, "flac"),
    ],
)
def test_a_format_is_named_or_follows_from_the_place(writing, kind, name):
    there = destination(writing, kind, single=True, default="txt")
    assert there.format.name == name
    assert there.is_stdout == (writing.output in (None, "-", "/dev/stdout"))
    assert there.is_stdout == writing.to_stdout
    assert there.format.words == (name == "ctm")
    assert there.format.is_sound == (name == "flac")


@pytest.mark.parametrize(
    "writing",
    [OutputOptions("x"), OutputOptions(""), OutputOptions("x.docx"), OutputOptions("x.txt", resume=True, force=True)],
)
def test_what_means_nothing(writing):
    with pytest.raises(UsageError):
        destination(writing, Transcript, single=True, default="txt")
