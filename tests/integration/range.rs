//! What a push brings: ranges of commits, and the real hooks that ask about them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::douse::{Output, fingerprints};
use crate::repository::{Repository, run};
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

fn range(sandbox: &Sandbox, range: &str) -> Output {
    sandbox
        .douse(["scan", "--format", "jsonl", "--range", range])
        .folder("repo")
        .run()
}

#[test]
fn a_range_holds_what_is_new_and_nothing_else() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let token = || sandbox.token(Kind::Personal);
    let (before, removed, message, side, tag) = (token(), token(), token(), token(), token());
    repository.write("old/file", &before);
    repository.commit("one");
    repository.git(&["branch", "side"]);
    // Comes and goes within the range: no comparison of its ends would show it.
    repository.write("new/file", &removed);
    repository.commit("two");
    fs::remove_file(repository.path("new/file")).unwrap();
    repository.commit(&format!("three {message}"));
    repository.git(&["checkout", "--quiet", "side"]);
    repository.write("side", &side);
    repository.commit("four");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.git(&["merge", "--quiet", "--no-edit", "side"]);
    repository.git(&["tag", "-a", "v1", "-m", &tag]);
    for packing in [&["status"][..], &["gc", "--quiet"]] {
        repository.git(packing);
        let found = |text: &str, code: i32| range(&sandbox, text).expect(code).found();
        assert_eq!(
            found("HEAD~3..HEAD", 1),
            fingerprints([&removed, &message, &side])
        );
        assert_eq!(
            found("HEAD~3..v1", 1),
            fingerprints([&removed, &message, &side, &tag])
        );
        assert_eq!(found("side..main", 1), fingerprints([&removed, &message]));
        assert_eq!(found("main~1..", 1), fingerprints([&side]));
        assert_eq!(
            found("HEAD^2..HEAD^1", 1),
            fingerprints([&removed, &message])
        );
        assert_eq!(found("HEAD..HEAD", 0).len(), 0);
    }
    let id = repository.git(&["rev-parse", "HEAD~2:new/file"]);
    let output = range(&sandbox, "HEAD~2..HEAD~1");
    let output = output.expect(1);
    assert!(
        output
            .lines("match")
            .iter()
            .all(|found| found["members"][0] != id.as_str())
    );
}

#[test]
fn a_range_that_makes_no_sense_is_refused() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    repository.commit("one");
    for (text, told) in [
        ("main", "write A..B"),
        ("main...main", "write A..B"),
        ("main..nowhere", "no commit \"nowhere\""),
        ("main..refs/../../../etc/passwd", "no commit"),
        ("main..main~7", "no commit"),
    ] {
        let output = range(&sandbox, text).expect(2);
        assert!(output.talk().contains(told), "{text}: {output}");
    }
}

/// A hook that reads its standard input.
fn hook(repository: &Repository, name: &str) {
    let path = repository.git(&["rev-parse", "--git-path", &format!("hooks/{name}")]);
    let program = env!("CARGO_BIN_EXE_douse");
    repository.write(&path, format!("#!/bin/sh\nexec {program} scan --range -\n"));
    fs::set_permissions(repository.path(&path), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Pushes, by whichever of the two hooks is in the way.
fn pushes(hook_name: &str) {
    let sandbox = Sandbox::new();
    let server = Repository::new(&sandbox, "server", &["--bare"]);
    let repository = Repository::new(&sandbox, "repo", &[]);
    let token = sandbox.token(Kind::OAuth);
    repository.git(&["remote", "add", "origin", "../server"]);
    // Known on the far side before there was a hook: no push of anything else is its fault.
    repository.write("known", &token);
    repository.write("long", "a line\n".repeat(500));
    repository.commit("one");
    repository.git(&["push", "--quiet", "-u", "origin", "main"]);
    match hook_name {
        "pre-push" => hook(&repository, hook_name),
        _ => hook(&server, hook_name),
    }
    let push = |arguments: &[&str]| {
        let all = [&["push", "--quiet", "origin"], arguments].concat();
        let output = run(repository.command(&all), b"");
        sandbox.check(&output.stderr, "what the hook said");
        output.status.success()
    };
    repository.write("long", "a line\n".repeat(501));
    repository.commit("two");
    assert!(push(&["main"]));
    assert!(push(&["main:other"]), "a new branch of what is there");
    repository.git(&["checkout", "--quiet", "-b", "leak"]);
    let fresh = sandbox.token(Kind::Personal);
    // As a delta on what the far side has, which makes the pack that is sent a thin one.
    repository.write("long", format!("{}{fresh}\n", "a line\n".repeat(501)));
    repository.commit("three");
    fs::write(repository.path("long"), "").unwrap();
    repository.commit("four");
    assert!(!push(&["leak"]));
    assert!(!push(&["leak:main"]));
    assert!(!push(&["HEAD~1:refs/tags/light"]));
    assert!(push(&[":other"]), "a branch is removed");
    assert_eq!(
        server.git(&["for-each-ref", "--format=%(refname)"]),
        "refs/heads/main"
    );
}

#[test]
fn a_push_with_a_token_is_blocked_before_it_leaves() {
    pushes("pre-push");
}

#[test]
fn a_push_with_a_token_is_blocked_where_it_arrives() {
    pushes("pre-receive");
}
