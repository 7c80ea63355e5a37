//! Opening and reading one file, whatever it turns out to be.
//!
//! Nothing is mapped: a mapped file that shrinks under the scan kills the process. A file is
//! opened so that no named pipe can hold us up, and looked at after it was opened, so that what
//! was looked at is what is read.

#[cfg(unix)]
use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::path::Path;

#[cfg(unix)]
use rustix::{
    fs::{CWD, Mode, OFlags, openat, readlinkat},
    io::retry_on_intr,
};

use crate::vocabulary::{Origin, SkipReason};

use super::buffer::{Buffer, WINDOW};
use super::{Content, Sink};

/// Files from here on are left for the end of a walk, when all threads can share each of them.
pub const LARGE: u64 = 2 * 1024 * 1024;

/// Every system opens paths of up to so many bytes.
const LONGEST_PATH: usize = 1024;

/// How a file is reached.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way<'a> {
    /// By its path.
    Path(&'a Path),
    /// By its name in an open folder.
    #[cfg(unix)]
    Name(BorrowedFd<'a>, &'a CStr),
}

impl Way<'_> {
    /// Where the symbolic link there points to.
    pub(super) fn read_link(self) -> io::Result<Vec<u8>> {
        #[cfg(unix)]
        let target = match self {
            Self::Path(path) => readlinkat(CWD, path, Vec::new()),
            Self::Name(folder, name) => readlinkat(folder, name, Vec::new()),
        }?
        .into_bytes();
        #[cfg(not(unix))]
        let target = match self {
            Self::Path(path) => std::fs::read_link(path)?
                .into_os_string()
                .into_encoded_bytes(),
        };
        Ok(target)
    }
}

/// Whether the user named a file, or a walk came upon it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// By its path, so a symbolic link stands for what it points to.
    Outright,
    /// By way of its folder.
    InFolder,
}

/// What became of a file that was to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It was pushed, or its trouble was told.
    Done,
    /// It is large, and was left for later.
    Deferred,
}

/// Whether large files are wanted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Large {
    /// They are pushed like any other.
    Now,
    /// They are left for later.
    Defer,
}

/// Reads the file at `path`, which is reached by `way`, and pushes it into `sink`. `buffer` is
/// used for one file after the other.
pub(super) fn push(
    path: &Path,
    way: Way<'_>,
    named: Named,
    large: Large,
    buffer: &mut Buffer,
    sink: &dyn Sink,
) -> Pushed {
    let origin = Origin::File(path);
    match try_push(path, way, named, large, buffer, sink) {
        Ok(pushed) => pushed,
        Err(error) => {
            sink.error(&origin, &error);
            Pushed::Done
        }
    }
}

fn try_push(
    path: &Path,
    way: Way<'_>,
    named: Named,
    large: Large,
    buffer: &mut Buffer,
    sink: &dyn Sink,
) -> io::Result<Pushed> {
    let origin = Origin::File(path);
    let mut file = open(way, named)?;
    let metadata = file.metadata()?;
    if let Some(reason) = special(metadata.file_type()) {
        refuse(&origin, named, reason, sink);
        return Ok(Pushed::Done);
    }
    let length = metadata.len();
    if length >= LARGE && large == Large::Defer {
        if path.as_os_str().len() < LONGEST_PATH {
            return Ok(Pushed::Deferred);
        }
        // It could not be opened again by its path.
        sink.blob(&origin, Content::Stream(&mut file));
        return Ok(Pushed::Done);
    }
    if length > WINDOW as u64 {
        sink.blob(&origin, Content::File(&file, length));
        return Ok(Pushed::Done);
    }
    let window = buffer.window();
    // Files of /proc and the like say they are empty and are not: read those to their end.
    let expected = match usize::try_from(length) {
        Ok(length @ 1..) => length,
        Ok(0) | Err(_) => usize::MAX,
    };
    let mut filled = 0;
    while filled < expected {
        if filled == window.len() {
            let mut rest = Read::chain(&*window, &file);
            sink.blob(&origin, Content::Stream(&mut rest));
            return Ok(Pushed::Done);
        }
        match file.read(&mut window[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                sink.blob(&origin, Content::Whole(&window[..filled]));
                return Err(error);
            }
        }
    }
    sink.blob(&origin, Content::Whole(&window[..filled]));
    if expected == usize::MAX {
        Ok(Pushed::Done)
    } else {
        complete(&file, filled as u64, length).map(|()| Pushed::Done)
    }
}

/// An error if a file of `length` bytes ended after `read` ones because it was cut short meanwhile.
/// Some files of virtual file systems just say that they are longer than they are.
pub fn complete(file: &File, read: u64, length: u64) -> io::Result<()> {
    if read < length && file.metadata()?.len() < length {
        return Err(io::Error::other(format!(
            "it shrank while it was read: {read} of {length} bytes were there"
        )));
    }
    Ok(())
}

/// Tells of something that is not a file. What a walk meets in passing holds no data at rest; what
/// the user named was meant to be read.
pub(super) fn refuse(origin: &Origin<'_>, named: Named, reason: SkipReason, sink: &dyn Sink) {
    match named {
        Named::InFolder => sink.skip(origin, reason),
        Named::Outright => sink.error(
            origin,
            &io::Error::other(format!(
                "it is a {}, which is not opened; pipe its contents into `douse scan -`",
                reason.as_str()
            )),
        ),
    }
}

/// Opens what a path stands for, if that is a file: nothing else is waited for.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let file = open(Way::Path(path), Named::Outright)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    Ok(file)
}

#[cfg(unix)]
fn open(way: Way<'_>, named: Named) -> io::Result<File> {
    let follow = match named {
        Named::Outright => OFlags::empty(),
        Named::InFolder => OFlags::NOFOLLOW,
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | follow;
    let file = retry_on_intr(|| match way {
        Way::Path(path) => openat(CWD, path, flags, Mode::empty()),
        Way::Name(folder, name) => openat(folder, name, flags, Mode::empty()),
    })?;
    Ok(File::from(file))
}

#[cfg(not(unix))]
fn open(way: Way<'_>, _named: Named) -> io::Result<File> {
    match way {
        Way::Path(path) => File::open(path),
    }
}

/// Why something of this type is not read, if it is no file.
#[cfg(unix)]
pub(super) fn special(kind: std::fs::FileType) -> Option<SkipReason> {
    use std::os::unix::fs::FileTypeExt as _;

    if kind.is_fifo() {
        Some(SkipReason::Fifo)
    } else if kind.is_socket() {
        Some(SkipReason::Socket)
    } else if kind.is_block_device() || kind.is_char_device() {
        Some(SkipReason::Device)
    } else {
        None
    }
}

/// Why something of this type is not read, if it is no file.
#[cfg(not(unix))]
pub(super) fn special(_kind: std::fs::FileType) -> Option<SkipReason> {
    None
}

/// Reads from `offset` until `buffer` is full or the file ends; tells how much there was. Several
/// threads may do so at once.
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_some_at(file, &mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_some_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_some_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Mutex;

    use super::*;

    /// Remembers what it was told.
    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Told {
        fn add(&self, what: String) {
            self.0.lock().unwrap().push(what);
        }
    }

    impl Sink for Told {
        fn blob(&self, _: &Origin<'_>, content: Content<'_>) {
            let mut bytes = Vec::new();
            match content {
                Content::Whole(whole) => bytes.extend_from_slice(whole),
                Content::File(file, length) => {
                    bytes.resize(usize::try_from(length).unwrap(), 0);
                    let n = read_at(file, &mut bytes, 0).unwrap();
                    bytes.truncate(n);
                }
                Content::Stream(stream) => {
                    stream.read_to_end(&mut bytes).unwrap();
                }
            }
            self.add(format!("{} bytes", bytes.len()));
        }

        fn skip(&self, _: &Origin<'_>, reason: SkipReason) {
            self.add(reason.as_str().to_owned());
        }

        fn error(&self, _: &Origin<'_>, error: &io::Error) {
            self.add(format!("{:?}", error.kind()));
        }

        fn is_done(&self) -> bool {
            false
        }
    }

    fn told(path: &Path, named: Named, large: Large) -> (Pushed, Vec<String>) {
        let told = Told::default();
        let pushed = push(
            path,
            Way::Path(path),
            named,
            large,
            &mut Buffer::new(0),
            &told,
        );
        (pushed, told.0.into_inner().unwrap())
    }

    #[test]
    fn what_vanished_behind_the_walker_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let (_, told) = told(&gone, Named::InFolder, Large::Defer);
        assert_eq!(told, ["NotFound"]);
    }

    #[test]
    fn every_length_is_read_whole() {
        for length in [0, 1, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&vec![b'.'; length]).unwrap();
            let (_, told) = told(file.path(), Named::InFolder, Large::Defer);
            assert_eq!(told, [format!("{length} bytes")]);
        }
    }

    #[test]
    fn a_large_file_waits_for_the_end_of_the_walk() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(LARGE).unwrap();
        let (pushed, first) = told(file.path(), Named::InFolder, Large::Defer);
        assert_eq!((pushed, first), (Pushed::Deferred, vec![]));
        let (pushed, then) = told(file.path(), Named::InFolder, Large::Now);
        assert_eq!(
            (pushed, then),
            (Pushed::Done, vec![format!("{LARGE} bytes")])
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_turned_into_a_link_behind_the_walker_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::write(&target, "text").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let (_, in_folder) = told(&link, Named::InFolder, Large::Defer);
        assert_eq!(in_folder.len(), 1);
        assert_ne!(in_folder, ["4 bytes"]);
        let (_, outright) = told(&link, Named::Outright, Large::Defer);
        assert_eq!(outright, ["4 bytes"]);
    }

    #[test]
    fn only_a_file_that_is_shorter_now_has_shrunk() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"12345").unwrap();
        assert!(complete(&file, 5, 5).is_ok());
        assert!(
            complete(&file, 4, 5).is_ok(),
            "it only pretends to be longer"
        );
        assert!(complete(&file, 5, 6).is_err());
    }
}
