//! What a developer is told when a hook stops a commit or a push.
//!
//! Fits a screen, names commands that can be pasted, and goes to standard error, beside a report for
//! people only. Nothing is revoked by a hook, and the text says so.

use std::io::{self, Write as _};

/// What was about to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// `git commit`.
    Commit,
    /// A push, at either of its ends.
    Push,
}

const COMMIT: &str = "
Stopped: this commit would record what is listed above.
  unstage it         git restore --staged FILE     (before the first commit: git rm --cached FILE)
  then               take the token out, read it from the environment instead, commit again
  pushed before?     then the token is known: douse revoke --dry-run FILE, and then douse revoke FILE
  a false find?      write douse:allow into its line, or put its sha256 into a file for --allow
Nothing was revoked, and nothing was sent anywhere.
";

const PUSH: &str = "
Stopped: commits of this push hold what is listed above, even where later ones took it out.
  which commit       git log --all --find-object=ID     (the ID stands behind the path)
  take it out        git rebase --interactive, edit that commit, push again
  pushed before?     then the token is known: douse revoke --dry-run, and then douse revoke
  a false find?      write douse:allow into its line, or put its sha256 into a file for --allow
Nothing was revoked, and nothing was sent anywhere.
";

/// Tells what to do now.
pub(super) fn tell(occasion: Occasion) {
    let text = match occasion {
        Occasion::Commit => COMMIT,
        Occasion::Push => PUSH,
    };
    // Where it cannot be written the exit code still stops git.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
