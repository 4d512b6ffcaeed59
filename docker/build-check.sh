#!/bin/sh
# The image's steps without Docker: the build context as .dockerignore leaves it, in a clean
# directory, through docker/build.sh as the Dockerfile calls it; then the programs that
# docker-compose.yml starts are asked whether they can run from what came out.
# Needs Python 3.11 and PyPI; takes a minute or two. `make image-check` runs it.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
context=$scratch/context app=$scratch/opt/studio venv=$scratch/opt/venv
mkdir -p "$context" "$scratch/build" "$scratch/opt"

echo "== context: what .dockerignore lets in"
grep '^!' "$root/.dockerignore" | cut -c2- | while read -r path; do
    [ -e "$root/$path" ] || { echo "$path is in .dockerignore and not in the source" >&2; exit 1; }
    mkdir -p "$context/$(dirname "$path")"
    cp -R "$root/$path" "$context/$path"
done
find "$context" -name __pycache__ -type d -prune -exec rm -rf {} +
du -sh "$context" | cut -f1

echo "== stage wheels"
cp "$context/requirements.txt" "$context/docker/build.sh" "$scratch/build"
cd "$scratch/build"
python3.11 --version
PATH=$scratch/bin:$PATH
mkdir "$scratch/bin" && ln -s "$(command -v python3.11)" "$scratch/bin/python3"
sh build.sh wheels requirements.txt "$scratch/wheels"
sh build.sh install requirements.txt "$scratch/wheels" "$venv"
[ ! -e "$venv/bin/pip" ] || { echo "pip is in the image" >&2; exit 1; }

echo "== stage studio"
cp -R "$context" "$app"
cd "$app"
# nothing of the caller's environment, as in a container
run() {
    env -i PATH="$venv/bin:/usr/bin:/bin" HOME="$scratch" STUDIO_DIR="$app/state" \
        PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=reliability_studio.settings "$@"
}
run sh docker/build.sh static "$app" "$venv"
left=$(cd "$app/state" && ls -A)
[ "$left" = static ] || { echo "the build left in STUDIO_DIR: $left" >&2; exit 1; }
[ -f "$app/state/static/css/tokens.css" ] || { echo "static files are missing" >&2; exit 1; }

echo "== what it holds can run"
key=$(run python -c 'import secrets; print(secrets.token_urlsafe(48))')
separate() {
    run SECRET_KEY="$key" DATABASE_URL=postgresql://studio:x@127.0.0.1:1/studio \
        REDIS_URL=redis://127.0.0.1:1/0 "$@"
}
# read-only from here on, as the container is; root may write anywhere, so look afterwards
before=$(find "$app" "$venv" -type f | sort | cksum)
separate python manage.py check --fail-level WARNING
separate gunicorn --check-config --config docker/gunicorn.conf.py reliability_studio.wsgi:application
separate daphne --help >/dev/null
separate python -c 'import reliability_studio.asgi'
separate celery --app reliability_studio report >/dev/null
separate python -m lab --help >/dev/null
if separate python docker/healthcheck.py http://127.0.0.1:1/health 2>/dev/null; then
    echo "the health check calls a dead port healthy" >&2
    exit 1
fi
[ "$before" = "$(find "$app" "$venv" -type f | sort | cksum)" ] || {
    echo "a program wrote into the image" >&2
    exit 1
}
echo "The image's steps work: $(du -sh "$venv" | cut -f1) of packages, $(du -sh "$app" | cut -f1) of product."
