"""From one settings file to every port, relay set-up and firewall page, so that they can never disagree."""

from turn_config.checks import Problem, problems
from turn_config.credentials import RANDOM_BYTES, Credential, accepts, issue
from turn_config.deployment import Deployment, MediaAddress
from turn_config.ice_servers import IceServer, IceServers, browser_shape, classic_shape, ice_servers
from turn_config.listeners import Listener, Program, Purpose, listeners
from turn_config.settings import AddressV4, AddressV6, FirewallSettings, Host, PortRange, TurnSettings
from turn_config.ways import Way, ways

__all__ = [
    "RANDOM_BYTES",
    "AddressV4",
    "AddressV6",
    "Credential",
    "Deployment",
    "FirewallSettings",
    "Host",
    "IceServer",
    "IceServers",
    "Listener",
    "MediaAddress",
    "PortRange",
    "Problem",
    "Program",
    "Purpose",
    "TurnSettings",
    "Way",
    "accepts",
    "browser_shape",
    "classic_shape",
    "ice_servers",
    "issue",
    "listeners",
    "problems",
    "ways",
]
