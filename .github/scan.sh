#!/usr/bin/env bash
# Scans for the action. What it is asked for comes in the environment, so that no input is ever read
# as a command: DOUSE, PATHS (one a line), BASELINE, ALLOW, SARIF, GITHUB_OUTPUT.
set -euo pipefail

arguments=()
[ -z "${BASELINE:-}" ] || arguments+=("--baseline=$BASELINE")
[ -z "${ALLOW:-}" ] || arguments+=("--allow=$ALLOW")

scan() {
    printf '%s\n' "${PATHS:-.}" | "$DOUSE" scan --files-from - "${arguments[@]}" "$@"
}

code=0
scan || code=$?
if [ -n "${SARIF:-}" ]; then
    # The same once more for the file. Whatever it comes to, the first scan has told.
    scan --quiet --format=sarif "--output=$SARIF" || true
    [ ! -f "$SARIF" ] || echo "sarif=$SARIF" >> "$GITHUB_OUTPUT"
fi
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
exit "$code"
