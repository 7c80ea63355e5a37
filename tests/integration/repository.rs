//! Repositories made by the real git, in a sandbox of its own: no configuration of this machine or
//! its user has a say.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::sandbox::Sandbox;

/// A repository, and the folder that git works in.
pub(crate) struct Repository {
    folder: PathBuf,
    home: PathBuf,
}

impl Repository {
    /// Makes one in a folder of the sandbox's work, with `git init` and these arguments.
    pub(crate) fn new(sandbox: &Sandbox, name: &str, arguments: &[&str]) -> Self {
        let repository = Self::at(sandbox, name);
        std::fs::create_dir_all(&repository.folder).unwrap();
        let init = ["init", "--quiet", "--initial-branch=main"];
        repository.git(&[&init, arguments].concat());
        repository
    }

    /// A folder that is, or will be, one.
    pub(crate) fn at(sandbox: &Sandbox, name: &str) -> Self {
        Self {
            folder: sandbox.work().join(name),
            home: sandbox.work().parent().unwrap().join("home"),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file and the folders it lies in.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Records everything.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git_with(&["commit", "--quiet", "--allow-empty", "--file=-"], message);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git; its answer without the newline at its end.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_with(arguments, "")
    }

    /// The same with something to read.
    #[track_caller]
    pub(crate) fn git_with(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> String {
        let bytes = self.bytes(arguments, input.as_ref());
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }

    /// Runs git; its answer.
    #[track_caller]
    pub(crate) fn bytes(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let output = run(self.command(arguments), input);
        assert!(
            output.status.success(),
            "git {arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    /// Git, about to be run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Somebody")
            .env("GIT_AUTHOR_EMAIL", "somebody@example.com")
            .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
            .env("GIT_COMMITTER_NAME", "Somebody")
            .env("GIT_COMMITTER_EMAIL", "somebody@example.com")
            .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
            .args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0"])
            .args(arguments)
            .current_dir(&self.folder);
        command
    }

    /// The id of what stands in the object store under this content.
    pub(crate) fn store(&self, content: impl AsRef<[u8]>) -> String {
        self.git_with(&["hash-object", "-w", "--stdin"], content)
    }

    /// All objects, and what each holds.
    pub(crate) fn objects(&self) -> Vec<(String, Vec<u8>)> {
        let all = self.bytes(&["cat-file", "--batch-all-objects", "--batch"], b"");
        let mut objects = Vec::new();
        let mut rest = &all[..];
        // A line with id, type and size, the content, and a newline.
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8(rest[..end].to_vec()).unwrap();
            let mut words = line.split(' ');
            let id = words.next().unwrap().to_owned();
            let size: usize = words.nth(1).unwrap().parse().unwrap();
            objects.push((id, rest[end + 1..][..size].to_vec()));
            rest = &rest[end + size + 2..];
        }
        objects
    }

    /// The names of all packs.
    pub(crate) fn packs(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.path(".git/objects/pack")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let packs = files.filter(|file| file.extension().is_some_and(|ending| ending == "pack"));
        packs
            .map(|pack| pack.file_name().unwrap().to_str().unwrap().to_owned())
            .collect()
    }

    /// The only pack.
    pub(crate) fn pack(&self) -> PathBuf {
        let folder = self.git(&["rev-parse", "--git-path", "objects/pack"]);
        only(&self.path(&folder), "pack")
    }
}

/// The only file with this ending in a folder.
pub(crate) fn only(folder: &Path, ending: &str) -> PathBuf {
    let files = std::fs::read_dir(folder).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let mut named: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    assert_eq!(named.len(), 1, "{named:?}");
    named.remove(0)
}

/// Runs what was prepared, with something to read.
pub(crate) fn run(mut command: Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git is needed: install Debian's package `git`");
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // Who does not read its input to the end is judged by how it ended.
    let _ = writer.join().unwrap();
    output
}
