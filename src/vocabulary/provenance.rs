//! How an object came into a repository.

/// What a repository's history says of one of its objects; free of secrets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provenance {
    /// How the object hangs together with the history.
    pub state: Held,
    /// The id of the first commit that holds the object: none of those before it does. For a
    /// commit, itself; for a tag, what it names.
    pub commit: Option<String>,
    /// Where that commit has it, or the index; as bytes. The empty path is the top folder.
    pub path: Option<Vec<u8>>,
    /// Who wrote that commit, or the tag, as git shows them: `Name <address>`.
    pub author: Option<String>,
    /// When, in milliseconds since 1970.
    pub author_time_ms: Option<i64>,
}

/// How an object hangs together with a repository's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Held {
    /// A commit that a branch, a tag or another reference leads to holds it.
    Committed,
    /// It is a tag that a reference leads to, or what one names or is, and no commit holds.
    Tagged,
    /// Only a stash holds it.
    Stashed,
    /// Only the index holds it: it was staged and not committed.
    Staged,
    /// No reference leads to it: it was amended, rebased, force-pushed or removed, and the
    /// repository still holds it. The commit, if one holds it, is as lost as the object.
    Dangling,
    /// The references could not be read, so nobody knows.
    Unknown,
}

impl Held {
    /// Its name in machine output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Tagged => "tagged",
            Self::Stashed => "stashed",
            Self::Staged => "staged",
            Self::Dangling => "dangling",
            Self::Unknown => "unknown",
        }
    }
}
