# The operator's image: one static binary on an empty base, running as an unprivileged user.
#   docker build -t rolewright .
#   docker buildx build --platform linux/amd64,linux/arm64 -t rolewright .

# Alpine's Rust links musl statically. aws-lc-rs (TLS) needs only the C compiler of this image: it ships bindings for musl on
# amd64 and arm64, so neither CMake nor clang is necessary. jemalloc needs make.
FROM rust:1.95-alpine AS build
RUN apk add --no-cache make musl-dev
WORKDIR /src
COPY . .
# Some kernels for arm64 have pages of 64 KiB. jemalloc does not run with larger pages than it was built for.
ARG TARGETARCH
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    if [ "$TARGETARCH" = arm64 ]; then export JEMALLOC_SYS_WITH_LG_PAGE=16; fi && \
    cargo build --locked --release --no-default-features --package rolewright --bin rolewright && cp target/release/rolewright /rolewright

FROM scratch
# The path where the TLS stack reads the public CAs. Without them the operator cannot verify a hosted back end.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /rolewright /rolewright
# A number, because Kubernetes cannot check runAsNonRoot for a user name.
USER 65532:65532
ENTRYPOINT ["/rolewright"]
CMD ["run"]
