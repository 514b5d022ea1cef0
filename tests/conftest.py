"""Fixtures that several test files share."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def recording():
    """Thirty seconds of a real conversation at 16 kHz: the sample inside the pyannote.audio wheel."""
    spec = importlib.util.find_spec("pyannote")
    assert spec and spec.submodule_search_locations
    return Path(list(spec.submodule_search_locations)[0], "audio", "sample", "sample.wav")
