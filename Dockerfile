# For machines without a Swift toolchain:
#   docker build -t proctor . && docker run --rm --security-opt seccomp=unconfined \
#     --security-opt apparmor=unconfined -v "$PWD":/workspace proctor run /workspace
FROM swift:6.2-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends libxml2-dev libpcre2-dev libseccomp-dev libsqlite3-dev pkg-config make \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /proctor
COPY Package.swift ./
COPY Sources Sources
COPY Plugins Plugins
COPY adapters adapters
COPY rules rules
COPY docs/schema docs/schema
COPY Benchmarks Benchmarks
COPY Tests Tests
RUN swift build -c release --static-swift-stdlib --product proctor \
  && install -D .build/release/proctor /usr/local/bin/proctor

FROM swift:6.2-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends bubblewrap libxml2 libpcre2-8-0 libseccomp2 libsqlite3-0 \
    cargo gcc nodejs npm python3 python3-venv python3-pytest git make pkg-config libxml2-dev libpcre2-dev libseccomp-dev libsqlite3-dev \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/bin/proctor /usr/local/bin/proctor
WORKDIR /workspace
ENTRYPOINT ["proctor"]
CMD ["run"]
