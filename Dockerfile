# Stage 1 has the compilers and makes the wheel with the page in it; stage 2 has neither compiler nor root.
FROM rust:1-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv cmake && rm -rf /var/lib/apt/lists/*
COPY --from=node:22-bookworm-slim /usr/local /usr/local
WORKDIR /src
COPY . .
RUN make build && python3 -m venv /opt/colloque \
    && /opt/colloque/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt \
    && /opt/colloque/bin/pip install --no-cache-dir --no-deps dist/colloque-*.whl

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --home-dir /var/lib/colloque colloque
COPY --from=build /opt/colloque /opt/colloque
USER colloque
WORKDIR /var/lib/colloque
ENV PATH=/opt/colloque/bin:$PATH
# Page, API and signalling; media; TURN and STUN on both of their ports.
EXPOSE 8080/tcp 10000/udp 3478/tcp 3478/udp 19302/tcp 19302/udp
VOLUME /var/lib/colloque
ENTRYPOINT ["colloque"]
CMD ["serve"]
