//! Repositories that name objects which they do not hold: nobody shall take them for read.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::douse::Output;
use crate::repository::{Repository, only};
use crate::sandbox::Sandbox;
use crate::tokens::{self, Kind};

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

/// A history with objects of all sorts, each of which something else names, all loose.
fn history(sandbox: &Sandbox, format: &str) -> Repository {
    let repository = Repository::new(sandbox, "repo", &["--object-format", format]);
    for n in 0..20 {
        repository.write(&format!("many/folder/file-{n}"), format!("content {n}"));
    }
    repository.commit("one");
    repository.git(&["branch", "side"]);
    for n in 0..3 {
        repository.write("many/folder/file-7", format!("another content {n}"));
        repository.commit("one more");
    }
    repository.git(&["checkout", "--quiet", "side"]);
    repository.write("beside", "of the other side");
    // What a submodule is at lies elsewhere.
    let elsewhere = "5".repeat(if format == "sha1" { 40 } else { 64 });
    let module = format!("160000,{elsewhere},module");
    repository.git(&["update-index", "--add", "--cacheinfo", &module]);
    repository.git(&["add", "beside"]);
    repository.git(&["commit", "--quiet", "-m", "beside"]);
    repository.git(&["merge", "--quiet", "-m", "merged", "main"]);
    repository.git(&["tag", "-a", "-m", "a tag", "v1"]);
    repository.git(&["tag", "-a", "-m", "a tag of a tag", "v2", "v1"]);
    let blob = repository.store("tagged alone");
    repository.git(&["tag", "-a", "-m", "a tag of a file", "file", &blob]);
    repository.write("beside", "stashed");
    repository.git(&["stash", "--quiet"]);
    repository.write("staged", "not recorded yet");
    repository.git(&["add", "staged"]);
    repository
}

/// What `git fsck` misses.
fn missed_by_git(repository: &Repository) -> Vec<String> {
    let output = repository
        .command(&["fsck", "--no-dangling", "--no-progress"])
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    let missing = |line: &&str| line.starts_with("missing ") || line.contains("invalid sha1");
    let words = text
        .lines()
        .filter(missing)
        .flat_map(|line| line.split([' ', ':']));
    let is_id = |word: &&str| word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let ids: BTreeSet<&str> = words.filter(is_id).collect();
    ids.into_iter().map(str::to_owned).collect()
}

/// Where a loose object lies.
fn loose(repository: &Repository, id: &str) -> PathBuf {
    repository.path(&format!(".git/objects/{}/{}", &id[..2], &id[2..]))
}

#[test]
fn whatever_git_misses_of_a_history_is_told() {
    for format in ["sha1", "sha256"] {
        let sandbox = Sandbox::new();
        let repository = history(&sandbox, format);
        let objects = repository.objects();
        assert!(objects.len() > 40, "{}", objects.len());
        assert_eq!(missed_by_git(&repository), [""; 0]);
        sandbox.scan(["repo"]).expect(0);
        for (id, _) in objects {
            let path = loose(&repository, &id);
            let aside = repository.path("../aside");
            fs::rename(&path, &aside).unwrap();
            let missed = missed_by_git(&repository);
            assert_eq!(missed, [&*id], "{format}");
            let output = sandbox.scan(["repo"]).expect(2);
            assert_eq!(missing(&output), missed, "{format}");
            fs::rename(&aside, &path).unwrap();
        }
    }
}

#[test]
fn packs_tell_the_same_whether_something_is_found_or_not() {
    let sandbox = Sandbox::new();
    let repository = history(&sandbox, "sha1");
    let ids: Vec<String> = repository.objects().into_iter().map(|(id, _)| id).collect();
    // What is left when one is gone.
    for gone in &ids {
        let left = ids.iter().map(String::as_str).filter(|id| id != gone);
        let left: Vec<&str> = left.collect();
        let folder = repository.path(&format!("../packs/{gone}"));
        fs::create_dir_all(&folder).unwrap();
        let prefix = folder.join("pack");
        let prefix = prefix.to_str().unwrap();
        repository.git_with(
            &["pack-objects", "-q", "--window=50", prefix],
            left.join("\n"),
        );
    }
    for id in &ids {
        fs::remove_file(loose(&repository, id)).unwrap();
    }
    // A line for each object; a delta's tells its depth, and its base.
    let index = only(&repository.path(&format!("../packs/{}", ids[0])), "idx");
    let listed = repository.git(&["verify-pack", "-v", index.to_str().unwrap()]);
    let fields = listed
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let is_tree = |fields: &Vec<&str>| fields.len() == 7 && fields[1] == "tree";
    assert_eq!(fields.filter(is_tree).count(), 3, "{listed}");
    let pack = repository.path(".git/objects/pack");
    let found = repository.path("../found");
    for (number, gone) in ids.iter().enumerate() {
        fs::remove_dir(&pack).unwrap();
        fs::rename(repository.path(&format!("../packs/{gone}")), &pack).unwrap();
        // Half of them with a token in the run: then the history is gathered too.
        let is_found = number % 2 == 0;
        if is_found {
            fs::write(&found, tokens::token(Kind::Personal, 1)).unwrap();
        }
        let missed = missed_by_git(&repository);
        assert_eq!(missed, [&**gone]);
        let paths: &[&str] = if is_found {
            &["repo", "found"]
        } else {
            &["repo"]
        };
        let output = sandbox.scan(paths).expect(2);
        assert_eq!(missing(&output), missed);
        assert_eq!(output.lines("match").len(), usize::from(is_found));
        fs::remove_dir_all(&pack).unwrap();
        fs::create_dir(&pack).unwrap();
    }
}

#[test]
fn what_is_missing_is_told_with_what_leads_to_it() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let token = tokens::token(Kind::Personal, 7);
    let secret = format!("a folder/{token}");
    repository.write(&secret, "one");
    let first = repository.commit("one");
    repository.write("other", "two");
    let second = repository.commit("two");
    repository.git(&["rm", "--quiet", "-r", "."]);
    let third = repository.commit("three");
    repository.git(&["tag", "-a", "-m", "a tag", "v1"]);
    let id = |name: &str| repository.git(&["rev-parse", name]);
    let message = |id: &str| {
        let path = loose(&repository, id);
        fs::rename(&path, repository.path("../aside")).unwrap();
        let output = sandbox.scan(["repo"]);
        assert_eq!(missing(&output), [id]);
        assert!(!output.text().contains(tokens::body(&token)));
        fs::rename(repository.path("../aside"), &path).unwrap();
        let errors = output.lines("error");
        errors[0]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        message(&id(&format!("{second}:other"))),
        format!("it is missing: commit {second} holds it at other")
    );
    let redacted = message(&id(&format!("{second}:{secret}")));
    let start = format!("it is missing: commit {first} holds it at a folder/ghp_");
    assert!(redacted.starts_with(&start), "{redacted}");
    assert_eq!(
        message(&id(&format!("{first}:a folder"))),
        format!("it is missing: commit {first} holds it at a folder")
    );
    assert_eq!(
        message(&id(&format!("{second}^{{tree}}"))),
        format!("it is missing: it is the tree of commit {second}")
    );
    assert_eq!(
        message(&second),
        format!("it is missing: commit {third} follows it")
    );
}

#[test]
fn what_only_dangling_objects_name_may_be_gone() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    repository.write("a", "one");
    repository.commit("one");
    repository.write("a", "two");
    let second = repository.commit("two");
    let blob = repository.git(&["rev-parse", "HEAD:a"]);
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    fs::remove_file(loose(&repository, &blob)).unwrap();
    sandbox.scan(["repo"]).expect(0);
    // Until something leads to it again.
    repository.write(".git/refs/heads/again", format!("{second}\n"));
    let output = sandbox.scan(["repo"]).expect(2);
    assert_eq!(missing(&output), [blob]);
}

#[test]
fn a_shallow_clone_misses_what_is_not_cut_off() {
    let sandbox = Sandbox::new();
    let repository = history(&sandbox, "sha1");
    let url = format!("file://{}", repository.path("").display());
    repository.git(&["clone", "--quiet", "--depth=2", &url, "../shallow"]);
    let shallow = Repository::at(&sandbox, "shallow");
    let output = sandbox.scan(["shallow"]).expect(0);
    assert_eq!(output.all("skip", "reason"), ["shallow"]);
    let pack = shallow.pack();
    let aside = shallow.path("../pack");
    fs::rename(&pack, &aside).unwrap();
    fs::remove_file(pack.with_extension("idx")).unwrap();
    shallow.git_with(&["unpack-objects", "-q"], fs::read(&aside).unwrap());
    sandbox.scan(["shallow"]).expect(0);
    let blob = shallow.git(&["rev-parse", "HEAD:beside"]);
    fs::remove_file(loose(&shallow, &blob)).unwrap();
    let output = sandbox.scan(["shallow"]).expect(2);
    assert_eq!(missing(&output), [blob]);
}

#[test]
fn where_a_pack_does_not_tell_what_it_holds_nothing_is_missed() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    repository.write("a", "one");
    repository.commit("one");
    let rest = "another object\n";
    repository.git(&["tag", "kept", &repository.store(rest)]);
    let gone = repository.git(&["rev-parse", "HEAD:a"]);
    let prefix = ".git/objects/pack/pack";
    repository.git_with(&["pack-objects", "-q", prefix], &gone);
    fs::remove_file(loose(&repository, &gone)).unwrap();
    sandbox.scan(["repo"]).expect(0);
    let pack = repository.pack();
    fs::remove_file(pack.with_extension("idx")).unwrap();
    sandbox.scan(["repo"]).expect(0);
    // What only has such a name holds nothing.
    fs::remove_file(&pack).unwrap();
    fs::write(repository.path(".git/objects/pack/some.pack"), "no pack").unwrap();
    let output = sandbox.scan(["repo"]).expect(2);
    assert_eq!(missing(&output), [gone]);
}

#[test]
fn a_packed_reference_is_nothing_beside_a_newer_one() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    repository.write("a", "one");
    repository.commit("one");
    repository.write("a", "two");
    repository.commit("two");
    repository.git(&["symbolic-ref", "refs/heads/other", "refs/heads/main"]);
    repository.git(&["branch", "elsewhere"]);
    repository.git(&["pack-refs", "--all"]);
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    repository.git(&["symbolic-ref", "refs/heads/elsewhere", "refs/heads/main"]);
    repository.git(&["reflog", "expire", "--expire=now", "--all"]);
    repository.git(&["prune", "--expire=now"]);
    let lock = format!("{}\n", "7".repeat(40));
    repository.write(".git/refs/heads/main.lock", lock);
    assert_eq!(missed_by_git(&repository), [""; 0]);
    sandbox.scan(["repo"]).expect(0);
}

#[test]
fn folders_that_references_lead_to_are_asked_too() {
    for by_tag in [true, false] {
        let sandbox = Sandbox::new();
        let repository = Repository::new(&sandbox, "repo", &[]);
        let token = tokens::token(Kind::Personal, 3);
        let found = repository.store(&token);
        let gone = repository.store("gone");
        let entries = format!("100644 blob {found}\tfound\n100644 blob {gone}\tgone\n");
        let inner = repository.git_with(&["mktree"], entries);
        let entries = format!("040000 tree {inner}\tinner\n");
        let tree = repository.git_with(&["mktree"], entries);
        if by_tag {
            repository.git(&["tag", "-a", "-m", "a tag", "v1", &tree]);
        } else {
            repository.git(&["update-ref", "refs/tags/v1", &tree]);
        }
        fs::remove_file(loose(&repository, &gone)).unwrap();
        assert_eq!(missed_by_git(&repository), [&*gone]);
        let output = sandbox.scan(["repo"]).expect(2);
        assert_eq!(missing(&output), [gone]);
        let git = &output.lines("match")[0]["git"];
        assert_eq!(git["state"], "tagged");
        assert_eq!(git["path"], "inner/found");
    }
}

#[test]
fn a_head_that_leads_nowhere_is_told_and_hides_nothing() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    repository.write("a", "one");
    repository.commit("one");
    repository.git(&["tag", "v1"]);
    let gone = repository.git(&["rev-parse", "HEAD:a"]);
    for name in ["HEAD", "refs/heads/main"] {
        repository.write(&format!(".git/{name}"), "ref: refs/heads/main\n");
    }
    fs::remove_file(repository.path(".git/index")).unwrap();
    let output = sandbox.scan(["repo"]).expect(2);
    assert_eq!(output.lines("error").len(), 1);
    fs::remove_file(loose(&repository, &gone)).unwrap();
    let output = sandbox.scan(["repo"]).expect(2);
    assert_eq!(missing(&output), [gone]);
}

#[test]
fn thousands_of_missing_objects_are_told_and_no_endless_path() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let id = |number: u32| format!("{:040x}", u64::from(number) << 32 | 1);
    let parent = |number| format!("parent {}\n", id(number));
    let parents: Vec<String> = (0..3000).map(parent).collect();
    let parents = parents.concat();
    let entry = |number| format!("100644 blob {}\tfile-{number}\n", id(number));
    let entries: Vec<String> = (3000..4000).map(entry).collect();
    let inner = repository.git_with(&["mktree", "--missing"], entries.concat());
    let name = "n".repeat(5000);
    let tree = repository.git_with(&["mktree"], format!("040000 tree {inner}\t{name}\n"));
    let person = "Somebody <somebody@example.com> 1767323045 +0000";
    let commit = format!("tree {tree}\n{parents}author {person}\ncommitter {person}\n\none\n");
    let object = &[
        "hash-object",
        "-t",
        "commit",
        "-w",
        "--stdin",
        "--literally",
    ];
    let commit = repository.git_with(object, commit);
    repository.write(".git/refs/heads/main", format!("{commit}\n"));
    let output = sandbox.scan(["repo"]).expect(2);
    assert_eq!(missing(&output).len(), 4000);
    assert!(!output.text().contains(&name));
}

#[test]
fn a_large_folder_that_lies_loose_is_asked_too() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    let blob = repository.store("one");
    let entry = |n: u32| format!("100644 blob {blob}\ta file with a rather long name {n:05}\n");
    let entries: String = (0..6000).map(entry).collect();
    let tree = repository.git_with(&["mktree"], entries);
    assert!(repository.bytes(&["cat-file", "tree", &tree], b"").len() > 256 * 1024);
    let commit = repository.git(&["commit-tree", "-m", "one", &tree]);
    repository.git(&["update-ref", "refs/heads/main", &commit]);
    sandbox.scan(["repo"]).expect(0);
    fs::remove_file(loose(&repository, &blob)).unwrap();
    let output = sandbox.scan(["repo"]).expect(2);
    assert_eq!(missing(&output), [blob]);
}

#[test]
fn more_packs_than_files_may_be_open_are_all_read() {
    let sandbox = Sandbox::new();
    let repository = Repository::new(&sandbox, "repo", &[]);
    for number in 0..80 {
        repository.write("a", format!("content {number}"));
        let commit = repository.commit("one more");
        let objects = ["", "^{tree}", ":a"].map(|part| format!("{commit}{part}"));
        let ids = objects.map(|name| repository.git(&["rev-parse", &name]));
        let prefix = ".git/objects/pack/pack";
        repository.git_with(&["pack-objects", "-q", prefix], ids.join("\n"));
        for id in ids {
            fs::remove_file(loose(&repository, &id)).unwrap();
        }
    }
    let blobs = |output: &Output| output.lines("summary")[0]["blobs"].as_u64().unwrap();
    let all = sandbox.scan(["repo"]).expect(0);
    let arguments = ["scan", "-f", "jsonl", "-j", "2", "repo"];
    let output = sandbox.douse_limited("-n 64", arguments).run().expect(0);
    assert_eq!(blobs(&output), blobs(&all));
}
