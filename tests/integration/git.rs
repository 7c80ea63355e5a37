//! Object stores, made by the real git: every object of every store is scanned, once, and named
//! by its id; and nothing in a repository makes the scan do anything else.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::douse::{Output, fingerprints};
use crate::repository::{Repository, run};
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind, Random};

/// An object, and the offset, line and column of a match in it.
type Spot = (String, u64, u64, u64);

fn spot(id: &str, found: &serde_json::Value) -> Spot {
    let number = |field: &str| found[field].as_u64().unwrap();
    (
        id.to_owned(),
        number("offset"),
        number("line"),
        number("column"),
    )
}

/// Where the matches of a scan are in objects.
fn spots(output: &Output) -> BTreeSet<Spot> {
    let matches = output.lines("match").into_iter();
    matches
        .filter_map(|found| Some(spot(found["members"].get(0)?.as_str()?, &found)))
        .collect()
}

#[test]
fn every_kind_of_object_is_scanned_in_both_formats() {
    for format in ["sha1", "sha256"] {
        let sandbox = Sandbox::new();
        let repository = Repository::new(&sandbox, "repo", &["--object-format", format]);
        let token = || sandbox.token(Kind::Personal);
        let (blob, message, tag, name) = (token(), token(), token(), token());
        let (stash, dangling, index, author) = (token(), token(), token(), token());
        repository.write("a/deep/folder/config.env", format!("KEY={blob}\n"));
        repository.commit(&format!("Add a key\n\nIt is {message}"));
        fs::remove_dir_all(repository.path("a")).unwrap();
        repository.write(&format!("{name}.txt"), "empty");
        repository.commit("Remove it");
        fs::remove_file(repository.path(&format!("{name}.txt"))).unwrap();
        repository.write("tracked", "one");
        repository.commit("Forget the name");
        repository.git(&["tag", "-a", "v1", "-m", &format!("release with {tag}")]);
        repository.write("tracked", &stash);
        repository.git(&["stash", "--quiet"]);
        let mut command = repository.command(&["commit", "--quiet", "--allow-empty", "-m", "x"]);
        command.env("GIT_AUTHOR_NAME", &author);
        assert!(run(command, b"").status.success());
        let packed = || repository.git(&["gc", "--quiet"]);
        let id = repository.store(format!("dangling {dangling}\n"));
        repository.write("staged", &index);
        repository.git(&["add", "staged"]);
        fs::remove_file(repository.path("staged")).unwrap();
        let all = [
            &blob, &message, &tag, &name, &stash, &dangling, &index, &author,
        ];
        for step in ["loose", "packed"] {
            let output = sandbox.scan(["repo"]).expect(1);
            assert_eq!(output.found(), fingerprints(all), "{format}, {step}");
            let spot = spots(&output).into_iter().find(|(found, ..)| *found == id);
            assert_eq!(spot, Some((id.clone(), 9, 1, 10)), "{format}, {step}");
            let members = output.lines("match");
            assert!(members.iter().any(|line| line["path"] == "repo/.git"));
            packed();
        }
        assert_eq!(
            sandbox
                .scan(["repo", "--exclude", "/repo/.git"])
                .expect(0)
                .found()
                .len(),
            0
        );
    }
}

/// A history in which lines come and go and tokens are rotated in place, so that deltas cut them
/// anywhere.
fn history(sandbox: &Sandbox, repository: &Repository, commits: usize) -> Vec<String> {
    let mut random = Random(77);
    let mut all = Vec::new();
    let mut lines: Vec<String> = (0..400)
        .map(|n| format!("setting_{n} = {}", random.next()))
        .collect();
    for commit in 0..commits {
        for _ in 0..=random.below(4) {
            let at = random.below(lines.len());
            match random.below(7) {
                0 => lines.insert(at, format!("new_{} = 1", random.next())),
                1 if lines.len() > 300 => drop(lines.remove(at)),
                2 | 3 => {
                    let kind = Kind::ALL[random.below(6)];
                    let token = sandbox.token(kind);
                    // As much of an earlier token stays as stood there before.
                    lines[at] = format!("key_{} = '{token}'", at % 10);
                    all.push(token);
                }
                4 => {
                    let token = sandbox.token(Kind::Personal);
                    token[..random.below(39)].clone_into(&mut lines[at]);
                }
                _ => lines[at] = format!("setting_{at} = {}", random.next()),
            }
        }
        repository.write("config.toml", lines.join("\n"));
        repository.commit(&format!("Change {commit}"));
    }
    all
}

#[test]
fn a_history_yields_what_a_plain_scan_of_every_object_yields() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    history(&sandbox, &repository, 50);
    for (id, content) in repository.objects() {
        sandbox.write(format!("plain/{id}"), content);
    }
    let plain = sandbox.scan(["plain"]).expect(1);
    let plain: BTreeSet<Spot> = plain
        .lines("match")
        .iter()
        .map(|found| {
            let path = found["path"].as_str().unwrap();
            spot(path.trim_start_matches("plain/"), found)
        })
        .collect();
    assert!(plain.len() > 300, "{}", plain.len());
    let packings: [&[&str]; 4] = [
        &["repack", "-adfq", "--depth=4000", "--window=50"],
        &[
            "-c",
            "repack.useDeltaBaseOffset=false",
            "repack",
            "-adfq",
            "--depth=60",
        ],
        &["repack", "-adfq", "--depth=0"],
        &["unpack"],
    ];
    for packing in packings {
        if packing == ["unpack"] {
            let pack = repository.pack();
            let outside = sandbox.write("x.pack", fs::read(&pack).unwrap());
            fs::remove_file(&pack).unwrap();
            let bytes = fs::read(&outside).unwrap();
            fs::remove_file(outside).unwrap();
            repository.bytes(&["unpack-objects", "-q"], &bytes);
        } else {
            repository.git(packing);
        }
        for threads in ["-j1", "-j2"] {
            let output = sandbox.scan(["repo/.git", threads]).expect(1);
            assert_eq!(spots(&output), plain, "{packing:?} {threads}");
        }
    }
}

#[test]
fn a_store_is_found_wherever_it_lies_and_read_once() {
    let sandbox = Sandbox::new();
    let origin = Repository::new(&sandbox, "elsewhere/library", &[]);
    let lost = sandbox.token(Kind::OAuth);
    origin.write("file", &lost);
    origin.commit("one");
    origin.write("file", "nothing");
    origin.commit("two");
    let work = sandbox.work();
    let at = |name: &str| work.join(name).to_str().unwrap().to_owned();
    let library = at("elsewhere/library");
    origin.git(&[
        "clone",
        "--quiet",
        "--bare",
        &library,
        &at("places/bare.git"),
    ]);
    origin.git(&[
        "clone",
        "--quiet",
        "--shared",
        &library,
        &at("places/shared"),
    ]);
    origin.git(&[
        "worktree",
        "add",
        "--quiet",
        "--detach",
        &at("places/linked"),
    ]);
    let parent = Repository::new(&sandbox, "places/parent", &[]);
    parent.git(&["submodule", "--quiet", "add", &library, "module"]);
    for place in ["bare.git", "shared", "linked", "parent", "parent/module"] {
        let output = sandbox.scan([format!("places/{place}")]).expect(1);
        assert_eq!(output.found(), fingerprints([&lost]), "{place}");
        let matches = output.lines("match");
        assert_eq!(matches.len(), 1, "{place}: {output}");
    }
    // Reached twice, by its own path and as the alternate and the worktree of others.
    let output = sandbox
        .scan(["elsewhere", "places/shared", "places/linked"])
        .expect(1);
    let paths = output.all("match", "path");
    assert_eq!(paths, ["elsewhere/library/.git"]);
}

#[test]
fn no_git_reads_the_files_as_they_are() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let (packed, config) = (sandbox.token(Kind::Personal), sandbox.token(Kind::AppUser));
    repository.write("file", &packed);
    repository.commit("one");
    fs::remove_file(repository.path("file")).unwrap();
    repository.git(&[
        "config",
        "http.extraHeader",
        &format!("Authorization: Basic {config}"),
    ]);
    let with = sandbox.scan(["."]).expect(1);
    assert_eq!(with.found(), fingerprints([&packed, &config]));
    let without = sandbox.scan(["--no-git", "--no-archives", "."]).expect(1);
    assert_eq!(without.found(), fingerprints([&config]));
    let line = &without.lines("match")[0];
    assert_eq!(line["path"], "repo/.git/config");
}

#[test]
fn damage_costs_the_damaged_and_is_told_by_id() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let tokens: Vec<String> = (0..20).map(|_| sandbox.token(Kind::Personal)).collect();
    for (n, token) in tokens.iter().enumerate() {
        repository.write(&format!("file{n}"), format!("{n}{n}{n} {token}"));
    }
    repository.commit("one");
    for n in 0..20 {
        fs::remove_file(repository.path(&format!("file{n}"))).unwrap();
    }
    let loose = repository.git(&["rev-parse", "HEAD:file7"]);
    let loose = repository.path(&format!(".git/objects/{}/{}", &loose[..2], &loose[2..]));
    let whole = fs::read(&loose).unwrap();
    fs::set_permissions(&loose, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&loose, &whole[..whole.len() - 6]).unwrap();
    let output = sandbox.scan(["repo"]).expect(2);
    assert_eq!(output.found().len(), 19);
    fs::write(&loose, whole).unwrap();

    repository.git(&["repack", "-adq"]);
    repository.git(&["prune-packed"]);
    let listing = repository.git(&[
        "verify-pack",
        "-v",
        &repository
            .pack()
            .with_extension("idx")
            .display()
            .to_string(),
    ]);
    let victim = repository.git(&["rev-parse", "HEAD:file3"]);
    let line = listing
        .lines()
        .find(|line| line.starts_with(&victim))
        .unwrap();
    let offset: usize = line.split_whitespace().nth(4).unwrap().parse().unwrap();
    let pack = repository.pack();
    let whole = fs::read(&pack).unwrap();
    let mut damaged = whole.clone();
    damaged[offset + 12] ^= 0x55;
    fs::set_permissions(&pack, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&pack, &damaged).unwrap();
    let output = sandbox.scan(["repo"]).expect(2);
    assert_eq!(output.found().len(), 19);
    assert_eq!(output.lines("error")[0]["members"][0], victim.as_str());

    // Cut short under its index; without an index; with another pack's.
    fs::write(&pack, &whole[..whole.len() / 2]).unwrap();
    let output = sandbox.scan(["repo"]).expect(2);
    assert!(!output.found().is_empty() && output.found().len() < 20);
    fs::write(&pack, &whole).unwrap();
    let index = pack.with_extension("idx");
    fs::set_permissions(&index, fs::Permissions::from_mode(0o644)).unwrap();
    for content in [None, Some(b"nonsense".to_vec()), Some(vec![0xff; 5000])] {
        match content {
            Some(content) => fs::write(&index, content).unwrap(),
            None => fs::remove_file(&index).unwrap(),
        }
        let output = sandbox.scan(["repo"]).expect(1);
        assert_eq!(output.found(), fingerprints(&tokens));
    }
}

#[test]
fn what_only_has_the_name_of_an_object_is_a_file() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let tokens: Vec<String> = (0..4).map(|_| sandbox.token(Kind::Personal)).collect();
    repository.write(".git/objects/pack/notes.pack", &tokens[0]);
    repository.write(".git/objects/pack/notes.idx", &tokens[1]);
    repository.write(&format!(".git/objects/ab/{}", "c".repeat(38)), &tokens[2]);
    repository.write(".git/objects/deep/er/file", &tokens[3]);
    let output = sandbox.scan(["repo"]).expect(2);
    assert_eq!(output.found(), fingerprints(&tokens));
    assert_eq!(output.lines("error").len(), 1);
}

#[test]
fn a_multi_pack_index_is_no_obstacle() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let mut all = Vec::new();
    for n in 0..3 {
        all.push(sandbox.token(Kind::Refresh));
        repository.write("file", &all[n]);
        repository.commit("more");
        repository.git(&["repack", "-dq"]);
    }
    repository.git(&["multi-pack-index", "write", "--bitmap"]);
    repository.write("file", "");
    assert_eq!(sandbox.scan(["repo"]).expect(1).found(), fingerprints(&all));
}

#[test]
fn a_hostile_repository_runs_nothing_and_is_not_written_to() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let token = sandbox.token(Kind::Personal);
    repository.write("file.txt", &token);
    repository.write(".gitattributes", "* diff=evil filter=evil\n");
    repository.commit("one");
    let canary = sandbox.out("canary");
    let evil = sandbox.write(
        "evil.sh",
        format!("#!/bin/sh\ntouch {}\ncat\n", canary.display()),
    );
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).unwrap();
    let evil = evil.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.editor",
        "diff.external",
        "diff.evil.textconv",
        "filter.evil.smudge",
        "filter.evil.clean",
        "credential.helper",
        "remote.origin.uploadpack",
        "core.hooksPath",
        "gpg.program",
        "core.alternateRefsCommand",
    ] {
        repository.git(&["config", key, evil]);
    }
    repository.git(&["config", "extensions.partialClone", "origin"]);
    repository.git(&["config", "remote.origin.promisor", "true"]);
    repository.git(&["config", "remote.origin.url", &format!("ext::{evil}")]);
    let include = sandbox.write("evil.inc", format!("[core]\n\tfsmonitor = {evil}\n"));
    repository.git(&["config", "include.path", include.to_str().unwrap()]);
    for hook in [
        "post-checkout",
        "pre-commit",
        "post-index-change",
        "reference-transaction",
    ] {
        repository.write(&format!(".git/hooks/{hook}"), fs::read(evil).unwrap());
        fs::set_permissions(
            repository.path(&format!(".git/hooks/{hook}")),
            fs::Permissions::from_mode(0o755),
        )
        .unwrap();
    }
    let before = tree(&repository);
    let output = sandbox.scan(["repo"]).expect(1);
    assert_eq!(output.found(), fingerprints([&token]));
    assert!(!canary.exists());
    assert_eq!(tree(&repository), before);
}

/// Every file of a repository with its size and time.
fn tree(repository: &Repository) -> Vec<String> {
    let mut folders = vec![repository.path("")];
    let mut all = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            all.push(format!(
                "{} {} {:?}",
                path.display(),
                metadata.len(),
                metadata.modified().unwrap()
            ));
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    all.sort_unstable();
    all
}

#[test]
fn tokens_in_objects_are_never_shown() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let token = tokens::token(Kind::Personal, 99);
    sandbox.know(&token);
    repository.write(&token, &token);
    repository.commit(&token);
    for format in ["human", "json", "jsonl"] {
        sandbox
            .douse(["scan", "--format", format, "repo"])
            .run()
            .expect(1);
    }
}
