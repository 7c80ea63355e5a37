#!/usr/bin/env bash
# A repository's whole history: douse against git reading every object, and against inflating every
# entry once. `benches/git.sh REPOSITORY` (bare, one pack), after `cargo build --release`.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$1
rounds=${ROUNDS:-5}
pack=$(ls "$repository"/objects/pack/*.pack)
douse=${DOUSE:-target/release/douse}

seconds() {
    local start end
    start=$(date +%s%N)
    "$@" > /dev/null 2>&1 || [ $? -eq 1 ]
    end=$(date +%s%N)
    echo $(((end - start) / 1000000))
}
median() { sort -n | sed -n "$(((rounds + 1) / 2))p"; }

times=$(mktemp -d)
trap 'rm -rf "$times"' EXIT
for _ in $(seq "$rounds"); do
    seconds git --git-dir="$repository" cat-file --batch-all-objects --batch --unordered --buffer >> "$times/git"
    seconds "$douse" scan --quiet --format jsonl "$repository" >> "$times/douse"
done
theirs=$(median < "$times/git")
ours=$(median < "$times/douse")
echo "git cat-file $theirs ms, douse $ours ms: $(awk "BEGIN { printf \"1/%.1f\", $theirs / $ours }")"
floor=$(cargo bench --quiet --bench floor -- inflate "$(nproc)" "$pack")
echo "$floor"
least=$(sed -n 's/.*: \([0-9.]*\) s$/\1/p' <<< "$floor")
echo "douse / floor: $(awk "BEGIN { printf \"%.2f\", $ours / 1000 / $least }")"
