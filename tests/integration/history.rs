//! How an object came into its repository: the first commit that holds it, compared with what the
//! real git did; and what no commit holds.

use std::fs;

use crate::douse::{Output, fingerprints};
use crate::repository::{Repository, run};
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

/// Two repositories' worth of commits would all have one date; each gets its own.
struct Dated<'a> {
    repository: &'a Repository,
    minute: u32,
}

impl Dated<'_> {
    /// Runs `git commit` or another command that records, a minute after the last one; the id of
    /// what `HEAD` is then.
    fn record(&mut self, arguments: &[&str]) -> String {
        self.minute += 1;
        let date = format!("2026-01-02T03:{:02}:05+01:00", self.minute);
        self.repository.git(&["add", "--all"]);
        let mut command = self.repository.command(arguments);
        command
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .env("GIT_AUTHOR_NAME", "Jane Doe")
            .env("GIT_AUTHOR_EMAIL", "jane@example.org");
        let output = run(command, b"");
        assert!(output.status.success(), "{output:?}");
        self.repository.git(&["rev-parse", "HEAD"])
    }

    fn commit(&mut self, message: &str) -> String {
        self.record(&["commit", "--quiet", "--allow-empty", "-m", message])
    }

    fn time(&self) -> String {
        format!("2026-01-02T02:{:02}:05Z", self.minute)
    }
}

/// What is told of the history of the one object that a token stands in.
#[track_caller]
fn told(output: &Output, token: &str) -> serde_json::Value {
    let name = fingerprints([token]).remove(0);
    let matches = output.lines("match");
    let mut inside = matches
        .iter()
        .filter(|found| found["fingerprint"] == *name && found["members"][0].is_string())
        .map(|found| found["git"].clone());
    let told = inside.next().expect("a match in an object");
    assert!(inside.all(|other| other == told));
    told
}

#[test]
fn the_first_commit_is_told_wherever_it_came_from() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let mut dated = Dated {
        repository: &repository,
        minute: 0,
    };
    let token = || sandbox.token(Kind::Personal);
    let (first, side, evil, message) = (token(), token(), token(), token());
    repository.write("readme", "nothing\n");
    dated.commit("Begin");
    repository.write("deep/er/config.env", format!("KEY={first}\n"));
    let added = dated.commit("Add a key");
    let time = dated.time();
    // Renamed, and seen in many later commits; then deleted.
    fs::rename(repository.path("deep"), repository.path("moved")).unwrap();
    dated.commit("Move it");
    repository.git(&["switch", "--quiet", "--create", "side"]);
    repository.write("side.txt", &side);
    let on_side = dated.commit("Work aside");
    repository.git(&["switch", "--quiet", "main"]);
    fs::remove_dir_all(repository.path("moved")).unwrap();
    dated.commit("Remove it");
    // What a merge brings that neither side had.
    let mut merge = repository.command(&["merge", "--quiet", "--no-commit", "--no-ff", "side"]);
    merge.env("GIT_MERGE_AUTOEDIT", "no");
    assert!(run(merge, b"").status.success());
    repository.write("evil.txt", &evil);
    let merged = dated.commit("Merge");
    let spoken = dated.commit(&format!("Speak of {message}"));
    let late = token();
    let mut brought = None;
    for step in ["loose", "one pack", "a pack and loose ones", "two packs"] {
        match step {
            "one pack" => _ = repository.git(&["gc", "--quiet"]),
            "a pack and loose ones" => {
                repository.write("src/late.txt", &late);
                brought = Some(dated.commit("Add another"));
            }
            "two packs" => _ = repository.git(&["repack", "--quiet", "-d"]),
            _ => {}
        }
        let output = sandbox.scan(["repo/.git"]).expect(1);
        let expected = |commit: &str, path: &str| {
            serde_json::json!({
                "state": "committed", "commit": commit, "path": path,
                "author": "Jane Doe <jane@example.org>",
            })
        };
        for (token, commit, path) in [
            (&first, &added, "deep/er/config.env"),
            (&side, &on_side, "side.txt"),
            (&evil, &merged, "evil.txt"),
        ] {
            let mut told = told(&output, token);
            let at = told.as_object_mut().unwrap().remove("author_time");
            assert_eq!(told, expected(commit, path), "{step}");
            if *token == first {
                assert_eq!(at.unwrap(), *time);
            }
        }
        let told = told(&output, &message);
        assert_eq!(told["commit"], *spoken, "{step}");
        assert!(told.get("path").is_none(), "{told}");
        if let Some(brought) = &brought {
            let told = self::told(&output, &late);
            assert_eq!(told["commit"], **brought, "{step}");
            assert_eq!(told["path"], "src/late.txt", "{step}");
        }
    }
    assert_eq!(repository.packs().len(), 2);
}

#[test]
fn folders_that_are_kept_as_deltas_are_as_good_as_whole_ones() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let mut dated = Dated {
        repository: &repository,
        minute: 0,
    };
    let folders = ["", "left/", "left/deep/", "right/"];
    for folder in folders {
        for file in 0..30 {
            let name = format!("{folder}a-file-of-number-{file}");
            repository.write(&name, format!("{name}\n"));
        }
    }
    dated.commit("Begin");
    let mut planted = Vec::new();
    for step in 0..50_usize {
        let folder = folders[step % folders.len()];
        let name = format!("{folder}a-file-of-number-{}", step * 7 % 30);
        if step % 3 == 0 {
            let token = sandbox.token(Kind::Personal);
            let name = format!("{folder}a-key-of-step-{step}");
            repository.write(&name, format!("KEY={token}\n"));
            planted.push((token, dated.commit("Add a key"), name));
        } else {
            repository.write(&name, format!("{step}\n"));
            dated.commit("Edit");
        }
    }
    repository.git(&["repack", "--quiet", "-a", "-d", "-f", "--depth=50"]);
    let pack = repository.pack();
    let listed = repository.git(&["verify-pack", "-v", pack.to_str().unwrap()]);
    // Those have a depth and a base behind.
    let is_delta = |line: &&str| line.contains(" tree ") && line.split_whitespace().count() == 7;
    let deltas = listed.lines().filter(is_delta).count();
    assert!(deltas > 80, "{listed}");
    let output = sandbox.scan(["repo/.git"]).expect(1);
    for (token, commit, path) in &planted {
        let told = told(&output, token);
        assert_eq!(told["commit"], **commit, "{path}");
        assert_eq!(told["path"], **path);
    }
}

#[test]
fn what_is_not_scanned_still_tells_what_brought_the_rest() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let token = sandbox.token(Kind::Personal);
    let blob = repository.store(format!("KEY={token}\n"));
    let pack = repository.git_with(&["pack-objects", "-q", ".git/objects/pack/pack"], &blob);
    repository.git(&["prune-packed", "--quiet"]);
    repository.write("config.env", format!("KEY={token}\n"));
    let commit = repository.commit("Add a key");
    repository.git(&["repack", "--quiet", "-d"]);
    let packs = repository.packs();
    let other: Vec<&String> = packs.iter().filter(|name| !name.contains(&pack)).collect();
    let [other] = &other[..] else {
        panic!("{other:?}");
    };
    let output = sandbox.scan(["repo/.git", "--exclude", other]).expect(1);
    let told = told(&output, &token);
    assert_eq!(told["commit"], *commit, "{told}");
    assert_eq!(told["path"], "config.env");
}

#[test]
fn what_no_commit_holds_says_so() {
    for format in ["sha1", "sha256"] {
        let sandbox = Sandbox::new();
        let repository = Repository::new(&sandbox, "repo", &["--object-format", format]);
        let mut dated = Dated {
            repository: &repository,
            minute: 0,
        };
        let token = || sandbox.token(Kind::Personal);
        let (stashed, earlier, lost, amended, staged, tag) =
            (token(), token(), token(), token(), token(), token());
        repository.write("tracked", "one");
        let begin = dated.commit("Begin");
        for stash in [&earlier, &stashed] {
            repository.write("tracked", stash);
            dated.record(&["stash", "--quiet"]);
        }
        repository.write("secret.env", &amended);
        let gone = dated.commit("Oh no");
        repository.git(&["reset", "--quiet", "--hard", "HEAD~"]);
        repository.git(&["tag", "-a", "v1", "-m", &format!("release with {tag}")]);
        repository.store(format!("dangling {lost}\n"));
        repository.write("new/staged", &staged);
        repository.git(&["add", "new/staged"]);
        fs::remove_file(repository.path("new/staged")).unwrap();
        let output = sandbox.scan(["repo/.git"]).expect(1);
        let state = |token: &str| told(&output, token)["state"].clone();
        assert_eq!(state(&stashed), "stashed", "{format}");
        assert_eq!(state(&earlier), "stashed", "{format}");
        let told = |token: &str| told(&output, token);
        assert_eq!(told(&stashed)["path"], "tracked");
        let of_amended = told(&amended);
        assert_eq!(of_amended["state"], "dangling", "{format}");
        assert_eq!(of_amended["commit"], *gone, "{format}");
        assert_eq!(of_amended["path"], "secret.env", "{format}");
        assert_eq!(
            told(&lost),
            serde_json::json!({ "state": "dangling" }),
            "{format}"
        );
        assert_eq!(
            told(&staged),
            serde_json::json!({ "state": "staged", "path": "new/staged" }),
            "{format}"
        );
        let of_tag = told(&tag);
        assert_eq!(of_tag["state"], "tagged", "{format}");
        assert_eq!(of_tag["commit"], *begin, "{format}");
    }
}

#[test]
fn a_token_in_a_path_or_an_author_is_redacted() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let (inside, outside, author) = (
        sandbox.token(Kind::Personal),
        sandbox.token(Kind::OAuth),
        sandbox.token(Kind::Personal),
    );
    repository.write(&format!("{outside}/file"), &inside);
    repository.git(&["add", "--all"]);
    let mut command = repository.command(&["commit", "--quiet", "-m", "x"]);
    command.env("GIT_AUTHOR_NAME", &author);
    assert!(run(command, b"").status.success());
    for format in ["human", "jsonl", "json", "sarif", "html", "csv"] {
        let scan = sandbox.douse(["scan", "repo/.git", "--format", format]);
        let text = scan.run().expect(1).text();
        for token in [&inside, &outside, &author] {
            assert!(!text.contains(&token[8..]), "{format}");
        }
        assert!(text.contains("…/file"), "{format}: {text}");
    }
}

#[test]
fn a_push_tells_which_of_its_commits_brought_it() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let mut dated = Dated {
        repository: &repository,
        minute: 0,
    };
    dated.commit("Begin");
    let token = sandbox.token(Kind::Personal);
    repository.write("config.env", &token);
    let brought = dated.commit("Add a key");
    dated.commit("Go on");
    let output = sandbox
        .douse(["scan", "--range", "HEAD~2..HEAD", "--format", "jsonl"])
        .folder("repo")
        .run()
        .expect(1);
    let told = told(&output, &token);
    assert_eq!(told["commit"], *brought);
    assert_eq!(told["path"], "config.env");
}

#[test]
fn tables_of_references_leave_the_state_open() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let token = sandbox.token(Kind::Personal);
    repository.write("config.env", &token);
    let commit = repository.commit("Add a key");
    // What a git that knows such tables has there; the one that tests run with may not.
    fs::create_dir(repository.path(".git/reftable")).unwrap();
    let told = told(&sandbox.scan(["repo/.git"]).expect(1), &token);
    assert_eq!(told["state"], "unknown");
    assert_eq!(told["commit"], *commit);
}
