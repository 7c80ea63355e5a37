//! Getting a finished report to where it should go.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tempfile::NamedTempFile;

use super::settings::Output;

impl Output {
    /// Makes sure, before the work, that the report can be written after it.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(path) = &self.file {
            temporary(path)?;
        }
        Ok(())
    }

    /// Writes what `report` writes: to standard output, where a reader that has gone away is a
    /// quiet end, or to a file that appears whole or not at all.
    pub(super) fn write<T: Default>(
        &self,
        report: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> Result<T> {
        let Some(path) = &self.file else {
            return print(report);
        };
        let mut file = temporary(path)?;
        let mut out = BufWriter::new(file.as_file_mut());
        let written = report(&mut out).and_then(|told| out.flush().map(|()| told));
        drop(out);
        let told = written
            .and_then(|told| file.as_file().sync_all().map(|()| told))
            .with_context(|| format!("cannot write {}", path.display()))?;
        file.persist(path)
            .map_err(|error| error.error)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(told)
    }
}

/// Writes to standard output, where a reader that has gone away is a quiet end.
pub(super) fn print<T: Default>(report: impl FnOnce(&mut dyn Write) -> io::Result<T>) -> Result<T> {
    let mut out = BufWriter::new(io::stdout().lock());
    match report(&mut out).and_then(|told| out.flush().map(|()| told)) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // What is still buffered would only fail once more.
            drop(out.into_parts());
            Ok(T::default())
        }
        result => result.context("cannot write to standard output"),
    }
}

/// A file beside `path`, readable by the user alone.
fn temporary(path: &Path) -> Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        Some(_) | None => PathBuf::from("."),
    };
    // The finished file takes the place of what is there: never that of a device or a link.
    if std::fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
        anyhow::bail!(
            "cannot write {}: it is there and is no plain file (without -o the report goes to \
             standard output)",
            path.display()
        );
    }
    NamedTempFile::new_in(&folder)
        .map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                io::Error::other("there is no such folder")
            } else {
                error.kind().into()
            }
        })
        .with_context(|| format!("cannot write into {}", folder.display()))
}
