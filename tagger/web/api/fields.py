"""Fields that bodies have in common, each within bounds.

What a body says is meant as it stands: 0 is no `false`, and "1" is no number.
"""

from typing import Annotated

from pydantic import Field

from tagger.web.pictures import LARGEST_ID

LONGEST_PATH = 4096

Flag = Annotated[bool, Field(strict=True)]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID, strict=True)]
