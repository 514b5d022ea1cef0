"""Vocabulary of written English: the meanings of signs, units, abbreviations and names of months."""

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thur": "Thursday",
    "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip

# Money: the unit and its hundredth.
CURRENCIES = {
    "$": ("dollar", "cent"), "£": ("pound", "penny"), "€": ("euro", "cent"), "¥": ("yen", "sen"), "₹": ("rupee", "paisa"),
    "₩": ("won", "jeon"), "₽": ("ruble", "kopeck"),
    "USD": ("U S dollar", "cent"), "EUR": ("euro", "cent"), "GBP": ("pound", "penny"), "JPY": ("yen", "sen"),
    "CHF": ("Swiss franc", "centime"), "CAD": ("Canadian dollar", "cent"), "AUD": ("Australian dollar", "cent"),
}  # fmt: skip
DOLLARS = {
    "US": "U S", "C": "Canadian", "CA": "Canadian", "A": "Australian", "AU": "Australian", "NZ": "New Zealand",
    "HK": "Hong Kong", "S": "Singapore",
}  # fmt: skip
SCALES = {
    "k": "thousand", "m": "million", "mn": "million", "bn": "billion", "b": "billion", "t": "trillion", "tn": "trillion",
    **{name: name for name in ("thousand", "million", "billion", "trillion")},
}  # fmt: skip

UNITS = {
    "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "m": "meter", "µm": "micrometer", "μm": "micrometer",
    "nm": "nanometer", "mi": "mile", "ft": "foot", "yd": "yard", "in.": "inch",
    "kg": "kilogram", "g": "gram", "mg": "milligram", "µg": "microgram", "μg": "microgram", "lb": "pound", "lbs": "pound",
    "oz": "ounce",
    "l": "liter", "L": "liter", "ml": "milliliter", "mL": "milliliter", "dL": "deciliter", "gal": "gallon", "qt": "quart",
    "tbsp": "tablespoon", "tsp": "teaspoon",
    "h": "hour", "hr": "hour", "hrs": "hour", "min": "minute", "mins": "minute", "s": "second", "sec": "second",
    "secs": "second", "ms": "millisecond", "µs": "microsecond", "μs": "microsecond", "ns": "nanosecond",
    "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "dB": "decibel",
    "W": "watt", "kW": "kilowatt", "MW": "megawatt", "kWh": "kilowatt hour", "V": "volt", "J": "joule", "mAh": "milliamp hour",
    "Ω": "ohm", "kΩ": "kilohm", "MΩ": "megohm", "Pa": "pascal", "hPa": "hectopascal", "kPa": "kilopascal",
    "kcal": "kilocalorie", "cal": "calorie",
    "KB": "kilobyte", "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte", "PB": "petabyte",
    "kbps": "kilobit per second", "Mbps": "megabit per second", "Gbps": "gigabit per second",
    "kph": "kilometer per hour", "mph": "mile per hour", "rpm": "revolution per minute", "fps": "frame per second",
    "bpm": "beat per minute", "psi": "pound per square inch", "sq ft": "square foot", "sq. ft.": "square foot",
    "°C": "degree Celsius", "°F": "degree Fahrenheit", "°": "degree", "%": "percent",
}  # fmt: skip
UNCOUNTED = ("hertz", "kilohertz", "megahertz", "gigahertz", "percent", "yen", "sen", "won")
IRREGULAR = {"foot": "feet", "inch": "inches", "penny": "pence", "paisa": "paise"}

SHORT = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Prof": "Professor", "Rev": "Reverend", "Gen": "General",
    "Col": "Colonel", "Capt": "Captain", "Lt": "Lieutenant", "Sgt": "Sergeant", "Maj": "Major", "Gov": "Governor",
    "Sen": "Senator", "Hon": "Honorable", "Jr": "Junior", "Sr": "Senior", "Mt": "Mount", "Ft": "Fort", "vs": "versus",
    "etc": "et cetera", "approx": "approximately", "dept": "department", "Dept": "Department", "Inc": "Incorporated",
    "Ltd": "Limited", "Co": "Company", "Corp": "Corporation", "Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road",
    "Bros": "Brothers", "cf": "compare",
}  # fmt: skip
BEFORE_NUMBER = {
    "No": "number", "no": "number", "Nos": "numbers", "Fig": "figure", "fig": "figure", "Figs": "figures", "Vol": "volume",
    "vol": "volume", "Ch": "chapter", "ch": "chapter", "p": "page", "pp": "pages", "Sec": "section", "Art": "article",
    "c": "circa", "ca": "circa", "Apt": "apartment", "Bldg": "building", "Eq": "equation",
}  # fmt: skip
PHRASES = {
    "w/o": "without", "w/": "with ", "c/o": "care of", "24/7": "twenty four seven", "9/11": "nine eleven", "N/A": "not applicable",
    "WWI": "World War one", "WWII": "World War two",
}  # fmt: skip

# Initialisms, spelt out although they have a vowel; those without one always are. (US and IT are words, too.)
INITIALS = frozenset(
    "AD AI API ATM BBC BC BCE CE CEO CFO CIA CTO CPU DIY DNA EPA EU FAQ FBI FM GPU HIV IBM ID IOU IP IPO IQ IRS ISBN ISP IV "
    "MIT MRI NBA OK OS PDF RNA SOS SUV UAE UFO UI UK UN UPS URL USA USB USSR UTC UV VIP".split()
)
KINGS = frozenset(
    "Albert Alexander Alfonso Benedict Catherine Charles Christian Clement Constantine Darius David Edward Elizabeth Felipe "
    "Ferdinand Francis Frederick George Gregory Gustav Haakon Harald Henry Innocent Ivan James John Juan Leo Leopold Louis "
    "Margaret Margrethe Mary Mehmed Michael Murad Napoleon Nicholas Olaf Otto Paul Peter Philip Pius Ptolemy Ramesses Ramses "
    "Richard Robert Stephen Suleiman Urban Victor Wilhelm William Xerxes".split()
)
NUMBERED = (
    "Act", "Apollo", "Appendix", "Article", "Book", "Bowl", "Chapter", "Class", "Level", "Part", "Phase", "Scene", "Section",
    "Stage", "Title", "Type", "Volume", "War",
)  # fmt: skip

SIGNS = {
    "&": "and", "@": "at", "%": "percent", "+": "plus", "=": "equals", "#": "hash", "/": " ", "*": "", "_": " ", "\\": " ",
    "~": "about", "≈": "is about", "≠": "is not equal to", "≡": "is identical to", "√": "square root of", "∞": "infinity",
    "∑": "sum of", "∈": "in", "|": "", "^": "", "{": ",", "}": ",", "[": ",", "]": ",",
    "©": "copyright", "®": "", "™": "", "°": "degrees", "×": "times", "·": "times", "÷": "divided by", "±": "plus or minus",
    "−": "minus", "§": "section", "№": "number", "–": ",", "—": ",", "…": "...", "•": ",",
    "$": "dollar", "£": "pound", "€": "euro", "¥": "yen", "₹": "rupee", "¢": "cents",
}  # fmt: skip
COMPARISONS = {
    "<": "less than", ">": "greater than", "≤": "less than or equal to", "≥": "greater than or equal to",
    "<=": "less than or equal to", ">=": "greater than or equal to",
}  # fmt: skip
VERBS = (
    "is",
    "are",
    "was",
    "be",
    "if",
    "and",
    "or",
    "of",
    "to",
    "than",
    "with",
    "at",
    "by",
    "for",
)  # before "<" without an "is"
WEB_SIGNS = {
    ".": "dot", "/": "slash", "@": "at", "-": "dash", "_": "underscore", ":": "colon", "?": "question mark", "=": "equals",
    "&": "and", "#": "hash", "%": "percent", "~": "tilde", "+": "plus",
}  # fmt: skip
# Of domains without http; those that are words (in, it, me, us, is) are not among them.
DOMAINS = (
    "com", "org", "net", "edu", "gov", "mil", "int", "io", "info", "biz", "app", "dev", "ai", "tv", "eu", "uk", "de", "fr", "es",
    "nl", "ch", "se", "pl", "ca", "au", "jp", "cn", "ru", "br",
)  # fmt: skip
SUFFIXES = (
    "html", "htm", "txt", "pdf", "py", "js", "ts", "css", "json", "jsonl", "xml", "csv", "tsv", "wav", "mp3", "mp4", "flac", "ogg",
    "opus", "png", "jpg", "jpeg", "gif", "svg", "md", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "tar", "gz", "exe", "dll",
    "sh", "cpp", "hpp", "rs", "java", "yml", "yaml", "toml", "ini", "log", "mov", "avi", "mkv", "webm", "mid", "srt", "vtt", "npy",
)  # fmt: skip
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
