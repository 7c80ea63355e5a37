#!/usr/bin/env bash
# Builds the program of the folder $1 into $2, unless what lies there was built from the same source.
set -euo pipefail
source=$1 root=$2
made_from=$(cd "$source" && find Cargo.toml Cargo.lock src patterns -type f -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
if [ "$(cat "$root/made-from" 2> /dev/null)" != "$made_from" ]; then
    cargo install --locked --force --path "$source" --root "$root"
    printf '%s\n' "$made_from" > "$root/made-from"
fi
