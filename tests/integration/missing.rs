//! Repositories that name objects which they do not hold: nobody shall take them for read.

use std::fs;

use crate::douse::Output;
use crate::repository::Repository;
use crate::sandbox::Sandbox;

/// The objects told as missing.
fn missing(output: &Output) -> Vec<String> {
    let errors = output.lines("error").into_iter();
    let missing = errors.filter(|error| error["message"].as_str().unwrap().contains("missing"));
    let mut ids: Vec<String> = missing
        .map(|error| error["members"][0].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

#[test]
fn what_references_and_indexes_name_and_nobody_holds_is_told_by_id() {
    for format in ["sha1", "sha256"] {
        let sandbox = Sandbox::new();
        let repository = Repository::new(&sandbox, "repo", &["--object-format", format]);
        repository.write("a", "one");
        repository.commit("one");
        repository.git(&["tag", "-a", "-m", "a tag", "v1"]);
        repository.git(&["worktree", "add", "--quiet", "../other"]);
        sandbox.scan(["repo", "other"]).expect(0);
        let gone = |n: u8| {
            let length = if format == "sha1" { 40 } else { 64 };
            format!("{n:0length$x}")
        };
        // A loose reference, a packed one, an index, a worktree's index.
        repository.write(".git/refs/heads/gone", format!("{}\n", gone(1)));
        repository.git(&["pack-refs", "--all"]);
        repository.write(".git/refs/tags/gone", format!("{}\n", gone(2)));
        let entry = |id: &str| format!("100644,{id},name");
        for (folder, n) in [("repo", 3), ("other", 4)] {
            let worktree = Repository::at(&sandbox, folder);
            let entry = entry(&gone(n));
            worktree.git(&["update-index", "--add", "--cacheinfo", &entry]);
        }
        // What a submodule is at lies elsewhere.
        let entry = format!("160000,{},module", gone(5));
        repository.git(&["update-index", "--add", "--cacheinfo", &entry]);
        let output = sandbox.scan(["repo"]).expect(2);
        assert_eq!(missing(&output), [gone(1), gone(2), gone(3), gone(4)]);
        assert_eq!(output.lines("error").len(), 4);
    }
}

#[test]
fn alternates_count_as_ones_own() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    repository.write("a", "one");
    repository.commit("one");
    repository.git(&["clone", "--quiet", "--shared", ".", "../borrower"]);
    sandbox.scan(["borrower"]).expect(0);
    // An alternate that is gone is told, and so is what it held.
    fs::rename(repository.path(".git/objects"), repository.path("objects")).unwrap();
    let output = sandbox.scan(["borrower"]).expect(2);
    assert_eq!(missing(&output).len(), 2);
}

#[test]
fn clones_that_were_asked_to_lack_something_say_so_once() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    for n in 0..3 {
        repository.write("a", format!("version {n}"));
        repository.commit("one more");
    }
    repository.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", repository.path("").display());
    let clone = |arguments: &[&str], name: &str| {
        let place = format!("../{name}");
        repository.git(&[&["clone", "--quiet"], arguments, &[&url, &place]].concat());
    };
    clone(&["--depth=1"], "shallow");
    let output = sandbox.scan(["shallow"]).expect(0);
    assert_eq!(output.all("skip", "reason"), ["shallow"]);
    let skip = &output.lines("skip")[0];
    assert_eq!(skip["path"], "shallow/.git/shallow");
    let whole = Repository::at(&sandbox, "shallow");
    whole.git(&["fetch", "--quiet", "--unshallow"]);
    assert_eq!(
        sandbox.scan(["shallow"]).expect(0).all("skip", "reason"),
        [""; 0]
    );

    clone(&["--filter=blob:none", "--no-checkout"], "partial");
    let output = sandbox.scan(["partial"]).expect(0);
    assert_eq!(output.all("skip", "reason"), ["promised"]);
    let output = sandbox.douse(["scan", "partial"]).run().expect(0);
    assert!(output.text().contains("1 unsent part of a partial clone"));
}
