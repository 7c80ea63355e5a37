# A static binary on a small base that has a shell, for CI systems that need one, and the
# certificates that TLS needs.
FROM docker.io/library/rust:1-alpine AS build
# Versions of an image that moves on cannot be pinned.
# hadolint ignore=DL3018
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN cargo build --locked --release && cp target/release/douse /douse

FROM docker.io/library/alpine:3
COPY --from=build /douse /usr/local/bin/douse
USER 65534:65534
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/douse"]
CMD ["scan"]
