"""Settings as text: the commented example, and the values in force with the secrets masked."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretStr

from colloque.settings import Settings
from turn_config import Host

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_MASK = "********"


def example() -> str:
    """Write a file with every setting at its default, commented out, under the sentence that explains it."""
    lines = ["# Settings of Colloque. Every line that is commented out shows the default.", ""]
    for name, field in Settings.model_fields.items():
        model = _section(field)
        if model is None:
            lines += _tables(name, field)
            continue
        lines += [f"# {(model.__doc__ or '').strip()}", f"[{name}]"]
        for setting, described in model.model_fields.items():
            lines += [f"# {described.description}", f"# {_assignment(setting, described.get_default())}", ""]
    return "\n".join(lines).rstrip() + "\n"


def show(settings: Settings) -> str:
    """Write the values in force as TOML; secrets and passwords are masked."""
    lines = []
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            lines += [
                f"[{name}]",
                *(_assignment(one, getattr(value, one)) for one in type(value).model_fields),
                "",
            ]
        else:
            for item in value:
                lines += [
                    f"[[{name}]]",
                    *(_assignment(one, getattr(item, one)) for one in type(item).model_fields),
                    "",
                ]
    return "\n".join(lines).rstrip() + "\n"


_SAMPLES: dict[str, dict[str, Any]] = {
    "api_keys": {"key": "portal", "secret": "32 or more characters: openssl rand -base64 33"},
    "hosts": {
        "name": "visio1.hospital.example",
        "ipv4": Host.model_validate(
            {"name": "visio1.hospital.example", "ipv4": {"public": "192.0.2.5", "dmz": "10.0.0.5"}}
        ).ipv4,
    },
}
"""For tables of which there is no default."""


def _tables(name: str, field: FieldInfo) -> list[str]:
    lines = [f"# {field.description}", f"# [[{name}]]"]
    (model,) = get_args(field.annotation)
    for setting, described in model.model_fields.items():
        value = _SAMPLES[name].get(setting, described.get_default())
        lines += [f"# # {described.description}", f"# {_assignment(setting, value)}"]
    return [*lines, ""]


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    if get_origin(kind) in {Union, UnionType}:
        kind = get_args(kind)[0]
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _assignment(name: str, value: Any) -> str:
    return f'{name} = ""' if value is None else f"{name} = {_literal(value)}"


def _literal(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case SecretStr():
            return json.dumps(_MASK)
        case IPv4Address() | IPv6Address():
            return json.dumps(str(value))
        case str() | Path():
            return json.dumps(_without_password(str(value)), ensure_ascii=False)
        case list():
            return "[" + ", ".join(_literal(one) for one in value) + "]"
        case BaseModel():
            fields = ", ".join(_assignment(one, getattr(value, one)) for one in type(value).model_fields)
            return "{ " + fields + " }"
        case _:
            raise TypeError(f"a setting of type {type(value).__name__} has no notation")


def _without_password(text: str) -> str:
    parts = urlsplit(text) if "://" in text else None
    if parts is None or parts.password is None:
        return text
    netloc = parts.netloc.replace(f":{parts.password}@", f":{_MASK}@")
    return urlunsplit(parts._replace(netloc=netloc))
