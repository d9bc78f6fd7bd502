# The operator's image: one static binary on an empty base, running as an unprivileged user.
#   docker build --build-arg COMMIT="$(git rev-parse --short HEAD)" -t rolewright .
#   make image      the same without Docker: hack/image.sh puts a directory in the place of the stage "build"

# Debian, as hack/image.sh needs it: glibc can be linked statically.
FROM rust:1.95-bookworm AS build
ARG COMMIT=""
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.cache/rolewright,sharing=locked \
    --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    ROLEWRIGHT_COMMIT="$COMMIT" hack/image.sh rootfs /rootfs

FROM scratch
COPY --from=build /rootfs /
# A number, because Kubernetes cannot check runAsNonRoot for a user name.
USER 65532:65532
ENTRYPOINT ["/rolewright"]
CMD ["run"]
