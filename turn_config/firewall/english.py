"""The sheet in English."""

from __future__ import annotations

from turn_config.firewall.rows import Direction, IfClosed, Need
from turn_config.firewall.sheet import Profile, Traffic
from turn_config.firewall.words import AdviceWords, FlowWords, HostWords, LineWords, RuleWords, Words
from turn_config.listeners import Purpose

_FLOWS = FlowWords(
    title="Flows to open",
    intro=(
        (
            "Every flow is opened by the site’s devices: all are outbound, from any source port (1024 to "
            "65535) to the port below. Nothing inbound has to be opened towards them."
        ),
        (
            "The rows “Return” are what comes back. A stateful firewall lets it through with the outbound "
            "flow; write these rows only on equipment that keeps no state (ACLs), or where your rules want "
            "the return written."
        ),
    ),
    media_ways="Sound and picture go by {media} or, failing that, by a relay ({relays}): open at least one "
    "of these flows, and all of them if you can.",
    heads=("Port", "Direction", "Purpose", "Need", "If closed"),
    direction={Direction.OUTBOUND: "Outbound", Direction.RETURN: "Return"},
    need={Need.REQUIRED: "Required", Need.ADVISED: "Advised", Need.OPTIONAL: "Optional"},
    need_means={
        Need.REQUIRED: "without it no call is possible.",
        Need.ADVISED: "needed for good quality, or by devices whose other flows are closed.",
        Need.OPTIONAL: "second port of the same relay, for sites that have opened it already.",
    },
    purpose={
        Purpose.WEB: "Page, WebSocket, REST interface",
        Purpose.MEDIA: "Sound and picture",
        Purpose.TURN: "STUN/TURN relay",
        Purpose.TURN_SECOND: "STUN/TURN relay, second port",
        Purpose.TURN_TLS: "TURN relay over TLS",
    },
    comes_back="Answers from port {port} to the devices’ ports 1024 to 65535",
    if_closed={
        IfClosed.NO_CALL: "Neither page nor call.",
        IfClosed.NO_MEDIA: "People come into the call, without sound or picture.",
        IfClosed.RELAYED: "Sound and picture go by a relay: more delay.",
        IfClosed.NEXT_PORT: "The relay is reached by {instead}.",
        IfClosed.LAST_RESORT: "Neither sound nor picture for devices without UDP.",
        IfClosed.NOTHING: "No effect while {instead} is open.",
        IfClosed.UNANSWERED: "As if {instead} were closed, unless the firewall is stateful.",
    },
    columns=(
        "Identifier",
        "Host",
        "IPv4",
        "IPv6",
        "Protocol",
        "Port",
        "Direction",
        "Purpose",
        "Need",
        "If closed",
    ),
)

_HOSTS = HostWords(
    title="Names and addresses",
    intro="Devices open {url} and must be able to look up the names below. No other server is contacted.",
    service_name="The name {name} must be looked up as well: it leads to one of these hosts.",
    caption="Hosts of the service",
    heads=("Name", "IPv4", "IPv6", "Role"),
    none="—",
    serves={"calls": "calls", "relay": "relay"},
)

_LINE = LineWords(
    reserve_title="Bandwidth to reserve",
    reserve_intro="To be guaranteed for RTP/UDP between the site and the hosts, each way. The service adapts "
    "to the line: below the minimum it lowers and then cuts the pictures, and keeps the sound.",
    reserve_caption="Bandwidth each way",
    reserve_heads=("Use", "Per seat", "{seats} seats at once"),
    reserve={
        Profile.USUAL: "To reserve",
        Profile.LEAST: "Minimum for pictures",
        Profile.SOUND_ONLY: "Sound only",
    },
    reserve_note="Seats are the people of the site who are in calls at the same time. For another number, "
    "multiply the column “Per seat”.",
    marks_title="Quality of service (QoS)",
    marks_intro="The server marks what it sends (RFC 8837). Keep these marks all the way to the devices, and "
    "give sound priority.",
    marks_caption="DSCP marks set by the server",
    marks_heads=("Traffic", "Class", "DSCP", "TOS octet"),
    traffic={
        Traffic.SOUND: "Sound",
        Traffic.PICTURES: "Picture and shared screen",
        Traffic.REST: "Everything else",
    },
    marks_note="The other way it is for the site to mark the traffic to {media}: by the QoS policy of the "
    "devices or on the access equipment. Where your equipment clears marks, sort the traffic by address and "
    "port.",
    no_marks="The server sets no DSCP marks. To give calls priority, sort the traffic to {media} by address "
    "and port.",
    times_title="Time-outs and quality of the line",
    times_caption="What the network must keep to",
    times_heads=("What", "Value", "Otherwise"),
    udp_state=(
        "Time-out of UDP sessions",
        "at least {seconds} s",
        "Sound and picture stop in the middle of a call. Browsers keep the flow alive every {consent} s.",
    ),
    tcp_idle=(
        "Time-out of idle TCP sessions",
        "at least {seconds} s",
        (
            "The page reconnects all the time. WebSockets are kept alive every {ping} s in a call and "
            "{waiting_ping} s in the waiting room."
        ),
    ),
    tls=(
        "TLS",
        "{version} or later",
        "No connection. The certificate must reach the devices as it is, in the name of {name}.",
    ),
    round_trip=("Round trip to the hosts", "under {ms} ms", "People talk over each other."),
    loss=("Packet loss", "under {percent} %", "Frozen pictures, then broken sound."),
)

_ADVICE = AdviceWords(
    title="Equipment to adjust",
    inspection=(
        "TLS inspection",
        (
            "Exempt {names} from HTTPS decryption. Under inspection the page may well appear while "
            "WebSockets are cut and the call fails."
        ),
    ),
    proxy=(
        "Proxy",
        (
            "Direct access is best. Through an explicit proxy: allow the method CONNECT to {web}, without "
            "authentication for {names}, and without a limit on the life of connections."
        ),
    ),
    proxy_and_media="Sound and picture do not go through the proxy: {media} must be open directly.",
    proxy_and_relays="Sound and picture do not go through the proxy: {media} or a relay ({relays}) must be "
    "open directly.",
    proxy_and_tls="Only the relay over TLS ({tls}) can cross a proxy that allows CONNECT to that port.",
    application=(
        "Application filtering (DPI, IPS)",
        (
            "Switch deep inspection off for these flows: they are encrypted (DTLS-SRTP), and inspection adds "
            "nothing but delay. Where the firewall sorts by application, allow STUN, TURN, DTLS and RTP to "
            "these addresses."
        ),
    ),
    sip=(
        "SIP ALG",
        "Switch it off for these addresses: these flows are not SIP, and a rewritten packet is discarded.",
    ),
    floods=(
        "UDP flood protection",
        (
            "Exempt these addresses or raise the thresholds: {seats} seats at once make about {packets} "
            "packets a second each way, often behind a single address (NAT)."
        ),
    ),
    browsers=(
        "Browser policies",
        (
            "Do not forbid WebRTC or tie it to the proxy (for Chrome and Edge, no "
            "“disable_non_proxied_udp”); allow camera and microphone for the service’s address."
        ),
    ),
)

_RULES = RuleWords(
    about=(
        "Rules for the hosts themselves, on the server's side: what they must accept.",
        "One file suits them all: the rules of one host match nothing on the others.",
        "Ports as clients see them; adapt them if a firewall translates them.",
        "Nothing is forbidden here: closing the rest is your choice, see the last lines of the chains.",
    ),
    nftables=(
        "Load: nft -f FILE; loading again replaces the table. Another table that drops these packets",
        "has the last word: in that case take these rules over into its chain.",
    ),
    iptables=(
        "One file for IPv4 and IPv6: iptables-restore --noflush FILE, then",
        "ip6tables-restore --noflush FILE. Once and for all, with iptables and then ip6tables:",
        "iptables -I INPUT -j COLLOQUE-INPUT; iptables -I OUTPUT -j COLLOQUE-OUTPUT.",
    ),
    clients="What clients send",
    from_calls="What the calls send back to the relay",
    to_calls="From the relay to the calls",
    drop_input=(
        "To close the rest, first accept SSH, monitoring and whatever you need above, then take away",
        "the # of the next line.",
    ),
    only_to_calls=(
        "The rest is closed to coturn by the rules that colloque turn coturn --what nftables writes,",
        "to be loaded on each host that runs a relay.",
    ),
)

ENGLISH = Words(
    language="en",
    title="Firewall sheet",
    lead="What an organisation opens on its network so that its devices can take part in the video calls of "
    "{url}.",
    address="Service",
    date="Date",
    fingerprint="Fingerprint",
    contact="Contact",
    test_page="Test page",
    date_format="%Y-%m-%d",
    decimal_point=".",
    thousands=",",
    mbps="Mbit/s",
    kbps="kbit/s",
    label="{label}: {text}",
    flows=_FLOWS,
    hosts=_HOSTS,
    line=_LINE,
    advice=_ADVICE,
    rules=_RULES,
    check_title="Check",
    check_test="From a device of the site, open {test_page} and try it with camera and microphone.",
    check_contact="When in doubt: {contact}.",
    check_fingerprint="The fingerprint {fingerprint} changes as soon as a setting does on which this sheet "
    "depends. If the server tells another, this paper is out of date. Who runs the server reads it with "
    "“colloque turn firewall” or on the admin port, at /firewall.html.",
)
