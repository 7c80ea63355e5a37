//! How a run ends, as the shell sees it.

/// The exit codes that scripts rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything was read and nothing found; or every token was accepted for revocation.
    Clean,
    /// Tokens were found; or something was not accepted.
    Found,
    /// A usage error, something that could not be read, or a run that stopped before its end.
    Trouble,
}

impl Exit {
    /// The process's exit status.
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Found => 1,
            Self::Trouble => 2,
        }
    }
}
