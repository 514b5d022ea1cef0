"""What hears pitches and notes, by name (stdlib only: read before numpy is)."""

from ..models.spec import BUILT_IN_SOURCE, INDEX_SOURCE, ModelSpec, ModelTable, Wheel, carrier

TASK = "features"
YIN = "audiocli.tones.yin:load"
SWIFT_F0 = "audiocli.tones.swift_f0:load"
BASIC_PITCH = "audiocli.tones.basic_pitch:load"
NOTES = "basic_pitch/saved_models/icassp_2022/nmp.onnx"  # Basic Pitch, whose folder its last part marks
TRACKERS = (YIN, SWIFT_F0)  # of the pitch of one voice; the other one finds notes

_ROWS = (
    ModelSpec("yin", TASK, YIN, BUILT_IN_SOURCE, "Apache-2.0", 16_000, 0.1),
    ModelSpec(
        "swift-f0", TASK, SWIFT_F0, INDEX_SOURCE, "MIT", 16_000, 0.1, author="Lars Nieradzik",
        carriers=(
            carrier(
                "swift-f0",
                Wheel("swift-f0", "0.3.0", 116_429, "d7240c7c94b1d3e8f0e0cd2701b79be89a0f23a19cd5f944895a6518ecad72f3"),
                ("swift_f0/model.onnx", 135_090, "6385e8c2ebc3872e82c9ff5946228de44cd3be77a750ea53698b7dbfe94b0a22"),
            ),
        ),
    ),
    ModelSpec(
        "basic-pitch", TASK, BASIC_PITCH, INDEX_SOURCE, "Apache-2.0", 22_050, 0.1, author="Spotify",
        carriers=(
            carrier(
                "basic-pitch",
                Wheel("basic-pitch", "0.4.0", 758_279, "738adb503aae7fdfc7d1e1511aa0ce35052315f260a19531ef4c356708425db0"),
                (NOTES, 230_444, "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec"),
            ),
        ),
    ),
)  # fmt: skip
TABLES = (
    ModelTable(
        TASK,
        _ROWS,
        built_in=("yin",),
        recommended=("swift-f0", "basic-pitch"),
        marks={NOTES.rpartition("/")[2]: BASIC_PITCH},
        libraries=dict.fromkeys((SWIFT_F0, BASIC_PITCH), "processor"),
    ),
)
