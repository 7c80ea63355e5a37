//! Holds the source to its own house rules: which room may import which, where each outside crate
//! lives, and who gets to see a token's text.
//!
//! It reads the source as text: `crate::`, `douse::` and `super::` paths, comments and string
//! literals left aside. A macro could hide an import from it; nobody here writes such macros.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// The rooms, and whom each of them never imports.
const NEVER: &[(&str, &[&str])] = &[
    (
        "vocabulary",
        &[
            "pattern", "detect", "source", "unpack", "silence", "findings", "scan", "revoke",
            "report", "progress",
        ],
    ),
    (
        "pattern",
        &[
            "detect", "source", "unpack", "silence", "findings", "scan", "revoke", "report",
            "progress",
        ],
    ),
    (
        "detect",
        &[
            "source", "unpack", "silence", "findings", "scan", "revoke", "report", "progress",
        ],
    ),
    (
        "source",
        &[
            "detect", "revoke", "report", "silence", "findings", "scan", "progress",
        ],
    ),
    (
        "unpack",
        &[
            "detect", "revoke", "report", "silence", "findings", "scan", "progress",
        ],
    ),
    (
        "silence",
        &[
            "pattern", "detect", "source", "unpack", "findings", "scan", "revoke", "report",
            "progress",
        ],
    ),
    (
        "findings",
        &[
            "source", "unpack", "silence", "scan", "revoke", "report", "progress",
        ],
    ),
    ("scan", &["revoke", "report", "progress"]),
    (
        "revoke",
        &[
            "source", "unpack", "detect", "silence", "findings", "scan", "report", "progress",
        ],
    ),
    (
        "report",
        &[
            "source", "unpack", "detect", "silence", "findings", "scan", "revoke", "progress",
        ],
    ),
    (
        "progress",
        &[
            "source", "unpack", "detect", "silence", "findings", "scan", "revoke", "report",
        ],
    ),
    ("cli", &[]),
    ("lib", &[]),
    ("main", &[]),
];

/// Outside crates, and the files or folders that alone may name them.
const HOMES: &[(&str, &[&str])] = &[
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("anyhow", &["cli/"]),
    ("anstream", &["cli/"]),
    ("etcetera", &["cli/settings/"]),
    ("signal_hook", &["cli/"]),
    ("indicatif", &["progress.rs"]),
    ("ignore", &["source/"]),
    ("gix_hash", &["source/git/"]),
    ("gix_index", &["source/git/"]),
    ("gix_object", &["source/git/"]),
    ("gix_pack", &["source/git/"]),
    ("rayon", &["source/", "scan/file.rs"]),
    ("reqwest", &["revoke/client.rs", "revoke/client/"]),
    ("rusqlite", &["revoke/ledger.rs", "revoke/ledger/"]),
    ("url", &["revoke/host.rs"]),
    ("aho_corasick", &["detect/prefix.rs"]),
    ("regex", &["pattern/"]),
    ("toml", &["pattern/file.rs", "cli/config.rs"]),
    ("csv", &["report/"]),
    ("flate2", &["report/sarif/", "source/git/", "unpack/"]),
    ("libdeflater", &["source/git/pack/inflate.rs"]),
    ("foldhash", &["source/git/history/"]),
    ("strsim", &["cli/config.rs"]),
    ("globset", &["source/rules.rs"]),
    // Those of the same name as their module are told apart by no path.
    ("zstd", &["unpack/"]),
    ("liblzma", &["unpack/"]),
    ("bzip2", &["unpack/"]),
    ("deflate64", &["unpack/zip/"]),
    ("ppmd_rust", &["unpack/zip/"]),
    ("sevenz_rust2", &["unpack/sevenz.rs", "unpack/sevenz/"]),
    ("weezl", &["unpack/pdf/"]),
    ("lz4_flex", &["unpack/lz4.rs"]),
    ("brotli_decompressor", &["unpack/brotli.rs"]),
    ("tar", &["unpack/"]),
];

/// Who may call `Secret::expose`.
const SEES_TOKENS: &[&str] = &["revoke/client.rs", "report/"];

/// What is looked for in the text, compiled once.
struct Words {
    noise: Regex,
    tests: Regex,
    paths: Regex,
    outside: Vec<Regex>,
    exposes: Regex,
    is_unsafe: Regex,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let regex = |text: &str| Regex::new(text).unwrap();
    let outside = |name: &str| {
        let path = format!(r"(?:^|[^:.\w])(?:::)?{name}::");
        regex(&format!(r"{path}|\b(?:use|extern\s+crate)\s+{name}\b"))
    };
    Words {
        // A comment may hold quotes and a string may hold slashes, so all are found in one go.
        noise: regex(concat!(
            r#"(?s)//[^\n]*|/\*.*?\*/"#,
            r##"|\bb?r#".*?"#|\bb?r"[^"]*"|"(?:[^"\\]|\\.)*""##,
            r"|'(?:[^'\\]|\\[^u]|\\u\{\w+\})'",
        )),
        tests: regex(r"#\[cfg\(test\)\]\s*(?:pub(?:\(\w+\))?\s+)?mod\s+\w+\s*\{"),
        paths: regex(r"\b(?:crate|douse)\s*::\s*|\bsuper\s*::\s*(?:super\s*::\s*)*"),
        outside: HOMES.iter().map(|(name, _)| outside(name)).collect(),
        exposes: regex(r"\bexpose\s*\(\s*\)|::expose\b"),
        is_unsafe: regex(r"\bunsafe\b"),
    }
});

/// What one file has against the rules.
fn faults(path: &str, source: &str) -> Vec<String> {
    let code = Code::read(source);
    let mut faults = Vec::new();
    let room = room(path);
    match NEVER.iter().find(|(name, _)| *name == room) {
        None => faults.push(format!("{path}: the table knows no room {room:?}")),
        Some((_, never)) => {
            for import in imports(path, &code.all) {
                if never.contains(&import.as_str()) {
                    faults.push(format!("{path}: {room} never imports {import}"));
                }
                if import == "cli" && room != "main" {
                    faults.push(format!("{path}: nothing but main imports cli"));
                }
            }
        }
    }
    for ((outside, homes), named) in HOMES.iter().zip(&WORDS.outside) {
        if !lives_in(path, homes) && named.is_match(&code.all) {
            faults.push(format!("{path}: {outside} lives in {homes:?}"));
        }
    }
    if !lives_in(path, SEES_TOKENS) && !is_test(path) && WORDS.exposes.is_match(&code.shipped) {
        faults.push(format!("{path}: only {SEES_TOKENS:?} call expose()"));
    }
    if WORDS.is_unsafe.is_match(&code.all) {
        faults.push(format!("{path}: unsafe"));
    }
    faults
}

fn lives_in(path: &str, homes: &[&str]) -> bool {
    let at_home = |home: &&str| path == *home || (home.ends_with('/') && path.starts_with(home));
    homes.iter().any(at_home)
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// The first part of a path below `src`: a folder, or a file without its ending.
fn room(path: &str) -> String {
    let first = path.split('/').next().unwrap_or_default();
    first.trim_end_matches(".rs").to_owned()
}

/// The rooms that a file's paths lead to, other than its own.
fn imports(path: &str, code: &str) -> Vec<String> {
    let own = room(path);
    let depth = module_depth(path);
    let mut rooms = Vec::new();
    for found in WORDS.paths.find_iter(code) {
        let ups = found.as_str().matches("super").count();
        // In a file's inline modules `super` leads less far than it seems: taken for the worst.
        if ups == 0 || ups >= depth {
            rooms.extend(first_names(&code[found.end()..]));
        }
    }
    rooms.retain(|name| *name != own && (NEVER.iter().any(|(room, _)| room == name)));
    rooms.sort_unstable();
    rooms.dedup();
    rooms
}

/// How many modules lie above a file, the crate's root included.
fn module_depth(path: &str) -> usize {
    match path {
        "lib.rs" | "main.rs" => 0,
        _ => path.split('/').filter(|part| *part != "mod.rs").count(),
    }
}

/// The names a path goes on with: one, or those of a group in braces.
fn first_names(behind: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        let text = text.trim_start();
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let Some(group) = behind.strip_prefix('{') else {
        return vec![name(behind)];
    };
    let mut names = vec![name(group)];
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names
}

/// A source file without comments and string literals.
struct Code {
    all: String,
    /// Without the unit tests at its end.
    shipped: String,
}

impl Code {
    fn read(source: &str) -> Self {
        let all = WORDS.noise.replace_all(source, " ").into_owned();
        let shipped = WORDS
            .tests
            .find(&all)
            .map_or(all.len(), |found| found.start());
        Self {
            shipped: all[..shipped].to_owned(),
            all,
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path
                    .strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                sources.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    sources.sort_unstable();
    sources
}

#[test]
fn every_room_keeps_to_the_table() {
    let sources = sources();
    assert!(sources.len() > 40, "only {} files were read", sources.len());
    let all: Vec<_> = sources
        .iter()
        .flat_map(|(path, source)| faults(path, source))
        .collect();
    assert!(all.is_empty(), "{all:#?}");
}

/// Imports that are there must be seen, or the test above proves nothing.
#[test]
fn what_is_imported_is_seen() {
    let sources = sources();
    let of = |file: &str| {
        let (path, source) = sources.iter().find(|(path, _)| path == file).unwrap();
        imports(path, &Code::read(source).all)
    };
    assert_eq!(
        of("scan.rs"),
        [
            "detect",
            "findings",
            "silence",
            "source",
            "unpack",
            "vocabulary"
        ]
    );
    assert_eq!(of("main.rs"), [""; 0]);
    assert!(of("cli/revoke.rs").contains(&"revoke".to_owned()));
    let exposing = sources.iter().filter(|(path, source)| {
        !is_test(path) && Code::read(source).shipped.contains(".expose()")
    });
    assert!(exposing.count() >= 2);
}

/// A file, what stands in it, and a part of what must be said of it.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "source/walk.rs",
        "use crate::detect::Detector;",
        "never imports detect",
    ),
    (
        "source/x.rs",
        "use crate::{\n vocabulary::Exit,\n report,\n};",
        "never imports report",
    ),
    (
        "source/x.rs",
        "fn f() { crate::revoke::Plan::default(); }",
        "never imports revoke",
    ),
    (
        "source/deep/x.rs",
        "use super::super::super::detect::Hit;",
        "never imports detect",
    ),
    (
        "source/x.rs",
        "use super::super::detect::Hit;",
        "never imports detect",
    ),
    (
        "source/mod.rs",
        "use super::detect::Hit;",
        "never imports detect",
    ),
    (
        "revoke/plan.rs",
        "use crate::source::Sink;",
        "never imports source",
    ),
    (
        "report/json.rs",
        "use crate::revoke::Plan;",
        "never imports revoke",
    ),
    (
        "detect/mod.rs",
        "use crate::source::Buffer;",
        "never imports source",
    ),
    (
        "scan.rs",
        "use crate::cli::run;",
        "nothing but main imports cli",
    ),
    ("new/mod.rs", "", "knows no room"),
    ("scan.rs", "use clap::Parser;", "clap lives in"),
    (
        "scan.rs",
        "fn f() -> ::reqwest::Error {}",
        "reqwest lives in",
    ),
    ("scan.rs", "extern crate regex;", "regex lives in"),
    (
        "revoke/plan.rs",
        "fn f(s: &Secret) { s.expose(); }",
        "call expose()",
    ),
    ("revoke/plan.rs", "let f = Secret::expose;", "call expose()"),
    ("scan.rs", "fn f() { unsafe { g() } }", "unsafe"),
];

/// A file, and what may stand in it.
const RIGHT: &[(&str, &str)] = &[
    (
        "source/walk.rs",
        "// use crate::detect::Detector;\nuse super::Sink;",
    ),
    (
        "source/walk.rs",
        "const A: &str = \"use crate::detect\"; const B: char = '\"';",
    ),
    ("source/deep/x.rs", "use super::super::Sink;"),
    ("cli/scan.rs", "use douse::revoke::Plan; use clap::Args;"),
    (
        "report/x.rs",
        "fn is_unsafe() { douse_ignore::x(); self.ignore::<u8>(); }",
    ),
    (
        "detect/x.rs",
        "#[cfg(test)]\nmod tests { fn f(s: Secret) { s.expose(); } }",
    ),
];

#[test]
fn violations_are_told() {
    for (path, source, fault) in WRONG {
        let told = faults(path, source);
        assert!(
            told.iter().any(|told| told.contains(fault)),
            "{source}: {told:?}"
        );
    }
    for (path, source) in RIGHT {
        assert_eq!(faults(path, source), [""; 0], "{source}");
    }
}
