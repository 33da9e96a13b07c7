# Runs `make build`. For GPUs: docker build --build-arg LIBTORCH_VARIANT=cuda .
# The caches of the builder make a second build fast; they need BuildKit (Docker 23 or later, or DOCKER_BUILDKIT=1).
FROM rust:1-bookworm AS build
ARG LIBTORCH_VARIANT=cpu
COPY --from=node:22-bookworm-slim /usr/local/bin/node /usr/local/bin/node
COPY --from=node:22-bookworm-slim /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s /usr/local/lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && apt-get update && apt-get install --yes --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# libtorch is the largest layer and changes least often. The finished image has it in the same folder, because the
# runner's rpath names that folder.
ENV XDG_CACHE_HOME=/opt/cache OPTLAB_LIBTORCH_VARIANT=${LIBTORCH_VARIANT}
COPY setup/libtorch.py setup/libtorch-cpu.txt setup/libtorch-cuda.txt ./setup/
RUN python3 setup/libtorch.py
COPY . .
# Programs need the libraries of libtorch, but not its headers.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/root/.npm \
    --mount=type=cache,target=/src/target \
    make build && mkdir /out && cp target/release/optlab target/release/optlab-runner /out/ \
 && find /opt/cache/optlab -type d -name include -prune -exec rm -r {} +

FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates libstdc++6 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --create-home optlab && mkdir /data && chown optlab /data
COPY --from=build /opt/cache/optlab /opt/cache/optlab
COPY --from=build /out/ /usr/local/bin/
# As a number, so that Kubernetes can see that it is not root.
USER 1000
WORKDIR /data
ENV OPTLAB_LISTEN=0.0.0.0:8080
EXPOSE 8080
VOLUME /data
CMD ["optlab", "serve"]
