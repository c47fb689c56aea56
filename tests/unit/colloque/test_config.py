"""Settings: read from file and environment, refused with the place of each error, shown without secrets."""

import tomllib
from pathlib import Path

import pytest

from colloque.config import ConfigError, draft, load
from colloque.config_text import _literal, example, show
from colloque.settings import Settings
from sfu import MAX_SDP_BYTES, MediaAddress, SfuConfig
from sfu.bridge import make_core

SECRET = "a-secret-of-the-tests-that-is-long-enough"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "colloque.toml"


def problems(file: Path | None, **environment: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, environment)
    return caught.value.problems


def test_without_a_file_every_setting_has_its_default() -> None:
    assert load(None, {}) == Settings()


def test_a_file_sets_what_it_names(file: Path) -> None:
    file.write_text(
        f"""
        [server]
        public_url = "https://visio.example"
        listen = "[::]:443"
        [[media.addresses]]
        bind = "10.0.0.1"
        announce = "192.0.2.1"
        [[api_keys]]
        key = "portal"
        secret = "{SECRET}"
        """
    )
    settings = load(file, {})
    assert settings.server.public_url == "https://visio.example"
    assert settings.media.addresses[0].announce == "192.0.2.1"
    assert settings.api_keys[0].secret.get_secret_value() == SECRET
    assert settings.rooms == Settings().rooms


def test_a_variable_wins_over_the_file(file: Path) -> None:
    file.write_text("[media]\nudp_port = 1\nworkers = 1\n")
    settings = load(
        file,
        {
            "COLLOQUE_MEDIA__UDP_PORT": "10001",
            "COLLOQUE_ROOMS__CREATE_ON_JOIN": "true",
            "COLLOQUE_SERVER__TLS_CERTIFICATE": "",
            "COLLOQUE_API_KEYS": f'[{{"key": "k", "secret": "{SECRET}"}}]',
            "PATH": "/bin",
        },
    )
    assert (settings.media.udp_port, settings.media.workers) == (10001, 1)
    assert settings.rooms.create_on_join
    assert settings.server.tls_certificate is None
    assert settings.api_keys[0].key == "k"


def test_all_errors_are_named_at_once_with_their_place(file: Path) -> None:
    file.write_text(
        """
        surprise = 1
        [server]
        public_url = "visio.example"
        listen = "443"
        [media]
        udp_prot = 10000
        udp_port = 70000
        addresses = [{ bind = "localhost", announce = "192.0.2.1" }]
        [[api_keys]]
        key = "portal"
        secret = "short"
        """
    )
    found = problems(file, COLLOQUE_NOWHERE="1", COLLOQUE_MEDIA__WORKERS="many", COLLOQUE_SERVER="{}")
    expected = (
        "COLLOQUE_NOWHERE: there is no such setting",
        "COLLOQUE_SERVER: there is no such setting",
        f"{file}: surprise: there is no such setting",
        f"{file}: server.public_url: must be http(s)://HOST[:PORT] and nothing after it",
        f"{file}: server.listen: must be ADDRESS:PORT",
        f"{file}: media.udp_prot: there is no such setting",
        f"{file}: media.udp_port: Input should be less than or equal to 65535",
        f"{file}: media.addresses[0].bind: ",
        f"{file}: media.workers: ",
        f"{file}: api_keys[0].secret: must have at least 32 characters",
    )
    assert len(found) == len(expected)
    for start in expected:
        assert sum(line.startswith(start) for line in found) == 1, start


def test_what_cannot_work_together_is_named_beside_what_is_wrong_by_itself(file: Path) -> None:
    file.write_text(
        f"""
        [media]
        workers = 99
        addresses = [{{ bind = "10.0.0.5", announce = "192.0.2.5" }}]
        [turn]
        mode = "external"
        secrets = ["{SECRET}", "short"]
        ports = [3478, 10000]
        relay_ports = {{ first = 9, last = 3 }}
        [[hosts]]
        name = "visio1.hospital.example"
        ipv4 = {{ public = "192.0.2.5" }}
        [[hosts]]
        name = "visio 2"
        ipv4 = {{ public = "192.0.2.5" }}
        """
    )
    found = "\n".join(problems(file))
    assert [line.split(": ")[1] for line in found.splitlines()] == [
        "media.workers",
        "hosts[1].name",
        "turn.secrets[1]",
        "turn.relay_ports",
    ]
    file.write_text(file.read_text().replace("visio 2", "visio2.hospital.example"))
    assert [line.split(": ")[1] for line in problems(file)] == [
        "media.workers",
        "turn.secrets[1]",
        "turn.relay_ports",
        "hosts[1].ipv4.public",
        "turn.ports[1]",
    ]


def test_no_error_shows_a_secret(file: Path) -> None:
    file.write_text('[[api_keys]]\nkey = "a b"\nsecret = "hunter2"\nsceret = "hunter2"\n')
    assert "hunter2" not in "\n".join(problems(file))


def test_descriptions_cannot_be_allowed_larger_than_they_are_read() -> None:
    most = {"COLLOQUE_LIMITS__SDP_BYTES": str(MAX_SDP_BYTES)}
    assert load(None, most).limits.sdp_bytes == MAX_SDP_BYTES
    assert problems(None, COLLOQUE_LIMITS__SDP_BYTES=str(MAX_SDP_BYTES + 1))


def test_a_certificate_without_its_key_is_refused(file: Path) -> None:
    file.write_text('[server]\ntls_certificate = "cert.pem"\n')
    assert problems(file) == [
        f"{file}: server: tls_certificate and tls_key belong together: set both or neither"
    ]


@pytest.mark.parametrize(
    ("bind", "announce", "place"),
    [
        ("10.0.0.5", "0.0.0.0", "media.addresses[0]: announce: 0.0.0.0"),
        ("::1", "::", "media.addresses[0]: announce: ::"),
        ("::1", "192.0.2.5", "media.addresses[0]: bind and announce must be of one family"),
        ("fe80::1%eth0", "fe80::1", "media.addresses[0].bind: must be without a zone"),
    ],
)
def test_a_media_address_is_one_that_the_core_takes(file: Path, bind: str, announce: str, place: str) -> None:
    file.write_text(f'[media]\naddresses = [{{ bind = "{bind}", announce = "{announce}" }}]\n')
    (line,) = problems(file)
    assert line.startswith(f"{file}: {place}")
    with pytest.raises(ValueError, match="addresses"):
        make_core(SfuConfig(addresses=(MediaAddress(bind, announce),)))


def test_there_are_no_more_media_addresses_than_the_core_takes(file: Path) -> None:
    one = '{ bind = "::1", announce = "::1" }'
    file.write_text(f"[media]\naddresses = [{', '.join([one] * 17)}]\n")
    (line,) = problems(file)
    assert line.startswith(f"{file}: media.addresses: ")
    with pytest.raises(ValueError, match="addresses"):
        make_core(SfuConfig(addresses=(MediaAddress("::1", "::1"),) * 17))


def test_a_key_that_is_there_twice_is_refused(file: Path) -> None:
    file.write_text(f'[[api_keys]]\nkey = "k"\nsecret = "{SECRET}"\n' * 2)
    assert problems(file) == [f"{file}: api_keys: a key is there twice"]


@pytest.mark.parametrize("content", [b"[server", b"\xff\xfe", b"a = 1\na = 2"])
def test_a_file_that_is_no_toml_is_named_in_one_line(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    (line,) = problems(file)
    assert line.startswith(f"{file}: ")
    assert "\n" not in line


def test_a_missing_file_is_named(file: Path) -> None:
    assert problems(file) == [f"{file}: No such file or directory"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "visio.example",
        "ftp://visio.example",
        "https://visio.example/",
        "https://u:p@visio.example",
        "https://",
    ],
)
def test_a_public_url_is_an_origin(file: Path, url: str) -> None:
    file.write_text(f'[server]\npublic_url = "{url}"\n')
    assert problems(file)[0].startswith(f"{file}: server.public_url: ")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///rooms.sqlite3",
        "sqlite:////var/lib/rooms.sqlite3",
        "postgresql://colloque@db.example/colloque",
        "postgresql://colloque:hunter%402@[2001:db8::1]:5432/colloque?sslmode=verify-full",
        "postgresql:///colloque?host=/run/postgresql",
    ],
)
def test_a_database_is_named_by_its_address(url: str) -> None:
    assert load(None, {"COLLOQUE_STORE__URL": url}).store.url == url


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("mysql://u:hunter2@h/d", "must begin with"),
        ("postgres://u:hunter2@h/d", "must begin with"),
        ("postgresql+asyncpg://u:hunter2@h/d", "must begin with"),
        ("sqlite://rooms.sqlite3", "four slashes"),
        ("sqlite:///", "four slashes"),
        ("postgresql://u:hunter2@h", "the name of a database"),
        ("postgresql://u:hunter2@h/", "the name of a database"),
        ("postgresql://u:hunter2@h/a/b", "the name of a database"),
        ("postgresql://u:hunter2@h:x/d", "HOST:PORT"),
        ("postgresql://u:hunter2@h:0/d", "HOST:PORT"),
        ("postgresql://h/d?user=u&password=hunter2", "before the @"),
        *((f"postgresql://u:hunter2{sign}34@h/d", "written as") for sign in "/@#?["),
        *((f"postgresql://u:34{sign}hunter2@h/d", "written as") for sign in "/@#?["),
    ],
)
def test_a_database_that_is_not_named_as_it_must_be_is_told_in_one_line_without_its_password(
    url: str, wrong: str
) -> None:
    (line,) = problems(None, COLLOQUE_STORE__URL=url)
    assert line.startswith("settings: store.url: must ")
    assert wrong in line
    assert "hunter2" not in line
    assert "34" not in line


class TestText:
    def test_the_example_explains_every_setting_and_changes_none(self, file: Path) -> None:
        file.write_text(example())
        assert load(file, {}) == Settings()
        for name, field in Settings.model_fields.items():
            assert f"[{name}]" in example()
            model = field.annotation
            if isinstance(model, type):
                for setting, described in getattr(model, "model_fields", {}).items():
                    assert f"# {described.description}" in example(), setting

    def test_the_example_without_its_comment_signs_is_the_defaults(self, file: Path) -> None:
        lines, in_table = [], False
        for line in example().splitlines():
            # Of tables in a list there is no default.
            in_table = line.startswith("# [[") or (in_table and not line.startswith("["))
            if not in_table:
                lines.append(line.removeprefix("# ") if " = " in line else line)
        assert "udp_port = 10000" in lines
        file.write_text("\n".join(lines))
        assert load(file, {}) == Settings()

    def test_the_sample_of_a_table_is_one_that_is_taken(self, file: Path) -> None:
        lines = example().splitlines()
        start = lines.index("# [[hosts]]")
        table = [line.removeprefix("# ") for line in lines[start : lines.index("", start)]]
        addresses = 'addresses = [{ bind = "10.0.0.5", announce = "192.0.2.5" }]'
        file.write_text("\n".join([*table, "[media]", addresses]))
        (host,) = load(file, {}).hosts
        assert (host.name, host.ipv6, host.serves) == ("visio1.hospital.example", None, ["calls", "relay"])

    def test_what_is_shown_can_be_read_and_holds_no_secret(self, file: Path) -> None:
        file.write_text(f'[[api_keys]]\nkey = "k"\nsecret = "{SECRET}"\n')
        text = show(load(file, {}))
        assert SECRET not in text
        shown = tomllib.loads(text)
        assert shown["api_keys"][0]["secret"] == "********"
        assert shown["media"]["udp_port"] == 10000

    def test_a_password_in_an_address_is_not_shown(self) -> None:
        assert "hunter2" not in _literal("postgresql://u:hunter2@host/name")


def test_of_wrong_settings_the_rest_can_be_used(file: Path) -> None:
    file.write_text('[media]\nudp_prot = 1\nudp_port = 10001\nworkers = 99\n[store]\nurl = "sqlite:////x"\n')
    found = draft(file, {"COLLOQUE_NOTHING": "1"})
    assert found.settings is not None
    assert (found.settings.media.udp_port, found.settings.media.workers) == (10001, 1)
    assert found.settings.store.url == "sqlite:////x"
    assert found.wrong_sections == {"media"}
    with pytest.raises(ConfigError) as caught:
        load(file, {"COLLOQUE_NOTHING": "1"})
    assert list(found.problems) == caught.value.problems
    assert len(found.problems) == 3


def test_what_cannot_work_together_leaves_settings_and_names_the_section(file: Path) -> None:
    file.write_text('[turn]\nmode = "external"\n')
    found = draft(file, {})
    assert found.settings is not None
    assert found.wrong_sections == {"turn"}
    assert any("turn.secrets" in line for line in found.problems)


def test_of_a_file_that_is_no_toml_nothing_can_be_used(file: Path) -> None:
    file.write_text("[media\n")
    found = draft(file, {})
    assert found.settings is None
    assert len(found.problems) == 1


def test_settings_that_are_right_have_no_problem() -> None:
    found = draft(None, {})
    assert (found.settings, found.problems, found.wrong_sections) == (load(None, {}), (), frozenset())
