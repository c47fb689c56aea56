"""For every deployment: what is written for its relays is what the check mode wants, and nothing else."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.deployments import deployments
from turn_config import Deployment, TurnSettings
from turn_config.coturn import CoturnVersion, check, relay_rules, turnserver_conf
from turn_config.coturn.options import names
from turn_config.coturn.reader import read
from turn_config.coturn.wanted import Entry, wanted

pytestmark = pytest.mark.slow

MANY = settings(max_examples=300, deadline=None)
FEWER = settings(max_examples=40, deadline=None)
VERSIONS = [
    CoturnVersion.parse(one) for one in ("4.6.1", "4.7.0", "4.10.0", "4.14.0", "4.15.0", "4.17.1", "4.18.0")
]


@given(deployments(relays=True), st.sampled_from(VERSIONS))
@MANY
def test_the_check_finds_nothing_in_what_was_written(drawn: Deployment, version: CoturnVersion) -> None:
    for host in drawn.relays:
        assert check(turnserver_conf(drawn, host, version), drawn, host, version) == ()


@given(deployments(relays=True), st.sampled_from(VERSIONS), st.data())
@FEWER
def test_no_line_can_be_taken_away_unnoticed(
    drawn: Deployment, version: CoturnVersion, data: st.DataObject
) -> None:
    host = drawn.relays[0]
    entries = [entry for group in wanted(drawn, host, version) for entry in group.entries]
    left_out = data.draw(st.sampled_from([one for one in entries if one not in _DEFAULTS]))
    text = "\n".join(str(one) for one in entries if one is not left_out)
    assert [one.option for one in check(text, drawn, host, version)] == [left_out.name]


@given(deployments(relays=True), st.sampled_from(VERSIONS))
@FEWER
def test_what_is_read_is_what_was_meant(drawn: Deployment, version: CoturnVersion) -> None:
    for host in drawn.relays:
        entries = [entry for group in wanted(drawn, host, version) for entry in group.entries]
        file = read(turnserver_conf(drawn, host, version), version)
        assert [(one.name, one.value) for one in file.settings] == [
            (one.name, one.value or "") for one in entries
        ]


@given(deployments(relays=True))
@FEWER
def test_the_relays_of_one_deployment_are_not_taken_for_each_other(drawn: Deployment) -> None:
    version = VERSIONS[0]
    for one, other in itertools.permutations(drawn.relays, 2):
        assert check(turnserver_conf(drawn, one, version), drawn, other, version)


@given(deployments(relays=True))
@FEWER
def test_no_secret_is_told_by_a_check(drawn: Deployment) -> None:
    host, version = drawn.relays[0], VERSIONS[0]
    stranger = drawn.turn.model_copy(update={"secrets": []})
    text = turnserver_conf(drawn, host, version)
    told = "\n".join(str(one) for one in check(text, _with(drawn, stranger), host, version))
    assert told
    assert not [one for one in drawn.turn.secrets if one.get_secret_value() in told]


@given(deployments(relays=True))
@FEWER
def test_the_rules_name_every_server_of_calls_and_the_port_of_media(drawn: Deployment) -> None:
    for host in drawn.relays:
        rules = relay_rules(drawn, host)
        assert rules.count("{") == rules.count("}")
        for one in (
            address for other in drawn.hosts if "calls" in other.serves for address in other.addresses
        ):
            assert str(one.public) in rules or str(one.own) in rules


@given(st.text(), st.sampled_from(VERSIONS))
@FEWER
def test_any_text_is_read(text: str, version: CoturnVersion) -> None:
    file = read(text, version)
    assert {one.name for one in file.settings} <= names(version)


_DEFAULTS = {
    Entry("listening-port", "3478"),
    Entry("tls-listening-port", "5349"),
    Entry("min-port", "49152"),
    Entry("max-port", "65535"),
    Entry("drain-min-allocations", "0"),
}


def _with(deployment: Deployment, turn: TurnSettings) -> Deployment:
    return replace(deployment, turn=turn)
