"""Names and kinds of files that strangers send; see :mod:`mozaiks_shell.foundation.file_kinds`."""

from mozaiks_shell.foundation.file_kinds import INLINE as INLINE
from mozaiks_shell.foundation.file_kinds import kind_of as kind_of
from mozaiks_shell.foundation.file_kinds import matches as matches
from mozaiks_shell.foundation.file_kinds import safe_name as safe_name

__all__: list[str] = []  # plugins reach files through ``sdk.files``
