"""Which table the secondary store lies in, from the setting FRAUDKIT_SECONDARY."""

from __future__ import annotations

from pathlib import Path

from fraudkit.core.errors import InvalidInput
from fraudkit.features.secondary import SECONDARY_FILE, SqliteTable, Table

DYNAMODB = "dynamodb://"


def secondary_table(setting: str, folder: Path) -> Table:
    """The table that a setting names.

    Parameters
    ----------
    setting : `sqlite`, a file in `folder`; or `dynamodb://TABLE`
    folder : of running processes' files

    Raises
    ------
    InvalidInput
        The setting is neither, or boto3 is not installed.
    """
    if setting == "sqlite":
        return SqliteTable(folder / SECONDARY_FILE)
    name = setting.removeprefix(DYNAMODB)
    if not setting.startswith(DYNAMODB) or not name:
        raise InvalidInput(f"FRAUDKIT_SECONDARY={setting!r} is neither sqlite nor dynamodb://TABLE")
    try:
        from fraudkit.features.dynamodb import DynamoDbTable
    except ModuleNotFoundError as error:
        raise InvalidInput("dynamodb:// needs boto3; install it: pip install 'fraudkit[dynamodb]'") from error
    return DynamoDbTable(name)
