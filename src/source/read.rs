//! Opening and reading one file, whatever it turns out to be.
//!
//! Nothing is mapped: a mapped file that shrinks under the scan kills the process. A file is
//! opened so that no named pipe can hold us up, and looked at after it was opened, so that what
//! was looked at is what is read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use crate::vocabulary::{Origin, SkipReason};

use super::buffer::{Buffer, WINDOW};
use super::{Content, Sink};

/// Files from here on are left for the end of a walk, when all threads can share each of them.
pub(super) const LARGE: u64 = 8 * 1024 * 1024;

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

/// Reads the file at `path` and pushes it into `sink`. `buffer` is used for one file after
/// the other.
pub(super) fn push(
    path: &Path,
    named: Named,
    large: Large,
    buffer: &mut Buffer,
    sink: &dyn Sink,
) -> Pushed {
    let origin = Origin::File(path);
    match try_push(path, named, large, buffer, sink) {
        Ok(pushed) => pushed,
        Err(error) => {
            sink.error(&origin, &error);
            Pushed::Done
        }
    }
}

fn try_push(
    path: &Path,
    named: Named,
    large: Large,
    buffer: &mut Buffer,
    sink: &dyn Sink,
) -> io::Result<Pushed> {
    let origin = Origin::File(path);
    let mut file = open(path, named)?;
    let metadata = file.metadata()?;
    if let Some(reason) = special(metadata.file_type()) {
        refuse(&origin, named, reason, sink);
        return Ok(Pushed::Done);
    }
    let length = metadata.len();
    if length >= LARGE && large == Large::Defer {
        return Ok(Pushed::Deferred);
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

#[cfg(unix)]
fn open(path: &Path, named: Named) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    let follow = match named {
        Named::Outright => OFlags::empty(),
        Named::InFolder => OFlags::NOFOLLOW,
    };
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | follow;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

#[cfg(not(unix))]
fn open(path: &Path, _named: Named) -> io::Result<File> {
    File::open(path)
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
