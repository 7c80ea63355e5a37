//! Packs and bundles that lie in no store: alone, renamed, in archives, thin.

use std::fs;
use std::process::Command;

use crate::douse::fingerprints;
use crate::repository::{Repository, run};
use crate::sandbox::Sandbox;
use crate::tokens::Kind;

/// A repository with two versions of a file, the second a delta on the first once it is packed, and
/// a token in each and in a message.
fn repository(sandbox: &Sandbox, arguments: &[&str]) -> (Repository, Vec<String>) {
    let repository = Repository::new(sandbox, "repo", arguments);
    let tokens: Vec<String> = (0..3).map(|_| sandbox.token(Kind::Personal)).collect();
    let filler = filler();
    repository.write("file", format!("{filler}{}\n", tokens[0]));
    repository.commit("one");
    repository.write("file", format!("{filler}{}\n{filler}", tokens[1]));
    repository.commit(&format!("two {}", tokens[2]));
    repository.git(&["repack", "-adfq"]);
    (repository, tokens)
}

/// Lines that git makes deltas of.
fn filler() -> String {
    let lines: Vec<String> = (0..200).map(|n| format!("setting {n}\n")).collect();
    lines.concat()
}

/// Tar or another tool of the machine, in the sandbox's work.
#[track_caller]
fn tool(sandbox: &Sandbox, program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(sandbox.work());
    assert!(
        run(command, b"").status.success(),
        "{program} {arguments:?}"
    );
}

#[test]
fn a_pack_alone_is_read_with_its_index_or_without() {
    for format in ["sha1", "sha256"] {
        let sandbox = Sandbox::new();
        let (repository, tokens) = repository(&sandbox, &["--object-format", format]);
        let pack = repository.pack();
        sandbox.write("with/a.pack", fs::read(&pack).unwrap());
        sandbox.write("with/a.idx", fs::read(pack.with_extension("idx")).unwrap());
        sandbox.write("without/a.pack", fs::read(&pack).unwrap());
        sandbox.write("renamed/a", fs::read(&pack).unwrap());
        let scan = |path: &str| sandbox.scan([path]).expect(1);
        // A message also lies in the log of what was done, and in the last one's draft.
        let mut expected = scan("repo/.git").all("match", "members");
        expected.retain(|members| members != "[]");
        for path in ["with", "without", "without/a.pack", "renamed", "renamed/a"] {
            let output = scan(path);
            assert_eq!(output.found(), fingerprints(&tokens), "{path}, {format}");
            assert_eq!(output.all("match", "members"), expected, "{path}, {format}");
        }
        for path in ["with", "without"] {
            assert_eq!(sandbox.scan([path, "--no-git"]).expect(0).found().len(), 0);
        }
        let piped = sandbox
            .douse(["scan", "--format", "jsonl", "-"])
            .input(fs::read(&pack).unwrap());
        assert_eq!(piped.run().expect(1).found(), fingerprints(&tokens));
    }
}

#[test]
fn bundles_are_read_in_both_versions() {
    let sandbox = Sandbox::new();
    let (repository, tokens) = repository(&sandbox, &[]);
    for version in ["2", "3"] {
        let bundle = format!("../{version}.bundle");
        let option = format!("--version={version}");
        repository.git(&["bundle", "create", "--quiet", &option, &bundle, "--all"]);
        let file = format!("{version}.bundle");
        let output = sandbox.scan([&file]).expect(1);
        assert_eq!(output.found(), fingerprints(&tokens), "{version}");
    }
}

#[test]
fn archives_hold_packs_bundles_and_whole_repositories() {
    let sandbox = Sandbox::new();
    let (repository, tokens) = repository(&sandbox, &[]);
    repository.git(&["bundle", "create", "--quiet", "../x.bundle", "--all"]);
    let loose = sandbox.token(Kind::OAuth);
    repository.store(&loose);
    fs::copy(repository.pack(), sandbox.work().join("x.pack")).unwrap();
    tool(&sandbox, "tar", &["-cf", "packs.tar", "x.pack"]);
    tool(&sandbox, "tar", &["-czf", "bundle.tgz", "x.bundle"]);
    tool(&sandbox, "tar", &["-czf", "repository.tgz", "repo/.git"]);
    for file in ["packs.tar", "bundle.tgz"] {
        let output = sandbox.scan([file]).expect(1);
        assert_eq!(output.found(), fingerprints(&tokens), "{file}");
        let members = output.lines("match")[0]["members"].clone();
        assert_eq!(members.as_array().unwrap().len(), 2, "{members}");
    }
    let all = tokens.iter().chain([&loose]);
    assert_eq!(
        sandbox.scan(["repository.tgz"]).expect(1).found(),
        fingerprints(all)
    );
}

#[test]
fn what_a_thin_pack_lacks_is_told() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let filler = filler();
    repository.write("file", &filler);
    let base = repository.commit("one");
    let blob = repository.git(&["rev-parse", "HEAD:file"]);
    let (delta, message) = (sandbox.token(Kind::Personal), sandbox.token(Kind::Personal));
    repository.write("file", format!("{filler}{delta}\n"));
    repository.commit(&format!("two {message}"));
    let thin = repository.bytes(
        &["pack-objects", "--thin", "--revs", "--stdout", "--quiet"],
        format!("HEAD\n^{base}\n").as_bytes(),
    );
    sandbox.write("thin.pack", &thin);
    sandbox.write("renamed", &thin);
    sandbox.write("cut.pack", &thin[..thin.len() - 30]);
    for path in ["thin.pack", "renamed"] {
        let output = sandbox.scan([path]).expect(2);
        assert_eq!(output.found(), fingerprints([&message]), "{path}");
        let errors = output.lines("error");
        assert_eq!(errors.len(), 1, "{path}: {errors:?}");
        assert_eq!(errors[0]["path"], path);
        assert!(
            errors[0]["members"][0].as_str().unwrap().contains("offset"),
            "{errors:?}"
        );
        assert!(
            errors[0]["message"].as_str().unwrap().contains(&blob),
            "{errors:?}"
        );
    }
    assert!(
        !sandbox
            .scan(["cut.pack"])
            .expect(2)
            .lines("error")
            .is_empty()
    );
}
