"""What changes while people are in a call: their rights, what is told of them, and the rules of the room."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from livekit.protocol import models

from rooms import CallRules, Grants, Restraints, in_force
from sfu import MediaKind
from signalling.livekit.participant import Participant
from signalling.livekit.vocabulary import may_publish

if TYPE_CHECKING:
    from signalling.livekit.call import Call


class Changes:
    """What is put into force in one call."""

    def __init__(self, call: "Call") -> None:
        """Put it into force in this call."""
        self._call = call

    def take_stored(
        self, person: Participant, stored: Grants, name: str, attributes: Mapping[str, str], *, now: float
    ) -> None:
        """Put into force what is stored of a person now; an attribute that is empty is removed."""
        person.admission = replace(person.admission, warrant=replace(person.admission.warrant, stored=stored))
        merged = {**person.admission.attributes, **attributes}
        kept = self._with_hand(person, {key: value for key, value in merged.items() if value})
        self.put_in_force(person, name=name or None, attributes=kept, now=now)

    def take_for_stay(
        self,
        person: Participant,
        *,
        permission: Grants | None = None,
        name: str | None = None,
        metadata: str | None = None,
        attributes: Mapping[str, str] | None = None,
        now: float,
    ) -> None:
        """Put into force what the application says of a person, until they leave; None leaves a value.

        `permission` takes the place of what the token allows; what is stored still bounds it.
        """
        if permission is not None:
            person.permission = permission
            warrant = replace(person.admission.warrant, token=permission)
            person.admission = replace(person.admission, warrant=warrant)
        kept = None if attributes is None else self._with_hand(person, attributes)
        self.put_in_force(person, name=name, metadata=metadata, attributes=kept, now=now)
        self._call.want_token(person, now=now)

    def restrain(self, person: Participant, restraints: Restraints, *, now: float) -> None:
        """Put into force what a moderator takes away from a person now."""
        warrant = replace(person.admission.warrant, restraints=restraints)
        person.admission = replace(person.admission, warrant=warrant)
        self.put_in_force(person, now=now)

    def take_rules(self, rules: CallRules, *, now: float) -> None:
        """Put the new rules of the room into force, for everybody in it."""
        before, self._call.rules = self._call.rules, rules
        if rules.bandwidth != before.bandwidth:
            # Before their rights change: clients read there why.
            self._call.tell_room()
            for person in self._call.roster:
                self.cap(person)
        for person in self._call.roster:
            self.put_in_force(person, now=now)
        self._call.moderating.rules_changed(now=now)
        self._call.head_count_changed(now=now)

    def cap(self, person: Participant) -> None:
        """Bound what a person sends and is sent, as the room and the server say: the smaller holds."""
        if person.leg is not None:
            room, most = self._call.rules.bandwidth, self._call.around.settings.max_kbps
            person.leg.cap(
                up_kbps=_smaller(room.max_kbps_up, most), down_kbps=_smaller(room.max_kbps_down, most)
            )

    def put_in_force(
        self,
        person: Participant,
        *,
        name: str | None = None,
        metadata: str | None = None,
        attributes: Mapping[str, str] | None = None,
        now: float,
    ) -> None:
        """Give a person the rights that warrant and room allow now; tracks that are no longer allowed end."""
        was_hidden = person.grants.hidden
        rules = self._call.rules
        grants = in_force(
            person.admission.warrant, rules.features, rules.restraints, bandwidth=rules.bandwidth
        )
        changed = person.change(grants=grants, name=name, metadata=metadata, attributes=attributes)
        for key, track in list(person.tracks.items()):
            plain = track.info.encryption == models.Encryption.NONE
            picture = track.intent.kind is MediaKind.VIDEO  # whatever source it was given out for
            if (
                not may_publish(grants, track.intent.source)
                or (plain and rules.features.e2ee)
                or (picture and rules.bandwidth.audio_only)
            ):
                self._call.end_track(person, key, now=now)
        if not changed:
            return
        if grants.hidden and not was_hidden:
            self._call.roster.hide(person)
        self._call.subscriptions.rights_changed(person)
        self._call.roster.changed(person, now=now)

    def _with_hand(self, person: Participant, attributes: Mapping[str, str]) -> Mapping[str, str]:
        return self._call.moderating.attributes(person, attributes, cause="api")


def _smaller(*bounds: int | None) -> int | None:
    return min((bound for bound in bounds if bound is not None), default=None)
