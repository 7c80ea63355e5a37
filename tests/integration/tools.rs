//! Programs made by others that judge what ours writes. A test that needs one fails without it, and
//! says how to get it.

use std::path::{Path, PathBuf};

/// A file of a package that `tests/tools/package.json` names.
pub(crate) fn from_npm(file: &str) -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools");
    let path = tools.join("node_modules").join(file);
    assert!(
        path.is_file(),
        "{file} is missing; run `npm ci --prefix tests/tools` (Debian package: npm)"
    );
    path
}

/// A program of the pre-commit framework's own environment.
pub(crate) fn pre_commit() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools");
    let path = tools.join("pre-commit/bin/pre-commit");
    assert!(
        path.is_file(),
        "the pre-commit framework is missing; run `tests/tools/install`"
    );
    path
}

/// A program that a Debian package brings.
pub(crate) fn from_debian(program: &str, package: &str) -> PathBuf {
    let path = Path::new("/usr/bin").join(program);
    assert!(
        path.is_file(),
        "{program} is missing; run `apt-get install {package}`"
    );
    path
}
