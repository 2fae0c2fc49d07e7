# The service in an image: Relay is installed from its wheel; contract and handlers are copied.
FROM python:3.13-slim AS build
WORKDIR /src
# The versions of all packages; pip reads the second variable for those of the build.
ENV PIP_CONSTRAINT=/src/constraints.txt \
    PIP_BUILD_CONSTRAINT=/src/constraints.txt
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY scripts scripts
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /dist . \
 && python -m venv /relay \
 && /relay/bin/pip install --no-cache-dir "$(echo /dist/*.whl)[service,tracing]"

FROM python:3.13-slim
COPY --from=build /relay /relay
# SQLite's file, unless RELAY_STORE names another store: mount a volume here to keep it.
RUN install -d -o 10001 -g 10001 -m 700 /data
ENV PATH=/relay/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    XDG_DATA_HOME=/data \
    RELAY_HOST=0.0.0.0 \
    RELAY_ENVIRONMENT=production \
    RELAY_LOG_FORMAT=json
# The project: its settings in pyproject.toml, the contract, the handlers.
WORKDIR /srv
COPY pyproject.toml ./
COPY spec spec
COPY handlers handlers
USER 10001:10001
EXPOSE 2212
# Checks that the process lives, not its database: restarting the container would not repair that.
HEALTHCHECK --interval=15s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('RELAY_PORT') or 2212), timeout=3); c.request('GET', '/livez'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["relay"]
CMD ["serve"]
