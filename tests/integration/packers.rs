//! The real tools that pack things: what they make is what people have.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// A compressor: what it is called, what its files end with, how it packs and unpacks.
pub(crate) struct Compressor {
    pub(crate) ending: &'static str,
    /// The Debian package that has it.
    package: &'static str,
    pack: &'static [&'static str],
    unpack: &'static [&'static str],
}

/// Every compressor that is read.
pub(crate) const COMPRESSORS: &[Compressor] = &[
    compressor("gz", "gzip", &["gzip", "-nc"], &["gzip", "-dc"]),
    compressor("bz2", "bzip2", &["bzip2", "-c"], &["bzip2", "-dc"]),
    compressor("xz", "xz-utils", &["xz", "-c"], &["xz", "-dc"]),
    compressor(
        "lzma",
        "xz-utils",
        &["xz", "--format=lzma", "-c"],
        &["xz", "-dc"],
    ),
    compressor("lz", "lzip", &["lzip", "-c"], &["lzip", "-dc"]),
    compressor("zst", "zstd", &["zstd", "-qc"], &["zstd", "-qdc"]),
    compressor("lz4", "lz4", &["lz4", "-9qc"], &["lz4", "-qdc"]),
    compressor("br", "brotli", &["brotli", "-c"], &["brotli", "-dc"]),
    compressor("zz", "pigz", &["pigz", "-zc"], &["pigz", "-dc"]),
];

const fn compressor(
    ending: &'static str,
    package: &'static str,
    pack: &'static [&'static str],
    unpack: &'static [&'static str],
) -> Compressor {
    Compressor {
        ending,
        package,
        pack,
        unpack,
    }
}

impl Compressor {
    /// The one whose files end so.
    pub(crate) fn of(ending: &str) -> &'static Self {
        let found = COMPRESSORS.iter().find(|one| one.ending == ending);
        found.unwrap()
    }

    /// What becomes of `bytes`.
    pub(crate) fn pack(&self, bytes: &[u8]) -> Vec<u8> {
        let (packed, success) = self.filter(self.pack, bytes);
        assert!(success, "{:?} failed", self.pack);
        packed
    }

    /// The same with other arguments for the tool.
    pub(crate) fn pack_with(&self, arguments: &[&'static str], bytes: &[u8]) -> Vec<u8> {
        let command: Vec<_> = self.pack.iter().chain(arguments).copied().collect();
        let (packed, success) = self.filter(&command, bytes);
        assert!(success, "{command:?} failed");
        packed
    }

    /// What the tool gets out of `bytes`, and whether it was content with them.
    pub(crate) fn unpack(&self, bytes: &[u8]) -> (Vec<u8>, bool) {
        self.filter(self.unpack, bytes)
    }

    fn filter(&self, command: &[&str], bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut child = tool(command[0], self.package)
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| missing(command[0], self.package, &error));
        let mut input = child.stdin.take().unwrap();
        let bytes = bytes.to_vec();
        let feeder = thread::spawn(move || input.write_all(&bytes));
        let output = child.wait_with_output().unwrap();
        // A tool that stops at damage does not read on.
        let _ = feeder.join().unwrap();
        (output.stdout, output.status.success())
    }
}

/// Runs a tool in a folder to its success; what it prints is returned.
pub(crate) fn run<S: AsRef<OsStr>>(
    folder: &Path,
    program: &str,
    package: &str,
    arguments: impl IntoIterator<Item = S>,
) -> Vec<u8> {
    let output = tool(program, package)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| missing(program, package, &error));
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Runs a script of the shell in a folder to its success; `package` has the tool that it is for.
pub(crate) fn shell(folder: &Path, package: &str, script: &str) -> Vec<u8> {
    let script = format!("set -e; {script}");
    run(folder, "sh", package, ["-c", &script])
}

/// A tool by its name, in a known environment.
fn tool(program: &str, _package: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", std::env::temp_dir());
    command
}

fn missing(program: &str, package: &str, error: &std::io::Error) -> ! {
    panic!("{program}: {error}. This test needs the Debian package {package}")
}

/// An archive of a folder that holds files with these names and contents.
pub(crate) fn tar(folder: &Path, arguments: &[&str], files: &[(&str, &[u8])]) -> Vec<u8> {
    let tree = tempfile::tempdir_in(folder).unwrap();
    for (name, contents) in files {
        let path = tree.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
    let names = files.iter().map(|(name, _)| *name);
    let all = ["-c", "--sort=name"]
        .into_iter()
        .chain(arguments.iter().copied());
    run(tree.path(), "tar", "tar", all.chain(names))
}
