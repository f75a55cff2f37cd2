"""Words that no text has, and what to write instead: for texts of the package and for pages."""

from __future__ import annotations

import re

INSTEAD = {
    r"blanks?": "empty, or space",
    r"octets?": "byte",
    r"(?<!there )(?:is|are|was|were) no(?! longer\b)": "is not a",
    r"mend(?:s|ed)?": "fix",
    r"stands?|stood": "is",
    r"behind": "after",
    r"twins?": "copy",
    r"holds?|held": "has, contains, keeps",
    r"captors?": "recording transport",
    r"farewell": "QUIT",
    r"hand-?overs?": "submission",
    r"settled?": "decide",
    r"deaf": "does not answer",
    r"worn out": "used up",
    r"tak(?:e|ing) it out": "remove it",
}
"""Words that no text has, and what to write instead."""

WRONG = re.compile(rf"\b(?:{'|'.join(INSTEAD)})\b", re.IGNORECASE)
