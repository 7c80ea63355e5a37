//! Where bytes come from.
//!
//! While a blob is scanned its [`Origin`] is a chain of borrows on the stack and costs nothing.
//! Only for something worth telling (a match, a skip, an error) is it turned into an owned
//! [`Place`].

use std::path::Path;

use super::redact::Redact;

/// Where a blob lies, borrowed from whoever reads it. Members of containers point to the origin
/// of what contains them.
#[derive(Debug, Clone, Copy)]
pub enum Origin<'a> {
    /// Standard input.
    Stdin,
    /// A file on disk.
    File(&'a Path),
    /// Text that stands about something rather than in it.
    Label {
        /// What it stands about.
        of: &'a Origin<'a>,
        /// Which text.
        label: Label,
    },
    /// Something inside another blob: an archive's entry, an object of a repository.
    Member {
        /// What holds it.
        within: &'a Origin<'a>,
        /// Its name there; any bytes.
        name: &'a [u8],
    },
    /// What a compressor's file unpacks to: one stream, of which the file says little or nothing.
    ///
    /// It has a place of its own, for offsets in it are not offsets in the file. But nobody thinks
    /// of a `.tar.gz` as two containers: in the places of what lies inside it, it is left out.
    Unpacked {
        /// The compressed file.
        within: &'a Origin<'a>,
        /// What to call the stream; any bytes.
        name: &'a [u8],
    },
}

impl Origin<'_> {
    /// An owned copy that may be shown: tokens that stand in names are redacted.
    pub fn place(&self, redact: &dyn Redact) -> Place {
        match self {
            Self::Stdin => Place {
                path: b"-".to_vec(),
                members: Vec::new(),
            },
            Self::File(path) => Place {
                path: redact
                    .bytes(strip_dot(path).as_os_str().as_encoded_bytes())
                    .into_owned(),
                members: Vec::new(),
            },
            Self::Label { of, label } => {
                let mut place = of.place(redact);
                place.members.push(label.as_str().to_owned());
                place
            }
            Self::Member { within, name } => member(within.holder().place(redact), name, redact),
            Self::Unpacked { within, name } => member(within.place(redact), name, redact),
        }
    }

    /// What is named in the places of what lies inside.
    fn holder(&self) -> &Self {
        match self {
            Self::Unpacked { within, .. } => within.holder(),
            Self::Stdin | Self::File(_) | Self::Label { .. } | Self::Member { .. } => self,
        }
    }
}

/// The place of a member in that of what holds it.
fn member(mut place: Place, name: &[u8], redact: &dyn Redact) -> Place {
    let name = redact.bytes(name);
    place
        .members
        .push(String::from_utf8_lossy(&name).into_owned());
    place
}

/// The texts that stand about a file; they may hold a token like any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Its name.
    Name,
    /// Where a symbolic link points to: all that it holds.
    LinkTarget,
}

impl Label {
    /// Stands as the innermost member in a place.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "(name)",
            Self::LinkTarget => "(link target)",
        }
    }
}

/// Paths below the current folder are told without the `./` that a walk of `.` puts before them.
fn strip_dot(path: &Path) -> &Path {
    match path.strip_prefix(".") {
        // A file of the name `-` must not be taken for standard input.
        Ok(rest) if !rest.as_os_str().is_empty() && rest.as_os_str() != "-" => rest,
        Ok(_) | Err(_) => path,
    }
}

/// Where something was found or not read; free of secrets, and ordered as reports are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file's path as its bytes (on Windows, WTF-8), or `-` for standard input.
    pub path: Vec<u8>,
    /// The way down from the file: container members, then git objects, outermost first.
    pub members: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::super::redact::RedactNothing;
    use super::*;

    #[test]
    fn members_stand_in_the_order_they_nest() {
        let file = Origin::File(Path::new("./a/b.zip"));
        let outer = Origin::Member {
            within: &file,
            name: b"x.tar",
        };
        let inner = Origin::Member {
            within: &outer,
            name: b"etc/\xffenv",
        };
        let place = inner.place(&RedactNothing);
        assert_eq!(place.path, b"a/b.zip");
        assert_eq!(place.members, ["x.tar", "etc/\u{fffd}env"]);
    }

    #[test]
    fn a_compressor_is_named_for_what_it_holds_itself() {
        let file = Origin::File(Path::new("a.tar.gz"));
        let tar = Origin::Unpacked {
            within: &file,
            name: b"a.tar",
        };
        let member = Origin::Member {
            within: &tar,
            name: b"b.xz",
        };
        let text = Origin::Unpacked {
            within: &member,
            name: b"b",
        };
        let members = |origin: Origin<'_>| origin.place(&RedactNothing).members;
        assert_eq!(members(tar), ["a.tar"]);
        assert_eq!(members(member), ["b.xz"]);
        assert_eq!(members(text), ["b.xz", "b"]);
    }

    #[test]
    fn a_dot_alone_keeps_its_name() {
        assert_eq!(
            Origin::File(Path::new(".")).place(&RedactNothing).path,
            b"."
        );
    }
}
