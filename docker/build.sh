#!/bin/sh
# The steps of the image, one a word, so that they can be run without Docker as well
# (docker/build-check.sh does). Each leaves nothing behind but what it names.
#
#   build.sh wheels REQUIREMENTS FOLDER         every wheel of the product, into FOLDER
#   build.sh install REQUIREMENTS FOLDER VENV   a virtual environment from those wheels alone
#   build.sh static SOURCE VENV                 collected static files in $STUDIO_DIR/static
set -eu

step=$1
shift
case $step in
wheels)
    python3 -m pip wheel --quiet --disable-pip-version-check --no-cache-dir \
        --wheel-dir "$2" --requirement "$1"
    ;;
install)
    python3 -m venv --without-pip "$3"
    python3 -m pip --python "$3/bin/python" install --quiet --disable-pip-version-check \
        --no-cache-dir --no-index --find-links "$2" --requirement "$1"
    "$3/bin/python" -m compileall -q "$3/lib"
    ;;
static)
    mkdir -p "$STUDIO_DIR"
    cd "$1"
    # a key for this command alone: with none given, settings would make one and keep it
    SECRET_KEY=$("$2/bin/python" -c 'import secrets; print(secrets.token_urlsafe(48))') \
        "$2/bin/python" manage.py collectstatic --noinput --verbosity 0
    "$2/bin/python" -m compileall -q .
    ;;
*)
    echo "build.sh: no step named $step" >&2
    exit 2
    ;;
esac
