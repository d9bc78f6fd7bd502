# The operator's image: one static binary on an empty base, run as a user without privileges.
#   docker build -t rolewright .
#   docker buildx build --platform linux/amd64,linux/arm64 -t rolewright .

# Alpine's Rust links musl statically. aws-lc-rs (TLS) needs only the C compiler that is in this image: its bindings
# for musl on amd64 and arm64 come ready-made, so neither CMake nor clang is wanted.
FROM rust:1.95-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --locked --release --no-default-features --package rolewright --bin rolewright && cp target/release/rolewright /rolewright

FROM scratch
# Where the TLS stack looks for public CAs: without them no hosted back end can be verified.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /rolewright /rolewright
# By number: Kubernetes cannot check runAsNonRoot on a name.
USER 65532:65532
ENTRYPOINT ["/rolewright"]
CMD ["run"]
