//! Lists of files, as `find` and `git` print them.

use std::path::PathBuf;

/// What stands between the paths of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// A line each, as `find` prints them.
    Newline,
    /// A NUL byte, as `find -print0` prints them: the one that every name survives.
    Nul,
}

/// Why a list cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// It was made with the other separator.
    #[error(
        "the list holds a NUL byte; if it came from `find -print0` or `git ls-files -z`, add --null"
    )]
    Nul,
    /// The system's paths cannot hold these bytes.
    #[error("path {0} of the list is not valid on this system")]
    Encoding(usize),
}

/// The paths of a list; empty entries are left out.
pub fn parse(list: &[u8], separator: Separator) -> Result<Vec<PathBuf>, ListError> {
    let byte = match separator {
        Separator::Newline if list.contains(&0) => return Err(ListError::Nul),
        Separator::Newline => b'\n',
        Separator::Nul => 0,
    };
    let entries = list.split(|&b| b == byte).filter(|entry| !entry.is_empty());
    entries
        .enumerate()
        .map(|(at, entry)| to_path(entry).ok_or(ListError::Encoding(at + 1)))
        .collect()
}

/// The path that is written so.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "as on other systems")]
pub(super) fn to_path(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;

    Some(std::ffi::OsStr::from_bytes(bytes).into())
}

/// The path that is written so.
#[cfg(not(unix))]
pub(super) fn to_path(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_by_line_or_by_nul() {
        let paths = |list: &[u8], separator| parse(list, separator).unwrap();
        assert_eq!(
            paths(b"a b\nc\n\n", Separator::Newline),
            [PathBuf::from("a b"), PathBuf::from("c")]
        );
        assert_eq!(paths(b"a\nb\0c\0", Separator::Nul).len(), 2);
        assert!(paths(b"", Separator::Nul).is_empty());
    }

    #[test]
    fn a_list_for_null_is_not_taken_for_lines() {
        let error = parse(b"a\0b\0", Separator::Newline).unwrap_err();
        assert!(error.to_string().contains("--null"));
    }
}
