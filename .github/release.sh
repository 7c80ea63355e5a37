#!/usr/bin/env bash
# Builds a release for the target $1 (by default this machine's) and packs it into dist/, so that
# whoever has the same source and the same tools gets the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:-$(rustc -vV | sed -n 's/^host: //p')}
home=${CARGO_HOME:-$HOME/.cargo}
build=${CARGO_TARGET_DIR:-$PWD/target}

# Neither this folder nor the user's may show in the program.
export SOURCE_DATE_EPOCH=0
export RUSTFLAGS="--remap-path-prefix=$build=/build --remap-path-prefix=$PWD=/src --remap-path-prefix=$home=/cargo"
export CFLAGS="-ffile-prefix-map=$build=/build -ffile-prefix-map=$PWD=/src -ffile-prefix-map=$home=/cargo"
cargo build --locked --release --target "$target"

name=douse-$target
rm -rf "dist/$name" && mkdir -p "dist/$name"
cp "$build/$target/release/douse" README.md SECURITY.md SHORTCOMINGS.md LICENSE* "dist/$name"
# What can run here can describe itself.
if "dist/$name/douse" --version > /dev/null 2>&1; then
    "dist/$name/douse" man > "dist/$name/douse.1"
    for shell in bash zsh fish; do
        "dist/$name/douse" completions "$shell" > "dist/$name/douse.$shell"
    done
fi
tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --directory=dist "$name" |
    gzip --no-name --best > "dist/$name.tar.gz"
(cd dist && sha256sum "$name.tar.gz" | tee "$name.tar.gz.sha256")
