"""The languages the shell is translated into."""

from typing import Final

SOURCE: Final = "en"

# Code -> name in that language.
LOCALES: Final = {
    "en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "pt": "Português", "ja": "日本語", "zh": "中文",
    "hi": "हिन्दी", "ar": "العربية", "he": "עברית",
}  # fmt: skip

# The order of a message's plural forms in our catalogues, as CLDR categories; what is not listed uses the last.
PLURALS: Final = {
    **dict.fromkeys(("en", "de", "es", "fr", "pt", "hi"), ("one", "other")),
    "ja": ("other",), "zh": ("other",), "he": ("one", "two", "other"), "ar": ("zero", "one", "two", "few", "many", "other"),
}  # fmt: skip
