# The suite as an image: `docker run … conformance run --base-url …`, see docs/docker.md.
# Docker, Podman and Buildah build it alike; nothing but the wheel goes into the second stage.

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE targets.yaml ./
COPY schemas schemas
COPY conformance conformance
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /dist .

FROM python:3.13-slim
COPY --from=build /dist /dist
RUN pip install --no-cache-dir /dist/*.whl && rm -r /dist \
    && useradd --create-home --uid 1000 conformance \
    && install --directory --owner conformance /work
USER conformance
# Reports are written to /work/reports: mount a folder there to keep them.
WORKDIR /work
ENV PYTHONUNBUFFERED=1
ENTRYPOINT ["conformance"]
CMD ["--help"]
