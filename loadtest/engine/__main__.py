"""A developer's way to try the engine: one room, some who send and some who receive, figures as JSON.

python -m loadtest.engine --url ws://127.0.0.1:8080 --key K --secret S --publishers 1 --subscribers 20
"""

import argparse
import asyncio
import dataclasses
import json
import secrets
import sys
import time

from loadtest.engine.run import run
from loadtest.plan import AudioPlan, PersonPlan, RunPlan, VideoPlan
from loadtest.results import EngineResult, Progress
from loadtest.tokens import join_token


def main() -> int:
    """Run what the command line says; return 1 when somebody could not join."""
    options = _options()
    plan = _plan(options)
    result = asyncio.run(
        run(plan, on_progress=_tell, check_every=options.check_every, threads=options.threads)
    )
    print(json.dumps(_summary(result), indent=2))
    return 0 if all(join.ok for join in result.joins) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtest.engine", description=__doc__)
    parser.add_argument("--url", default="ws://127.0.0.1:8080")
    parser.add_argument("--key", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--room", default=f"load-{secrets.token_hex(3)}")
    parser.add_argument("--publishers", type=int, default=1)
    parser.add_argument("--subscribers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--warm-up", type=float, default=2.0)
    parser.add_argument("--check-every", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--packets", type=int, nargs=2, metavar=("COUNT", "BYTES"))
    parser.add_argument("--audio-only", action="store_true")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> RunPlan:
    life = options.warm_up + options.seconds + 60
    video = None if options.audio_only else VideoPlan()
    if options.packets and video:
        count, size = options.packets
        video = VideoPlan(encodings=((1280, 720, 2500),), packets_per_frame=count, packet_bytes=size)
    names = [f"publisher-{n}" for n in range(options.publishers)]
    names += [f"subscriber-{n}" for n in range(options.subscribers)]

    def person(at: int, name: str) -> PersonPlan:
        token = join_token(
            options.key, options.secret, room=options.room, identity=name, now=time.time(), ttl_seconds=life
        )
        sends = at < options.publishers
        return PersonPlan(
            room=options.room,
            identity=name,
            token=token,
            joins_at=at * options.warm_up / 2 / len(names),
            leaves_at=None,
            audio=AudioPlan() if sends else None,
            video=video if sends else None,
        )

    people = tuple(person(at, name) for at, name in enumerate(names))
    return RunPlan(options.url, people, options.warm_up, options.seconds, seed=1)


def _summary(result: EngineResult) -> dict[str, object]:
    plain = dataclasses.asdict(result)
    plain["latency"] = {
        f"p{share:g}_ms": result.latency.percentile(share / 100) for share in (50, 95, 99, 99.9)
    }
    joins = sorted(join.dtls_ms for join in result.joins if join.dtls_ms is not None)
    plain["joins"] = {
        "ok": sum(join.ok for join in result.joins),
        "of": len(result.joins),
        "median_dtls_ms": joins[len(joins) // 2] if joins else None,
        "first": [dataclasses.asdict(join) for join in result.joins[:3]],
        "errors": sorted({join.error for join in result.joins if join.error}),
    }
    return plain


def _tell(progress: Progress) -> None:
    print(
        f"{progress.seconds:5.1f} s  {progress.connected}/{progress.expected} people  "
        f"{progress.packets_per_second:9.0f} packets/s",
        file=sys.stderr,
    )


if __name__ == "__main__":
    sys.exit(main())
