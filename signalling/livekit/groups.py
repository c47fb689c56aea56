"""What clients are told of the sub-group that they are in."""

import json
from datetime import UTC, datetime

from rooms import CallRules, GroupPlace


def told_of(rules: CallRules, group: GroupPlace | None) -> str:
    """Return the text about the room, with the group under `group`, unless the application chose the text."""
    if group is None:
        return rules.text
    try:
        said = json.loads(rules.text or "{}")
    except ValueError:
        return rules.text
    if not isinstance(said, dict):
        return rules.text
    closes_at = None if group.closes_at is None else _moment(group.closes_at)
    told = {"id": group.id, "name": group.name, "closes_at": closes_at}
    return json.dumps({**said, "group": told}, ensure_ascii=False)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(round(at, 3), tz=UTC).isoformat()
