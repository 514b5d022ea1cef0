"""Languages as people write them (tags of BCP 47, locales, English names), and the nearest of those that a model has."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

# Names of ISO 639-1 and others in use; langcodes has them in a package of 24 MB.
NAMES = MappingProxyType({
    name.lower(): code
    for code, *names in map(str.split, (
        "af Afrikaans|am Amharic|an Aragonese|ar Arabic|as Assamese|az Azerbaijani|ba Bashkir|be Belarusian|"
        "bg Bulgarian|bn Bengali|bo Tibetan|br Breton|bs Bosnian|ca Catalan Valencian|cs Czech|cv Chuvash|cy Welsh|"
        "da Danish|de German|el Greek|en English|eo Esperanto|es Spanish Castilian|et Estonian|eu Basque|"
        "fa Persian Farsi|fi Finnish|fo Faroese|fr French|fy Frisian|ga Irish|gd Gaelic|gl Galician|gn Guarani|"
        "gu Gujarati|ha Hausa|haw Hawaiian|he Hebrew|hi Hindi|hr Croatian|ht Haitian|hu Hungarian|hy Armenian|"
        "ia Interlingua|id Indonesian|io Ido|is Icelandic|it Italian|ja Japanese|jw Javanese|ka Georgian|kk Kazakh|"
        "kl Greenlandic|km Khmer|kn Kannada|ko Korean|ku Kurdish|ky Kyrgyz|la Latin|lb Luxembourgish Letzeburgesch|"
        "ln Lingala|lo Lao|lt Lithuanian|lv Latvian|mg Malagasy|mi Maori Māori|mk Macedonian|ml Malayalam|"
        "mn Mongolian|mr Marathi|ms Malay|mt Maltese|my Burmese Myanmar|nb Bokmål Bokmal|ne Nepali|nl Dutch Flemish|"
        "nn Nynorsk|no Norwegian|oc Occitan|om Oromo|or Oriya Odia|pa Punjabi Panjabi|pl Polish|ps Pashto Pushto|"
        "pt Portuguese|qu Quechua|ro Romanian Moldavian Moldovan|ru Russian|sa Sanskrit|sd Sindhi|si Sinhala Sinhalese|"
        "sk Slovak|sl Slovenian Slovene|sn Shona|so Somali|sq Albanian|sr Serbian|su Sundanese|sv Swedish|sw Swahili|"
        "ta Tamil|te Telugu|tg Tajik|th Thai|ti Tigrinya|tk Turkmen|tl Tagalog Filipino|tn Setswana|tr Turkish|"
        "tt Tatar|ug Uyghur|uk Ukrainian|ur Urdu|uz Uzbek|vi Vietnamese|xh Xhosa|yi Yiddish|yo Yoruba|yue Cantonese|"
        "zh Chinese Mandarin|zu Zulu"
    ).split("|"))
    for name in names
})  # fmt: skip
# The language spoken in a place, which the tag itself does not say; and who understands whom.
_SPOKEN = {"zh-hk": "yue", "zh-mo": "yue", "nn": "nb"}
FARTHEST = 10  # of the distances of CLDR: 5 for another country, 4 to 10 for a language that is understood


def nearest(wanted: str, known: Iterable[str], names: Mapping[str, str] = NAMES) -> str | None:
    """The code among `known` for a tag, a locale or an English name, by the distances of CLDR; None: no language is near."""
    match = _nearest(_plain(wanted), tuple(known), tuple(names.items()))
    return match[0] if match else None


def code(language: str) -> str:
    """The code of a language whatever its variety: of "French" and "fr-CA" "fr"; unknown ones stay."""
    return nearest(language, NAMES.values()) or language


def variety(wanted: str | None, spoken: str | None) -> str | None:
    """The message for a user who asked for one variety of a language and gets another."""
    if wanted is None or spoken is None or is_same(wanted, spoken):
        return None
    return f"--language {wanted}: this is spoken as {spoken}, the nearest that the model has"


def is_near(language: str | None, *known: str) -> bool:
    """Whether a language (None: any) is among these, in whatever variety."""
    return language is None or nearest(language, known) is not None


def is_same(language: str | None, other: str) -> bool:
    """Whether a language (None: any) is that one in the variety that is meant: "en" and "en-US", but not "en-AU", are "en-us"."""
    match = language is None or _nearest(_plain(language), (other,), tuple(NAMES.items()))
    return match is True or (match is not None and match[1] == 0)


def _plain(text: str) -> str:
    """A tag in small letters of what may be a locale: "es_MX.UTF-8" is "es-mx"."""
    return text.strip().lower().replace("_", "-").partition(".")[0].partition("@")[0]


@cache
def _nearest(wanted: str, known: tuple[str, ...], names: tuple[tuple[str, str], ...]) -> tuple[str, int] | None:
    """The nearest code and its distance, 0 for the one that was meant."""
    codes = {code.lower(): code for code in known}
    called = {name.lower(): code for name, code in names}
    wanted = called.get(wanted, wanted).lower()
    for exact in (wanted, _SPOKEN.get(wanted)):
        if exact in codes:
            return codes[exact], int(exact != wanted)
    return _closest(wanted, codes)


def _closest(wanted: str, codes: Mapping[str, str]) -> tuple[str, int] | None:
    from langcodes import closest_match
    from langcodes.tag_parser import LanguageTagError

    tags = {tag: name for name in sorted(codes, key=len, reverse=True) if (tag := _valid(name))}
    plain = sorted(tags, key=len)
    try:
        # Of those that are equally far from the one wanted, that which is meant where no variety is said, or the shortest.
        usual, _ = closest_match(wanted.partition("-")[0], plain, FARTHEST, True)
        nearest_tag, distance = closest_match(wanted, [usual, *plain] if usual in tags else plain, FARTHEST, True)
    except LanguageTagError:
        return None
    return (codes[tags[nearest_tag]], distance) if nearest_tag in tags else None


@cache
def _valid(code: str) -> str | None:
    """A code as far as it is a tag ("en-us-nyc" is "en-us"); None for a spelling, that only its code asks for."""
    from langcodes import Language
    from langcodes.tag_parser import LanguageTagError

    while code:
        try:
            tag = Language.get(code)
            return None if tag.script else tag.to_tag().lower()
        except LanguageTagError:
            code = code.rpartition("-")[0]
    return None
