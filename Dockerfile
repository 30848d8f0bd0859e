# syntax=docker/dockerfile:1

# Three things to build:
#   docker build -t moongate .                                 the gateway (the default target)
#   docker build -t echo-server --target echo-server .         the upstream of the examples
#   docker build --target plugins --output target/plugins .    the .wasm files alone, into ./target/plugins

FROM node:22-bookworm-slim AS console

WORKDIR /console
COPY crates/moongate-admin/console/package.json crates/moongate-admin/console/package-lock.json crates/moongate-admin/console/.npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY crates/moongate-admin/console/ ./
RUN npm run build


FROM rust:1.95-bookworm AS builder

# rust-toolchain.toml asks for `stable`, which rustup would download although the image has a toolchain.
ENV RUSTUP_TOOLCHAIN=$RUST_VERSION
RUN rustup target add wasm32-wasip2

WORKDIR /src
COPY . .
# The console becomes a part of the gateway.
COPY --from=console /console/dist crates/moongate-admin/console/dist

# The caches outlive a change of the sources, so only what changed is compiled again. They are not part of the
# image, hence the copies to /out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --release --package moongate --package echo-server \
    && cargo xtask plugins --out /out/plugins \
    && install -D --strip --target-directory=/out/bin target/release/moongate target/release/echo-server \
    && mkdir -p /out/state/moongate


FROM scratch AS plugins

COPY --from=builder /out/plugins/ /


FROM gcr.io/distroless/cc-debian12:nonroot AS echo-server

COPY --from=builder /out/bin/echo-server /usr/local/bin/echo-server

EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/usr/local/bin/echo-server", "--health"]
ENTRYPOINT ["/usr/local/bin/echo-server"]
CMD ["--host", "0.0.0.0"]


FROM gcr.io/distroless/cc-debian12:nonroot AS moongate

COPY --from=builder /out/bin/moongate /usr/local/bin/moongate
COPY --from=builder /out/plugins/ /opt/moongate/plugins/
COPY config/moongate.docker.yaml /etc/moongate/moongate.yaml
COPY config/kong.docker.yaml /etc/moongate/kong.docker.yaml
# The parent is copied so that the directory itself, and with it a volume mounted there, belongs to the user.
COPY --from=builder --chown=65532:65532 /out/state/ /var/lib/

# Loopback inside a container reaches nobody. Publish the Admin API to the host's loopback only:
#   docker run -p 8000:8000 -p 8443:8443 -p 127.0.0.1:8001:8001 -p 127.0.0.1:8002:8002 moongate
ENV MOONGATE_PREFIX=/var/lib/moongate \
    MOONGATE_ADMIN_GUI_LISTEN=0.0.0.0:8002 \
    MOONGATE_ADMIN_LISTEN=0.0.0.0:8001

EXPOSE 8000 8443 8001 8002 8100
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["/usr/local/bin/moongate", "health"]
ENTRYPOINT ["/usr/local/bin/moongate"]
CMD ["start", "-c", "/etc/moongate/moongate.yaml"]
