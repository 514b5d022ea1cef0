"""Languages as people write them, and the nearest voice or model."""

import pytest

from audiocli.models.languages import code, is_near, is_same, nearest, variety
from audiocli.verbs.speak import espeak


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("fr", "fr-fr"), ("zh", "cmn"), ("zh-CN", "cmn"), ("zh-TW", "cmn"), ("zh-Hant-HK", "cmn"), ("zh-HK", "yue"), ("no", "nb"),
        ("nn", "nb"), ("iw", "he"), ("in", "id"), ("es-MX", "es-419"), ("es-AR", "es-419"), ("es", "es"), ("fr-CA", "fr-fr"),
        ("fr-BE", "fr-be"), ("en", "en-us"), ("en-AU", "en-gb"), ("en-GB", "en-gb"), ("pt-BR", "pt-br"), ("de-AT", "de"),
        ("sr-Latn", "sr"), ("es_MX.UTF-8", "es-419"), ("fra", "fr-fr"), ("ger", "de"), ("French", "fr-fr"), ("Chinese", "cmn"),
        ("NORWEGIAN", "nb"), ("Cantonese", "yue"), ("en-us-nyc", "en-us-nyc"), ("cmn-latn-pinyin", "cmn-latn-pinyin"),
        ("Germon", None), ("xx", None), ("", None), ("-", None), ("f33", None), ("tl", None),
    ],
)  # fmt: skip
def test_the_nearest_voice(wanted, found):
    assert nearest(wanted, espeak.languages()) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("zh-CN", "zh"), ("Mandarin", "zh"), ("cmn", "zh"), ("nb-NO", "no"), ("jv", "jw"), ("iw", "he"), ("en-GB", "en"),
     ("English", "en"), ("deu", "de"), ("tlh", None)],
)  # fmt: skip
def test_the_nearest_of_whisper(wanted, found):
    assert nearest(wanted, ("en", "zh", "de", "no", "he", "jw")) == found


def test_of_the_same_language_or_of_the_same_variety():
    assert all(is_same(name, "en-us") for name in (None, "en", "EN_us", "English", "eng"))
    assert not any(is_same(name, "en-us") for name in ("en-AU", "en-GB", "de", "xx"))
    assert is_near("en-AU", "en")
    assert not is_near("de", "en")
    assert (code("French"), code("fr-CA"), code("tlh")) == ("fr", "fr", "tlh")


def test_another_variety_is_said():
    assert "fr-CA: this is spoken as fr-fr" in variety("fr-CA", "fr-fr")
    assert variety("fr", "fr-fr") is variety(None, "fr-fr") is variety("zh-CN", "cmn") is None
