"""Rooms by REST."""

import base64
import csv
import io
import json

import pytest

from tests.unit.control_api.conftest import KEY, NOW, STRANGER, Client


async def test_a_room_is_made_with_one_request(client: Client) -> None:
    made = await client.ask("POST", "/v1/rooms", {})
    assert made.status == 201
    assert made.headers["Location"] == f"/v1/rooms/{made.body['id']}"
    assert (made.body["state"], made.body["kind"]) == ("planned", "consultation")
    read = await client.ask("GET", made.headers["Location"])
    assert (read.body, read.headers["ETag"]) == (made.body, made.headers["ETag"])


async def test_every_field_comes_back_as_it_was_sent(client: Client) -> None:
    sent = {
        "id": "rdv 7 é",
        "name": "Suivi",
        "kind": "group",
        "starts_at": "2031-05-06T09:00:00+02:00",
        "ends_at": "2031-05-06T07:30:00Z",
        "open_before_minutes": 10,
        "close_after_minutes": 0,
        "max_participants": 8,
        "bandwidth": {"audio_only": True, "max_kbps_up": 500, "max_kbps_down": 1_500},
        "features": {
            "chat": False,
            "screen_share": True,
            "raise_hand": True,
            "e2ee": True,
            "one_presenter": True,
        },
        "metadata": {"agenda.id": "é"},
    }
    made = (await client.ask("POST", "/v1/rooms", sent)).body
    assert made["starts_at"] == "2031-05-06T07:00:00Z"
    assert (made["opens_at"], made["closes_at"]) == ("2031-05-06T06:50:00Z", "2031-05-06T07:30:00Z")
    same = sent.keys() - {"starts_at"}
    assert {name: made[name] for name in same} == {name: sent[name] for name in same}
    assert made["state"] == "planned"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"owner": "me"}, "/owner"),
        ({"tenant": "elsewhere"}, "/tenant"),
        ({"created_at": "2031-05-06T07:00:00Z"}, "/created_at"),
        ({"features": {"recording": True}}, "/features/recording"),
        ({"bandwidth": {"max_kbps_up": 49}}, "/bandwidth/max_kbps_up"),
        ({"bandwidth": {"max_kbps_down": 100_001}}, "/bandwidth/max_kbps_down"),
        ({"bandwidth": {"max_kbps_down": "1000"}}, "/bandwidth/max_kbps_down"),
        ({"bandwidth": {"max_kbps": 500}}, "/bandwidth/max_kbps"),
        ({"bandwidth": {"audio_only": "yes"}}, "/bandwidth/audio_only"),
        ({"id": "a/b"}, "/id"),
        ({"id": ""}, "/id"),
        ({"id": "a\nb"}, "/id"),
        ({"id": ".."}, "/id"),
        ({"id": 7}, "/id"),
        ({"name": "a\x1b[31m"}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"kind": "party"}, "/kind"),
        ({"starts_at": "tomorrow"}, "/starts_at"),
        ({"starts_at": "2031-05-06T09:00:00"}, "/starts_at"),
        ({"starts_at": 1_900_000_000}, "/starts_at"),
        ({"starts_at": "0001-01-01T00:00:00Z"}, "/starts_at"),
        ({"starts_at": "2031-05-06T09:00:00Z", "ends_at": "2031-05-06T08:00:00Z"}, "/ends_at"),
        ({"open_before_minutes": -1}, "/open_before_minutes"),
        ({"open_before_minutes": "30"}, "/open_before_minutes"),
        ({"max_participants": 0}, "/max_participants"),
        ({"max_participants": True}, "/max_participants"),
        ({"metadata": {"a b": "c"}}, "/metadata/a b/[key]"),
        ({"metadata": {"a": 1}}, "/metadata/a"),
        ({"metadata": {str(n): "" for n in range(51)}}, "/metadata"),
    ],
)
async def test_a_wrong_field_is_pointed_at_and_nothing_is_made(
    client: Client, body: dict[str, object], pointer: str
) -> None:
    refused = await client.ask("POST", "/v1/rooms", body)
    assert (refused.status, refused.body["code"]) == (422, "invalid-field")
    assert [one["pointer"] for one in refused.body["errors"]] == [pointer]
    assert (await client.ask("GET", "/v1/rooms")).body["items"] == []


async def test_all_wrong_fields_are_named_at_once(client: Client) -> None:
    refused = await client.ask("POST", "/v1/rooms", {"kind": "party", "x": 1, "max_participants": 0})
    assert {one["pointer"] for one in refused.body["errors"]} == {"/kind", "/x", "/max_participants"}


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"{", 400, "malformed"),
        (b"\xff\xfe", 400, "malformed"),
        (b'{"name": "a", "name": "b"}', 400, "malformed"),
        (b'{"max_participants": NaN}', 400, "malformed"),
        (b"[" * 60_000, 400, "malformed"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, 400, "malformed"),
        (b'{"name": "' + b"x" * 70_000 + b'"}', 413, "too-large"),
        (b"9" * 5000, 400, "malformed"),
        (b"[]", 422, "invalid-field"),
        (b'"text"', 422, "invalid-field"),
        (b"null", 422, "invalid-field"),
    ],
)
async def test_a_body_that_is_no_object_is_refused(
    client: Client, raw: bytes, status: int, code: str
) -> None:
    refused = await client.ask("POST", "/v1/rooms", raw=raw)
    assert (refused.status, refused.body["code"]) == (status, code)


async def test_brackets_in_text_are_not_depth(client: Client) -> None:
    raw = b'{"name": "[[[[[[[[[[[[[[[[[[[[\\"[[[[[["}'
    assert (await client.ask("POST", "/v1/rooms", raw=raw)).status == 201


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_type_is_refused(client: Client, kind: str) -> None:
    refused = await client.ask("POST", "/v1/rooms", raw=b"{}", content_type=kind)
    assert (refused.status, refused.body["code"]) == (415, "unsupported-media-type")


async def test_a_compressed_body_is_refused(client: Client) -> None:
    assert (await client.ask("POST", "/v1/rooms", raw=b"{}", content_encoding="gzip")).status == 415


async def test_an_id_in_use_is_taken(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    refused = await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    assert (refused.status, refused.body["code"]) == (409, "taken")


class TestChanging:
    async def test_a_merge_patch_changes_what_it_names(self, client: Client) -> None:
        made = (
            await client.ask(
                "POST",
                "/v1/rooms",
                {"id": "rdv", "name": "A", "metadata": {"a": "1", "b": "2"}, "max_participants": 4},
            )
        ).body
        patch = {"name": None, "metadata": {"a": None, "c": "3"}, "features": {"chat": False}}
        changed = (await client.ask("PATCH", "/v1/rooms/rdv", patch)).body
        assert (changed["name"], changed["metadata"]) == (None, {"b": "2", "c": "3"})
        assert (changed["features"]["chat"], changed["features"]["screen_share"]) == (False, True)
        assert (changed["max_participants"], changed["created_at"]) == (4, made["created_at"])

    async def test_sound_alone_is_switched_on_and_off_by_a_patch(self, client: Client) -> None:
        await client.ask("POST", "/v1/rooms", {"id": "rdv"})
        for patch, found in (
            ({"bandwidth": {"audio_only": True}}, True),
            ({"name": "A"}, True),
            ({"bandwidth": None}, False),
        ):
            await client.ask("PATCH", "/v1/rooms/rdv", patch)
            assert (await client.ask("GET", "/v1/rooms/rdv")).body["bandwidth"]["audio_only"] is found

    async def test_bounds_are_set_one_by_one_and_lifted_by_null(self, client: Client) -> None:
        await client.ask("POST", "/v1/rooms", {"id": "rdv", "bandwidth": {"max_kbps_up": 500}})
        for patch, found in (
            ({"max_kbps_down": 900}, (500, 900)),
            ({"max_kbps_up": None}, (None, 900)),
            (None, (None, None)),
        ):
            changed = await client.ask("PATCH", "/v1/rooms/rdv", {"bandwidth": patch})
            said = changed.body["bandwidth"]
            assert (said["max_kbps_up"], said["max_kbps_down"]) == found

    async def test_two_who_read_the_same_version_do_not_overwrite_each_other(self, client: Client) -> None:
        tag = (await client.ask("POST", "/v1/rooms", {"id": "rdv"})).headers["ETag"]
        first = await client.ask("PATCH", "/v1/rooms/rdv", {"name": "A"}, if_match=tag)
        second = await client.ask("PATCH", "/v1/rooms/rdv", {"name": "B"}, if_match=tag)
        assert (first.status, second.status, second.body["code"]) == (200, 412, "stale-version")
        assert (await client.ask("DELETE", "/v1/rooms/rdv", if_match=tag)).status == 412
        assert (await client.ask("DELETE", "/v1/rooms/rdv", if_match=first.headers["ETag"])).status == 204

    async def test_the_tag_of_an_earlier_room_of_the_same_id_does_not_fit(self, client: Client) -> None:
        tag = (await client.ask("POST", "/v1/rooms", {"id": "rdv"})).headers["ETag"]
        await client.ask("DELETE", "/v1/rooms/rdv")
        await client.ask("POST", "/v1/rooms", {"id": "rdv"})
        assert (await client.ask("PATCH", "/v1/rooms/rdv", {"name": "A"}, if_match=tag)).status == 412

    @pytest.mark.parametrize("tag", ['"1"', "nonsense", 'W/"x.1"', '"x.99999999999999999999"', ""])
    async def test_a_strange_tag_never_fits(self, client: Client, tag: str) -> None:
        await client.ask("POST", "/v1/rooms", {"id": "rdv"})
        assert (await client.ask("PATCH", "/v1/rooms/rdv", {"name": "A"}, if_match=tag)).status == 412

    async def test_a_star_fits_any_version(self, client: Client) -> None:
        await client.ask("POST", "/v1/rooms", {"id": "rdv"})
        assert (await client.ask("PATCH", "/v1/rooms/rdv", {"name": "A"}, if_match="*")).status == 200

    @pytest.mark.parametrize("patch", [{"id": "b"}, {"tenant": "x"}, {"version": 9}, {"admin": True}])
    async def test_what_is_not_to_be_changed_is_refused(
        self, client: Client, patch: dict[str, object]
    ) -> None:
        before = (await client.ask("POST", "/v1/rooms", {"id": "rdv"})).body
        assert (await client.ask("PATCH", "/v1/rooms/rdv", patch)).status == 422
        assert (await client.ask("GET", "/v1/rooms/rdv")).body == before

    async def test_a_patch_that_is_no_object_is_refused(self, client: Client) -> None:
        await client.ask("POST", "/v1/rooms", {"id": "rdv"})
        assert (await client.ask("PATCH", "/v1/rooms/rdv", [])).status == 422


class TestListing:
    async def test_pages_follow_each_other_to_the_end(self, client: Client) -> None:
        made = [
            (await client.ask("POST", "/v1/rooms", {"starts_at": f"2031-05-06T{hour:02}:00:00Z"})).body["id"]
            for hour in range(5)
        ]
        seen: list[str] = []
        cursor = ""
        while True:
            page = (await client.ask("GET", f"/v1/rooms?limit=2{cursor}")).body
            seen += [room["id"] for room in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert seen == made

    async def test_the_next_page_is_also_in_a_link(self, client: Client) -> None:
        for _ in range(2):
            await client.ask("POST", "/v1/rooms", {})
        page = await client.ask("GET", "/v1/rooms?limit=1&state=planned")
        assert page.headers["Link"] == (
            f'</v1/rooms?limit=1&state=planned&cursor={page.body["next"]}>; rel="next"'
        )

    async def test_rooms_come_as_a_table_that_no_spreadsheet_runs(self, client: Client) -> None:
        await client.ask("POST", "/v1/rooms", {"id": "a", "name": '=HYPERLINK("x"), "y"'})
        await client.ask("POST", "/v1/rooms", {"id": "b", "starts_at": "2031-05-06T09:00:00Z"})
        table = await client.ask("GET", "/v1/rooms?limit=1", accept="text/csv, */*;q=0.1")
        assert table.headers["Content-Type"].startswith("text/csv")
        assert 'rel="next"' in table.headers["Link"]
        header, row = csv.reader(io.StringIO(table.text))
        assert header[:4] == ["id", "name", "kind", "state"]
        assert row[:4] == ["a", '\'=HYPERLINK("x"), "y"', "consultation", "planned"]
        assert (await client.ask("GET", "/v1/rooms", accept="*/*")).body["items"]

    async def test_rooms_are_found_by_metadata_and_time(self, client: Client) -> None:
        await client.ask("POST", "/v1/rooms", {"id": "a", "metadata": {"ward": "7"}})
        await client.ask("POST", "/v1/rooms", {"id": "b", "starts_at": "2031-05-06T09:00:00Z"})
        for query, found in (
            ("metadata.ward=7", ["a"]),
            ("from=2031-05-06T09:00:00%2B00:00", ["b"]),
            ("to=2031-05-06T09:00:00Z", ["a"]),
            ("state=planned", ["a", "b"]),
            ("state=finished", []),
        ):
            listed = (await client.ask("GET", f"/v1/rooms?{query.replace('%2B', '+')}")).body["items"]
            assert [room["id"] for room in listed] == found

    @pytest.mark.parametrize(
        "query",
        ["state=open", "limit=0", "limit=201", "limit=x", "limit=²", "cursor=x", "cursor=W10", "from=now",
         "page=2", "from=2031-05-06", "limit=1&limit=2", "metadata=7"],
    )  # fmt: skip
    async def test_a_wrong_query_is_refused(self, client: Client, query: str) -> None:
        refused = await client.ask("GET", f"/v1/rooms?{query}")
        assert (refused.status, refused.body["code"]) == (422, "invalid-field")
        assert refused.body["errors"][0]["pointer"] == "?" + query.split("=", maxsplit=1)[0]


class TestIdempotency:
    async def test_a_repeated_request_gets_the_very_same_answer(self, client: Client) -> None:
        first = await client.ask("POST", "/v1/rooms", {"name": "A"}, idempotency_key="k1")
        client.now += 3600
        again = await client.ask("POST", "/v1/rooms", {"name": "A"}, idempotency_key="k1")
        assert (again.status, again.text, again.headers) == (first.status, first.text, first.headers)
        assert len((await client.ask("GET", "/v1/rooms")).body["items"]) == 1

    async def test_the_same_key_with_another_body_is_refused(self, client: Client) -> None:
        await client.ask("POST", "/v1/rooms", {"name": "A"}, idempotency_key="k1")
        refused = await client.ask("POST", "/v1/rooms", {"name": "B"}, idempotency_key="k1")
        assert (refused.status, refused.body["code"]) == (422, "idempotency-mismatch")

    async def test_tenants_do_not_share_keys(self, client: Client) -> None:
        ours = await client.ask("POST", "/v1/rooms", {}, idempotency_key="k1")
        theirs = await client.ask("POST", "/v1/rooms", {}, idempotency_key="k1", key=STRANGER)
        assert ours.body["id"] != theirs.body["id"]

    @pytest.mark.parametrize("key", ["", "x" * 256, "a\x00b"])
    async def test_an_unusable_key_is_refused(self, client: Client, key: str) -> None:
        assert (await client.ask("POST", "/v1/rooms", {}, idempotency_key=key)).status == 400


async def test_absent_and_somebody_elses_look_alike(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "theirs"}, key=STRANGER)
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/participants"),
        ("PUT", "/participants/p"),
        ("POST", "/participants/p/token"),
        ("POST", "/participants/p/remove"),
        ("POST", "/links"),
    ):
        theirs = await client.ask(method, f"/v1/rooms/theirs{path}", key=KEY)
        absent = await client.ask(method, f"/v1/rooms/absent{path}", key=KEY)
        assert theirs.status == absent.status == 404
        assert {**theirs.body, "trace_id": ""} == {**absent.body, "trace_id": ""}


async def test_an_error_carries_the_callers_trace(client: Client) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    refused = await client.ask("GET", "/v1/rooms/x", traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    assert refused.body["trace_id"] == trace
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert client.now == NOW


async def test_text_that_a_database_cannot_hold_is_refused_by_each(client: Client) -> None:
    await client.ask("POST", "/v1/rooms", {"id": "rdv", "metadata": {"a": "\U0001f3e5 \x01"}})
    assert (await client.ask("GET", "/v1/rooms/rdv")).body["metadata"] == {"a": "\U0001f3e5 \x01"}
    nowhere = ("/v1/rooms/a\0", "/v1/rooms/rdv/participants/a\0", "/v1/rooms/rdv/participants/\0/token")
    methods = ("GET", "GET", "POST")
    for method, path in zip(methods, nowhere, strict=True):
        assert (await client.ask(method, path)).status == 404
    wrong = await client.ask("POST", "/v1/rooms", {"metadata": {"a": "b\0"}})
    assert (wrong.status, wrong.body["errors"][0]["pointer"]) == (422, "/metadata/a")
    assert (await client.ask("GET", "/v1/rooms?metadata.a=\0")).status == 422
    for position in (["\0"], ["\ud800"], [1e400, "a\0"], [10**400, "a"]):
        cursor = base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")
        for path in ("/v1/rooms", "/v1/rooms/rdv/participants"):
            assert (await client.ask("GET", f"{path}?cursor={cursor}")).status == 422


@pytest.mark.parametrize("value", [None, 1, {}])
async def test_a_patch_with_an_unknown_name_is_refused_whatever_stands_under_it(
    client: Client, value: object
) -> None:
    made = await client.ask("POST", "/v1/rooms", {"id": "rdv"})
    for patch, pointer in (
        ({"no~w/here": value}, "/no~0w~1here"),
        ({"features": {"x": value}}, "/features/x"),
    ):
        refused = await client.ask("PATCH", "/v1/rooms/rdv", patch)
        assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, pointer)
    assert (await client.ask("GET", "/v1/rooms/rdv")).headers["ETag"] == made.headers["ETag"]
    nothing = {"metadata": {"not there": None}, "features": None, "name": None}
    assert (await client.ask("PATCH", "/v1/rooms/rdv", nothing)).status == 200
