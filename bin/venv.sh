# Sourced by bin/run and bin/test: one virtual environment from one lock file, made once.
# Needs bash and any Python >= 3.11 with its venv module, and nothing else.

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Sets `python` to an interpreter that can make the environment: $PYTHON when given, else the first that fits.
find_python() {
    local candidate seen="" without_venv="" candidates=(python3 python3.11 python3.12 python3.13 python3.14 python)
    if [ -n "${PYTHON:-}" ]; then candidates=("$PYTHON"); fi
    for candidate in "${candidates[@]}"; do
        seen=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
            python=$candidate
            return
        fi
        without_venv=${without_venv:-$seen}
    done
    if [ -n "$without_venv" ]; then
        fail "Python $without_venv is here, but its venv module is not." \
            "On Debian and Ubuntu:  apt-get install python$without_venv-venv"
    fi
    if [ -n "${PYTHON:-}" ]; then
        fail "PYTHON=$PYTHON is not a Python of version 3.11 or newer${seen:+ (it is $seen)}."
    fi
    fail "Parley needs Python 3.11 or newer, and none was found${seen:+ (only $seen)}." \
        "On Debian and Ubuntu:  apt-get install python3 python3-venv" \
        "If it lies elsewhere:  PYTHON=/path/to/python3.11 $0"
}

# Shows pip's progress as one line: how many of the packages have been looked at.
show_progress() {
    local total=$1 count=0 line name
    while IFS= read -r line; do
        case $line in
        Collecting* | Processing*)
            count=$((count + 1))
            name=${line#* }
            name=${name##*/}
            name=${name%%[ =(]*}
            name=${name%%-[0-9]*}
            if [ -t 2 ]; then
                printf '\r\033[K  fetching %d of about %d: %s' "$count" "$total" "$name" >&2
            elif [ $((count % 10)) = 0 ]; then
                printf '  fetched %d of about %d\n' "$count" "$total" >&2
            fi
            ;;
        Installing*)
            if [ -t 2 ]; then printf '\r\033[K' >&2; fi
            printf '  installing %d packages\n' "$count" >&2
            ;;
        esac
    done
}

# make_venv <folder> <lock file>: nothing at all when the folder was made here from this very lock.
make_venv() {
    local venv=$1 lock=$2 python site
    if [ -x "$venv/bin/python" ] && [ -r "$venv/made-in" ] && [ "$(<"$venv/made-in")" = "$PWD" ] \
        && cmp -s "$lock" "$venv/made-from"; then
        return
    fi
    find_python
    printf 'Preparing %s from %s. This happens once.\n' "$venv" "$lock" >&2
    rm -f "$venv/made-from"
    "$python" -m venv --clear "$venv" || fail "Making $venv failed." \
        "On Debian and Ubuntu the venv module is a package of its own:  apt-get install python3-venv"

    # Only what the lock names, only with the hashes it names.
    if ! PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE= \
        "$venv/bin/python" -m pip install --no-deps --require-hashes --progress-bar off -r "$lock" 2>"$venv/pip.err" \
        | tee "$venv/pip.log" | show_progress "$(grep -c '==' "$lock")"; then
        cat "$venv/pip.err" >&2
        fail "Installing the packages failed; the log is in $venv/pip.log. Running the command again starts afresh."
    fi

    # The project itself needs no build: its folder goes on the path, and a short script stands for the entry point.
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$PWD" >"$site/parley.pth"
    printf '#!/bin/sh\nexec "$(dirname "$(readlink -f "$0")")/python" -m hub "$@"\n' >"$venv/bin/parley"
    chmod +x "$venv/bin/parley"

    printf '%s\n' "$PWD" >"$venv/made-in"
    cp "$lock" "$venv/made-from"
}
