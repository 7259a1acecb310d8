# One hub. Its data (SQLite, files) lies under /data; with PARLEY_DATABASE set, only files do.
FROM python:3.11-slim AS packages
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /opt/parley \
    && /opt/parley/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock

FROM python:3.11-slim
ENV PATH=/opt/parley/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PARLEY_HOST=0.0.0.0 \
    PARLEY_PORT=8080 \
    PARLEY_DATA=/data
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin parley \
    && install -d -o parley -g parley -m 750 /data
COPY --from=packages /opt/parley /opt/parley
WORKDIR /app
COPY hub hub
COPY connectors connectors
COPY widget widget
COPY agents_ui agents_ui
COPY locale locale
RUN echo /app > "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/parley.pth" \
    && printf '#!/bin/sh\nexec /opt/parley/bin/python -m hub "$@"\n' > /opt/parley/bin/parley \
    && chmod +x /opt/parley/bin/parley \
    && python -m compileall -q hub connectors
USER parley
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:%s/healthz' % os.environ.get('PARLEY_PORT', '8080'), timeout=4)"]
# SIGTERM ends it in order: no new work is taken, what is being written is finished.
STOPSIGNAL SIGTERM
CMD ["parley", "serve"]
