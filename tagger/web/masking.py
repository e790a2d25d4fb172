"""Masking: passwords in addresses never leave the program, and survive being edited.

Settings are shown with `***` in the place of a password. What comes back with it is
what was shown, so the password stays as it is.
"""

import re
from collections.abc import Mapping
from typing import Any

from tagger.texts import without_password

_IN_WORDS = re.compile(r"(?P<key>\bpassword=)[^&\s]*", re.I)


def masked(value: Any) -> Any:
    """A setting, or a table or list of them, without passwords."""
    if isinstance(value, str):
        return _IN_WORDS.sub(r"\g<key>***", without_password(value))
    if isinstance(value, Mapping):
        return {key: masked(one) for key, one in value.items()}
    return [masked(one) for one in value] if isinstance(value, list) else value


def restored(given: Any, present: Any) -> Any:
    """What was given, with the present value wherever that was only shown masked."""
    if isinstance(given, str) and isinstance(present, str):
        return present if given == masked(present) else given
    if isinstance(given, Mapping) and isinstance(present, Mapping):
        return {key: restored(one, present.get(key)) for key, one in given.items()}
    if isinstance(given, list) and isinstance(present, list):
        beyond = [None] * (len(given) - len(present))
        pairs = zip(given, [*present, *beyond], strict=False)
        return [restored(one, there) for one, there in pairs]
    return given
