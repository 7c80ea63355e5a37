#!/usr/bin/env bash
# Builds a release for the target $1 (by default this machine's) and packs it into dist/, so that
# whoever has the same source and the same tools gets the same bytes. With it goes a bill of
# materials, in CycloneDX 1.5.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:-$(rustc -vV | sed -n 's/^host: //p')}
home=${CARGO_HOME:-$HOME/.cargo}
build=${CARGO_TARGET_DIR:-$PWD/target}
name=douse-$target
command -v cargo-cyclonedx > /dev/null || cargo install --locked cargo-cyclonedx@0.5.9

# Neither this folder nor the user's may show in the program.
export SOURCE_DATE_EPOCH=0
export RUSTFLAGS="--remap-path-prefix=$build=/build --remap-path-prefix=$PWD=/src --remap-path-prefix=$home=/cargo"
export CFLAGS="-ffile-prefix-map=$build=/build -ffile-prefix-map=$PWD=/src -ffile-prefix-map=$home=/cargo"
cargo build --locked --release --target "$target"

rm -rf "dist/$name" && mkdir -p "dist/$name"
cp "$build/$target/release/douse" README.md CHANGELOG.md SECURITY.md SHORTCOMINGS.md LICENSE* "dist/$name"
cp -r docs "dist/$name"

# Written beside Cargo.toml, and named by the tool.
cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --target "$target"
sed "s|path+file://$PWD|path+file:///src|g" douse_bin.cdx.json > "dist/$name/douse.cdx.json"
rm douse_bin.cdx.json

# What can run here can describe itself.
if "dist/$name/douse" --version > /dev/null 2>&1; then
    "dist/$name/douse" man > "dist/$name/douse.1"
    for command in scan revoke enterprise status audit patterns; do
        "dist/$name/douse" man "$command" > "dist/$name/douse-$command.1"
    done
    for shell in bash zsh fish elvish powershell; do
        "dist/$name/douse" completions "$shell" > "dist/$name/douse.$shell"
    done
fi
tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw \
    --directory=dist "$name" | gzip --no-name --best > "dist/$name.tar.gz"
(cd dist && sha256sum "$name.tar.gz" | tee "$name.tar.gz.sha256")
