"""One step of the daily run, for a scheduler that lives in another interpreter.

    echo '{"as_of": "2025-11-06", "world": "small"}' | python -m fraudkit.pipeline.step extract

JSON in: the function's arguments by name. JSON out: what it returned. A FraudkitError is one line on standard error.
"""

from __future__ import annotations

import json
import sys

from fraudkit.core.errors import FraudkitError, InvalidInput
from fraudkit.pipeline import daily


def main(arguments: list[str]) -> None:
    """Do the step that is named; exit 1 where it failed."""
    try:
        if len(arguments) != 1 or arguments[0] not in daily.STEPS:
            raise InvalidInput(f"step {' '.join(arguments)!r} is unknown; name one of {', '.join(daily.STEPS)}")
        print(json.dumps(getattr(daily, arguments[0])(**json.load(sys.stdin))))
    except FraudkitError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
