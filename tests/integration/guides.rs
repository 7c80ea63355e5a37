//! The guides, to the letter: every block of commands in them is run, in a place such as they are
//! written for.
//!
//! A block marked `sh` is a script that must end with 0, or with what a comment before it says; one
//! with a file's name before it is that file. Blocks of other languages are shown and not run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::github::Github;
use crate::packers::Compressor;
use crate::sandbox::Sandbox;
use crate::tokens::Kind;
use crate::tools;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One block of a page.
#[derive(Debug, PartialEq, Eq)]
enum Block {
    Script { text: String, exits: i32 },
    File { name: String, text: String },
}

/// The blocks of a page that mean something to the test.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut comment = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if let Some(text) = line.strip_prefix("<!-- ") {
            text.trim_end_matches(" -->").clone_into(&mut comment);
            continue;
        }
        let Some(language) = line.strip_prefix("```") else {
            if !line.is_empty() {
                comment.clear();
            }
            continue;
        };
        let body = lines.by_ref().take_while(|line| line.trim() != "```");
        let text: String = body
            .map(|line| line.get(indent..).unwrap_or("").to_owned() + "\n")
            .collect();
        if let Some(name) = comment.strip_prefix("file: ") {
            let name = name.to_owned();
            blocks.push(Block::File { name, text });
        } else if language == "sh" {
            let exits = comment
                .strip_prefix("exits ")
                .map_or(0, |code| code.parse().unwrap());
            blocks.push(Block::Script { text, exits });
        }
        comment.clear();
    }
    blocks
}

/// A repository, some backups, a list of tokens, and a `douse` that knows no other GitHub than the
/// test's.
struct Stage {
    sandbox: Sandbox,
    github: Github,
}

impl Stage {
    fn new() -> Self {
        tools::from_debian("git", "git");
        let stage = Self {
            sandbox: Sandbox::new(),
            github: Github::new(),
        };
        let sandbox = &stage.sandbox;
        let program = sandbox.write(
            "../bin/douse",
            format!(
                "#!/bin/sh\ncase $1 in\n  revoke) shift; exec {0} revoke --api-url {1} \"$@\" ;;\n  \
                 *) exec {0} \"$@\" ;;\nesac\n",
                env!("CARGO_BIN_EXE_douse"),
                stage.github.url()
            ),
        );
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        let token = || sandbox.token(Kind::Personal);
        sandbox.write(
            "config/app.env",
            format!("GITHUB_TOKEN={}\nBOT_TOKEN={}\n", token(), token()),
        );
        sandbox.write("src/main.py", "print('hello')\n");
        sandbox.write("backups/monday.sql", format!("INSERT '{}';\n", token()));
        sandbox.write(
            "backups/tuesday/home.log",
            format!("{}\n", sandbox.token(Kind::OAuth)),
        );
        sandbox.write("tokens.txt", format!("{}\n{}\n", token(), token()));
        let (code, told) = stage
            .run("git init --quiet && git add config src && git commit --quiet --message Begin");
        assert_eq!(code, 0, "{told}");
        stage
    }

    /// Runs a script, and tells how it ended and what it said.
    fn run(&self, script: &str) -> (i32, String) {
        let bin = self.sandbox.work().join("../bin");
        let output = self
            .sandbox
            .program("bash")
            .args(["-euo", "pipefail", "-c", script])
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        self.sandbox.check(&output.stdout, "standard output");
        self.sandbox.check(&output.stderr, "standard error");
        let told = [output.stdout, output.stderr].concat();
        let code = output.status.code().unwrap();
        (code, String::from_utf8_lossy(&told).into_owned())
    }
}

fn guides() -> Vec<PathBuf> {
    let mut pages: Vec<_> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.extend(["SECURITY.md", "SHORTCOMINGS.md"].map(|page| root().join(page)));
    pages.sort();
    pages
}

#[test]
fn every_command_in_the_guides_does_what_they_say() {
    let mut scripts = 0;
    for page in guides() {
        let stage = Stage::new();
        for block in blocks(&fs::read_to_string(&page).unwrap()) {
            match block {
                Block::File { name, text } => {
                    stage.sandbox.write(name, text);
                }
                Block::Script { text, exits } => {
                    scripts += 1;
                    let (code, told) = stage.run(&text);
                    assert_eq!(code, exits, "{}:\n{text}\n{told}", page.display());
                }
            }
        }
    }
    assert!(scripts > 30, "only {scripts} scripts were run");
}

/// README.md shows several commands at once, which end as they find things; so each line is run by
/// itself. Its first lines build the program, which has been done, and the last test it.
#[test]
fn every_command_in_the_readme_does_what_it_says() {
    let stage = Stage::new();
    let token = || stage.sandbox.token(Kind::Personal);
    let staged = "git branch --quiet --move main && git switch --quiet --create topic && \
                  git add backups && git commit --quiet --message Leak && git add tokens.txt";
    assert_eq!(stage.run(staged), (0, String::new()));
    for name in ["dump.sql", "var/log/ci.log", "srv/app.env"] {
        stage.sandbox.write(name, format!("{}\n", token()));
    }
    let dump = Compressor::of("gz").pack(token().as_bytes());
    stage.sandbox.write("backup.sql.gz", dump);
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let scripts = blocks(&page).into_iter().filter_map(|block| match block {
        Block::Script { text, .. } => Some(text),
        Block::File { .. } => None,
    });
    let mut run = 0;
    for line in scripts.collect::<String>().lines() {
        if line.starts_with("cargo install ") || line.starts_with("tests/tools/install ") {
            continue;
        }
        // Not this machine's; and nobody is there to be asked.
        let command = line.replace("/var/log", "var/log");
        let command = command.replace("douse revoke srv/", "douse revoke --yes srv/");
        let command = command.replace("revoke --from", "revoke --yes --from");
        let (code, told) = stage.run(&command);
        let expected = match command.split('#').next().unwrap().trim() {
            "douse status" => 0,
            revoke if revoke.contains("--yes") => 0,
            // Everything else finds something.
            _ => 1,
        };
        assert_eq!(code, expected, "README.md: {line}\n{told}");
        run += 1;
    }
    assert!(run >= 10, "only {run} commands were run");
    assert_eq!(stage.github.taken().len(), 1);
}

#[test]
fn links_between_the_guides_lead_somewhere() {
    let link = regex::Regex::new(r"\]\(([^)#]+)\)").unwrap();
    let mut seen = 0;
    for page in guides() {
        let text = fs::read_to_string(&page).unwrap();
        for target in link.captures_iter(&text) {
            seen += 1;
            let path = page.parent().unwrap().join(&target[1]);
            assert!(path.is_file(), "{}: {}", page.display(), &target[1]);
        }
        for line in text.lines().filter(|line| !line.starts_with('|')) {
            assert!(line.chars().count() <= 130, "{}: {line}", page.display());
        }
    }
    assert!(seen > 15, "{seen}");
}

/// The two pages that tell all of a thing must tell all of it.
#[test]
fn the_guides_leave_no_format_and_no_key_out() {
    let reports = fs::read_to_string(root().join("docs/reports.md")).unwrap();
    let help = Sandbox::new()
        .douse(["help", "scan"])
        .run()
        .expect(0)
        .text();
    let formats = help.split("--format <FORMAT>").nth(1).unwrap();
    let formats = regex::Regex::new(r"- ([a-z]+): ")
        .unwrap()
        .captures_iter(formats.split("--output").next().unwrap())
        .map(|found| found[1].to_owned())
        .collect::<Vec<_>>();
    assert!(formats.len() >= 6, "{formats:?}");
    for format in formats {
        assert!(reports.contains(&format!("| `{format}` |")), "{format}");
    }
}

/// What the action runs, as a runner would.
#[test]
fn the_action_scans() {
    let stage = Stage::new();
    let script = format!(
        "export DOUSE=douse GITHUB_OUTPUT=../out/output SARIF='../out/a b.sarif' \
         PATHS=$'backups\\nconfig'; bash {}/.github/scan.sh",
        root().display()
    );
    let (code, told) = stage.run(&script);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("4 tokens in 4 places"), "{told}");
    let output = fs::read_to_string(stage.sandbox.out("output")).unwrap();
    assert_eq!(output, "sarif=../out/a b.sarif\nexit-code=1\n");
    assert!(stage.sandbox.out("a b.sarif").is_file());
    // An input is never a command.
    let (code, told) = stage.run(&script.replace("backups", "$(touch pwned)"));
    assert_eq!(code, 2, "{told}");
    assert!(!stage.sandbox.work().join("pwned").exists());
    let (code, told) = stage.run(&script.replace("PATHS=$'backups\\nconfig'", "PATHS=src ALLOW="));
    assert_eq!(code, 0, "{told}");
}

#[test]
fn blocks_are_read_as_they_are_meant() {
    let page = "text\n<!-- exits 1 -->\n```sh\na\n```\n\n   ```sh\n   b\n     c\n   ```\n\
        <!-- file: x -->\n```toml\nd\n```\n<!-- exits 2 -->\nwords\n```sh\ne\n```\n```text\nf\n```\n";
    let script = |text: &str, exits| Block::Script {
        text: text.to_owned(),
        exits,
    };
    assert_eq!(
        blocks(page),
        [
            script("a\n", 1),
            script("b\n  c\n", 0),
            Block::File {
                name: "x".into(),
                text: "d\n".into()
            },
            script("e\n", 0),
        ]
    );
}
