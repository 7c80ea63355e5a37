//! What `git commit` is about to record, and the real hooks that ask about it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::douse::{Output, fingerprints};
use crate::repository::{Repository, run};
use crate::sandbox::Sandbox;
use crate::tokens::Kind;
use crate::tools;

fn staged(sandbox: &Sandbox, folder: &str) -> Output {
    sandbox
        .douse(["scan", "--staged", "--format", "jsonl"])
        .folder(folder)
        .run()
}

#[test]
fn additions_count_and_removals_do_not() {
    for format in ["sha1", "sha256"] {
        let sandbox = Sandbox::new();
        let repository = Repository::new(&sandbox, "repo", &["--object-format", format]);
        let (old, new) = (sandbox.token(Kind::Personal), sandbox.token(Kind::OAuth));
        let add = || repository.git(&["add", "--all"]);
        repository.write("src/deep/settings.py", format!("A = '{old}'\n"));
        repository.write("src/other.py", "x = 1\n");
        add();
        // Before the first commit all is new.
        let output = staged(&sandbox, "repo").expect(1);
        assert_eq!(output.all("match", "path"), ["src/deep/settings.py"]);
        repository.commit("one");
        staged(&sandbox, "repo").expect(0);
        repository.git(&["gc", "--quiet"]);
        repository.write("src/other.py", "x = 2\n");
        add();
        staged(&sandbox, "repo").expect(0);
        // Moved within the file, then to another file, then removed.
        repository.write(
            "src/deep/settings.py",
            format!("# a new line\n\nA = '{old}'\n"),
        );
        add();
        staged(&sandbox, "repo").expect(0);
        repository.git(&["checkout", "--quiet", "HEAD", "--", "src/deep"]);
        repository.git(&["mv", "src/deep/settings.py", "moved.py"]);
        staged(&sandbox, "repo").expect(0);
        repository.write("moved.py", "A = ''\n");
        add();
        staged(&sandbox, "repo").expect(0);
        // Once more than before, and another one.
        repository.git(&["reset", "--quiet", "--hard"]);
        repository.write(
            "src/deep/settings.py",
            format!("A = '{old}'\nB = '{old}'\n"),
        );
        add();
        let output = staged(&sandbox, "repo").expect(1);
        assert_eq!(output.found(), fingerprints([&old]));
        repository.git(&["reset", "--quiet", "--hard"]);
        repository.write(
            "src/deep/settings.py",
            format!("A = '{old}'\nB = '{new}'\n"),
        );
        add();
        let output = staged(&sandbox, "repo/src/deep").expect(1);
        assert_eq!(output.found(), fingerprints([&new]));
        assert_eq!(output.lines("match")[0]["line"], 2);
        // What is in the folder and not staged does not count.
        repository.git(&["reset", "--quiet"]);
        staged(&sandbox, "repo").expect(0);
    }
}

#[test]
fn names_and_targets_of_links_count() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let all: Vec<String> = (0..3).map(|_| sandbox.token(Kind::AppUser)).collect();
    repository.write(&format!("{}/file", all[0]), "");
    symlink(&all[1], repository.path("link")).unwrap();
    repository.write(&format!("{}.txt", all[2]), "");
    repository.git(&["add", "--all"]);
    assert_eq!(
        staged(&sandbox, "repo").expect(1).found(),
        fingerprints(&all)
    );
    repository.commit("one");
    staged(&sandbox, "repo").expect(0);
}

#[test]
fn no_repository_and_other_sources_are_refused() {
    let sandbox = Sandbox::new();
    let output = staged(&sandbox, ".").expect(2);
    assert!(output.talk().contains("no git repository"), "{output}");
    let output = sandbox.scan(["--staged", "some/path"]).expect(2);
    assert!(output.talk().contains("cannot be used with"), "{output}");
}

/// A hook, as people write it.
fn hook(repository: &Repository, name: &str, line: &str) {
    let program = env!("CARGO_BIN_EXE_douse");
    let path = repository.git(&["rev-parse", "--git-path", &format!("hooks/{name}")]);
    repository.write(&path, format!("#!/bin/sh\nexec {program} {line}\n"));
    fs::set_permissions(repository.path(&path), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_commit_with_a_token_is_blocked_however_it_is_made() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let token = sandbox.token(Kind::FineGrained);
    repository.write("a", "1");
    repository.write("b", "1");
    repository.commit("one");
    hook(&repository, "pre-commit", "scan --staged");
    let commit = |arguments: &[&str]| {
        let all = [&["commit", "--quiet", "-m", "more"], arguments].concat();
        let output = run(repository.command(&all), b"");
        sandbox.check(&output.stdout, "what the hook printed");
        sandbox.check(&output.stderr, "what the hook said");
        output.status.success()
    };
    let ways: [(&[&str], &[&str]); 4] = [
        (&["add", "a"], &[]),
        (&["status"], &["-a"]),
        (&["status"], &["a"]),
        (&["add", "a"], &["--amend"]),
    ];
    for (before, arguments) in ways {
        repository.write("a", &token);
        repository.git(before);
        assert!(!commit(arguments), "{arguments:?}");
        repository.git(&["reset", "--quiet", "--hard"]);
    }
    // Another file's token that is not part of this commit is none of its business.
    repository.write("a", "2");
    repository.write("b", &token);
    assert!(commit(&["a"]));
    repository.git(&["reset", "--quiet", "--hard"]);
    // In a linked worktree, and in a merge.
    repository.git(&["branch", "side"]);
    repository.git(&["worktree", "add", "--quiet", "../linked", "side"]);
    let linked = Repository::at(&sandbox, "linked");
    linked.write("c", &token);
    linked.git(&["add", "c"]);
    let output = run(linked.command(&["commit", "--quiet", "-m", "c"]), b"");
    assert!(!output.status.success());
    linked.write("c", "clean");
    linked.git(&["add", "c"]);
    linked.git(&["commit", "--quiet", "-m", "c"]);
    repository.write("d", "1");
    repository.git(&["add", "d"]);
    assert!(commit(&[]));
    repository.git(&["merge", "--quiet", "--no-commit", "side"]);
    repository.write("c", &token);
    repository.git(&["add", "c"]);
    assert!(!commit(&[]));
    repository.write("c", "clean again");
    repository.git(&["add", "c"]);
    assert!(commit(&[]));
}

/// The real framework, with the hooks that this project offers; the installed program stands in for
/// the one that the framework would compile.
#[test]
fn the_pre_commit_framework_scans_what_it_names() {
    let sandbox = Sandbox::new();
    let hooks = Repository::new(&sandbox, "hooks", &[]);
    let offered = concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml");
    hooks.write(".pre-commit-hooks.yaml", fs::read(offered).unwrap());
    let revision = hooks.commit("one");
    let repository = Repository::new(&sandbox, "repo", &[]);
    let config = format!(
        "repos:\n- repo: {}\n  rev: {revision}\n  hooks:\n  - id: douse-system\n",
        hooks.path("").display()
    );
    repository.write(".pre-commit-config.yaml", config);
    repository.write("clean", "1");
    repository.commit("one");
    let program = Path::new(env!("CARGO_BIN_EXE_douse")).parent().unwrap();
    let framework = tools::pre_commit();
    let path = format!(
        "{}:{}:/usr/bin:/bin",
        program.display(),
        framework.parent().unwrap().display()
    );
    let prepared = |mut command: std::process::Command| {
        let cache = sandbox.work().join("cache");
        command.env("PATH", &path).env("PRE_COMMIT_HOME", cache);
        let output = run(command, b"");
        let text = [output.stdout, output.stderr].concat();
        sandbox.check(&text, "what the framework printed");
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let framework = |arguments: &[&str]| {
        let mut command = repository.command(&[]);
        command = with_program(&command, &framework);
        command.args(arguments);
        prepared(command)
    };
    let (done, text) = framework(&["install"]);
    assert!(done, "{text}");
    // All files, of which none is staged.
    let (passed, text) = framework(&["run", "--all-files", "--verbose"]);
    assert!(passed && text.contains("read 2 files"), "{text}");
    let token = sandbox.token(Kind::Personal);
    repository.write("leak", &token);
    repository.git(&["add", "leak"]);
    let commit = || prepared(repository.command(&["commit", "--quiet", "-m", "two"]));
    let (passed, text) = commit();
    assert!(!passed && text.contains("leak:1:1"), "{text}");
    for told in [
        "git restore --staged",
        "douse revoke",
        "douse:allow",
        "Nothing was revoked",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(text.lines().count() <= 24, "{text}");
    repository.git(&["commit", "--quiet", "--no-verify", "-m", "two"]);
    let (passed, text) = framework(&["run", "--all-files"]);
    assert!(!passed && text.contains("leak:1:1"), "{text}");
}

/// The same environment and folder for another program.
fn with_program(command: &std::process::Command, program: &Path) -> std::process::Command {
    let mut other = std::process::Command::new(program);
    other.env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            other.env(name, value);
        }
    }
    other.current_dir(command.get_current_dir().unwrap());
    other
}
