//! What is read and what is left out: lists of files, excludes, ignore files.

use serde_json::json;

use crate::douse::{Output, fingerprints};
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

/// Paths with a token each; the tokens in the same order.
fn plant(sandbox: &Sandbox, paths: &[&str]) -> Vec<String> {
    let plant = |path: &&str| {
        let token = sandbox.token(Kind::Personal);
        sandbox.write(path, &token);
        token
    };
    paths.iter().map(plant).collect()
}

fn paths(output: &Output) -> Vec<String> {
    output.all("match", "path")
}

#[test]
fn lists_of_files_come_by_line_or_by_nul() {
    let sandbox = Sandbox::new();
    let tokens = plant(&sandbox, &["a b", "c", "d\ne", "left out"]);
    sandbox.write("lines", "a b\n\nc\n");
    sandbox.write("nuls", "a b\0d\ne\0c");
    let output = sandbox.scan(["--files-from", "lines"]).expect(1);
    assert_eq!(output.found(), fingerprints(&tokens[..2]));
    let output = sandbox.scan(["--files-from", "nuls", "--null"]).expect(1);
    assert_eq!(output.found(), fingerprints(&tokens[..3]));
    let run = sandbox.douse(["scan", "-f", "jsonl", "-0", "--files-from", "-"]);
    let output = run.input("d\ne\0").run().expect(1);
    assert_eq!(output.found(), fingerprints(&tokens[2..3]));

    // Both lists and paths; named twice is read once.
    let output = sandbox
        .scan(["--files-from", "lines", "c", "left out"])
        .expect(1);
    assert_eq!(paths(&output).len(), 3);
    // An empty list is no list of everything.
    let run = sandbox.douse(["scan", "-f", "jsonl", "--files-from", "-"]);
    assert_eq!(run.run().expect(0).summary()["files"], 0);
}

#[test]
fn lists_that_cannot_be_what_was_meant_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("nuls", "a\0b\0");
    let talk = sandbox.scan(["--files-from", "nuls"]).expect(2).talk();
    assert!(talk.contains("--null"), "{talk}");
    sandbox.scan(["--files-from", "missing"]).expect(2);
    sandbox.scan(["--null", "nuls"]).expect(2);
    sandbox.scan(["--files-from", "-", "-"]).expect(2);
    sandbox.write("list", "gone\n");
    let output = sandbox.scan(["--files-from", "list"]).expect(2);
    assert_eq!(output.all("error", "path"), ["gone"]);
}

/// CRLF in a list belongs to the names: a list made elsewhere finds nothing, and says so.
#[test]
fn a_list_with_crlf_reads_nothing_silently() {
    let sandbox = Sandbox::new();
    plant(&sandbox, &["a"]);
    sandbox.write("list", "a\r\n");
    let output = sandbox.scan(["--files-from", "list"]);
    assert!(
        output.code() == 2 || output.all("match", "path") == ["a"],
        "{output}"
    );
}

#[test]
fn excludes_take_away_and_are_counted() {
    let sandbox = Sandbox::new();
    plant(
        &sandbox,
        &[
            "keep",
            "a.log",
            "sub/b.log",
            "sub/keep",
            "target/x",
            "sub/target/y",
        ],
    );
    let output = sandbox
        .scan(["--exclude", "*.log", "--exclude", "/target"])
        .expect(1);
    assert_eq!(paths(&output), ["keep", "sub/keep", "sub/target/y"]);
    assert_eq!(output.all("skip", "path"), ["a.log", "sub/b.log", "target"]);
    assert_eq!(output.all("skip", "reason"), ["excluded"; 3]);
    assert_eq!(output.summary()["skipped"], 3);
    assert_eq!(output.summary()["complete"], true);
    // What is named outright, too: a hook hands over what it is given.
    let output = sandbox
        .scan(["--exclude", "sub", "sub/keep", "keep"])
        .expect(1);
    assert_eq!(paths(&output), ["keep"]);
    sandbox.scan(["--exclude", "!keep"]).expect(2);
}

#[test]
fn the_users_own_ignore_file_is_obeyed_and_counted() {
    let sandbox = Sandbox::new();
    plant(&sandbox, &["keep", "fixtures/a", "fixtures/b", "other"]);
    sandbox.write(".douseignore", "# ours\n/fixtures/*\n!/fixtures/b\n");
    let output = sandbox.scan(["."]).expect(1);
    assert_eq!(paths(&output), ["fixtures/b", "keep", "other"]);
    assert_eq!(output.all("skip", "reason"), ["ignored"]);

    sandbox.write("mine", "other\n");
    let output = sandbox.scan(["--ignore-file", "mine"]).expect(1);
    assert_eq!(paths(&output), ["fixtures/a", "fixtures/b", "keep"]);
    sandbox.scan(["--ignore-file", "missing"]).expect(2);
}

/// Whoever plants a token can plant an ignore file and a configuration beside it.
#[test]
fn nothing_in_the_scanned_tree_has_a_say() {
    let sandbox = Sandbox::new();
    let tokens = plant(&sandbox, &["tree/secret", "tree/sub/secret", "tree/.env"]);
    let everything = "*\n/**\nsecret\n.env\nsub/\n";
    for name in [
        ".gitignore",
        ".ignore",
        ".douseignore",
        ".rgignore",
        ".fdignore",
        ".git/info/exclude",
    ] {
        sandbox.write(format!("tree/{name}"), everything);
        sandbox.write(format!("tree/sub/{name}"), everything);
    }
    sandbox.write("tree/.git/HEAD", "ref: refs/heads/main\n");
    let config = "exclude = [\"*\"]\nignore = [\"*\"]\n[scan]\nexclude = [\"*\"]\n";
    for name in [
        "douse.toml",
        ".douse.toml",
        "sub/douse.toml",
        ".gitattributes",
    ] {
        sandbox.write(format!("tree/{name}"), config);
    }
    for arguments in [vec!["tree"], vec!["tree/sub", "tree/secret", "tree/.env"]] {
        let output = sandbox.scan(arguments).expect(1);
        assert_eq!(output.found(), fingerprints(&tokens));
        assert_eq!(output.summary()["skipped"], 0);
    }
    // Git's own global excludes are the user's, but were made for another end.
    sandbox.write("../home/.config/git/ignore", "*\n");
    assert_eq!(
        sandbox.scan(["tree"]).expect(1).found(),
        fingerprints(&tokens)
    );
}

#[test]
fn ignore_files_in_the_tree_are_obeyed_when_that_is_asked_for() {
    let sandbox = Sandbox::new();
    plant(&sandbox, &["tree/a", "tree/b", "tree/c", "tree/.hidden"]);
    sandbox.write("tree/.git/HEAD", "ref: refs/heads/main\n");
    sandbox.write("tree/.gitignore", "a\n");
    sandbox.write("tree/.ignore", "b\n");
    plant(
        &sandbox,
        &["tree/out/1", "tree/out/2", "tree/sub/a", "tree/sub/d"],
    );
    sandbox.write("tree/sub/.gitignore", "/out\n/d\n");
    sandbox.write("tree/.git/info/exclude", "/out\n");
    let output = sandbox.scan(["--respect-ignore", "tree"]).expect(1);
    assert_eq!(paths(&output), ["tree/.hidden", "tree/c"]);
    // Each thing that they leave out is told, a folder as one.
    let ignored = ["tree/a", "tree/b", "tree/out", "tree/sub/a", "tree/sub/d"];
    assert_eq!(output.all("skip", "path"), ignored);
    assert_eq!(output.all("skip", "reason"), ["ignored"; 5]);
    assert_eq!(output.summary()["skipped"], 5);
    // Paths named outright are read all the same.
    let output = sandbox.scan(["--respect-ignore", "tree/a"]).expect(1);
    assert_eq!(paths(&output), ["tree/a"]);
}

#[test]
fn a_path_named_twice_is_read_once() {
    let sandbox = Sandbox::new();
    plant(&sandbox, &["a"]);
    let output = sandbox.scan(["a", "a"]).expect(1);
    assert_eq!(output.summary()["matches"], 1);
    assert_eq!(output.summary()["files"], json!(1));
}

/// More named files than are read one after the other.
#[test]
fn many_named_files_are_all_read() {
    let sandbox = Sandbox::new();
    let names: Vec<String> = (0..100).map(|n| format!("f{n}")).collect();
    let tokens = plant(
        &sandbox,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    for threads in ["-j1", "-j4"] {
        let mut arguments = vec![threads];
        arguments.extend(names.iter().map(String::as_str));
        assert_eq!(
            sandbox.scan(arguments).expect(1).found(),
            fingerprints(&tokens)
        );
    }
}
