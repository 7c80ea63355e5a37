#!/usr/bin/env bash
# Compares douse with a floor that does the least possible and with whatever peers are installed,
# on the same input, on this machine, in one run, taking turns. Prints medians and ratios.
#
#   benches/compare.sh tree DIR      a folder
#   benches/compare.sh log FILE      one large file
#   benches/compare.sh tiny          one file of one line
#
# Wants ripgrep; takes ripsecrets, gitleaks and betterleaks if they are on the PATH. Peers that
# look for more kinds of secrets do more work; ripgrep is given these shapes and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${ROUNDS:-11}
shapes='ghp_[A-Za-z0-9]{36}|gho_[A-Za-z0-9]{36}|ghu_[A-Za-z0-9]{36}|ghs_[A-Za-z0-9]{36}|ghr_[A-Za-z0-9]{76}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

usage() { sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2; }
case "${1-}" in
    tree | log) input=${2-}; [ -e "$input" ] || usage ;;
    tiny) input=$work/tiny.txt; echo 'nothing to see' > "$input" ;;
    *) usage ;;
esac

cargo build --locked --release --quiet --bin douse --bench floor
douse=target/release/douse
floor=$(find target/release/deps -name 'floor-*' -type f -perm -u+x -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)

names=(douse)
# Nobody else here opens archives.
commands=("$douse scan --quiet --no-archives '$input'")
add() { names+=("$1"); commands+=("$2"); }
if [ "$1" = tree ]; then
    add "floor" "$floor walk $(nproc) '$input'"
    add "floor, aligned buffer" "$floor walk-aligned $(nproc) '$input'"
fi
if command -v rg > /dev/null; then
    add "$(rg --version | head -n 1 | cut -d' ' -f1-2)" "rg -uuu -a -o '$shapes' '$input'"
fi
if command -v ripsecrets > /dev/null; then add "$(ripsecrets --version)" "ripsecrets '$input'"; fi
if command -v betterleaks > /dev/null; then
    add "betterleaks $(betterleaks --version | grep -o '[0-9][0-9.]*' | head -n 1)" "betterleaks --log-level fatal '$input'"
fi
if command -v gitleaks > /dev/null; then
    add "gitleaks $(gitleaks version)" "gitleaks dir --no-banner --log-level fatal '$input'"
fi

# Milliseconds of one run; whatever it finds, and however it exits, is not measured.
once() {
    local start end
    start=$(date +%s%N)
    bash -c "exec $1" > /dev/null 2>&1 || true
    end=$(date +%s%N)
    echo "$(((end - start) / 1000))"
}

# A first run each, after the cache is warm. Whatever takes over ten seconds gets no further one.
find "$input" -type f -exec cat {} + > /dev/null 2>&1 || true
slow=()
for at in "${!commands[@]}"; do
    first=$(once "${commands[$at]}")
    if [ "$first" -gt 10000000 ]; then slow[at]=1; echo "$first" > "$work/$at.times"; fi
done
for ((round = 0; round < rounds; round++)); do
    # Another one begins each time: what ran before leaves its mark on caches and memory.
    for ((turn = 0; turn < ${#commands[@]}; turn++)); do
        at=$(((round + turn) % ${#commands[@]}))
        [ -n "${slow[at]-}" ] || once "${commands[$at]}" >> "$work/$at.times"
    done
done

printf '%s, %s cores, median of %s rounds\n' "$(uname -m)" "$(nproc)" "$rounds"
ours=
for at in "${!commands[@]}"; do
    runs=$(wc -l < "$work/$at.times")
    median=$(sort -n "$work/$at.times" | sed -n "$(((runs + 1) / 2))p")
    ours=${ours:-$median}
    note=${slow[at]:+   (one run)}
    memory=$( ([ -z "$note" ] && command -v /usr/bin/time > /dev/null && bash -c "/usr/bin/time -f %M ${commands[$at]}" 2>&1 > /dev/null || true) | tail -n 1)
    awk -v name="${names[$at]}" -v us="$median" -v ours="$ours" -v kb="${memory:-0}" -v note="$note" 'BEGIN {
        printf "%-24s %10.1f ms   douse/it %6.3f   peak %6.1f MB%s\n", name, us / 1000, ours / us, kb / 1024, note
    }'
done
