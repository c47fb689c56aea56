"""What clients are told of the sub-group that they are in."""

import json

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
    return json.dumps({**said, "group": {"id": group.id, "name": group.name}}, ensure_ascii=False)
