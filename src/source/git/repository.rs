//! The user's own repository, for what git's hooks ask: where its parts lie, and what `HEAD` is.
//!
//! Unlike what a walk comes upon, this one is the user's: git itself has just run in it. Still no
//! program is started, and of its configuration nothing is read but the format of ids.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use gix_hash::ObjectId;

use super::database::Database;
use super::store::{
    ALTERNATES, alternates, common_folder, pointed_to_folder, pointer, pointer_up_to,
};

/// A reference to a reference is followed so often; git's own limit.
const SYMBOLIC: usize = 5;

/// The file of packed references is not read beyond this: three million of them.
const PACKED: u64 = 256 * 1024 * 1024;

/// What git tells its hooks in the environment; paths are absolute.
#[derive(Debug, Default, Clone)]
pub struct Told {
    /// `GIT_DIR`
    pub git_dir: Option<PathBuf>,
    /// `GIT_WORK_TREE`
    pub work_tree: Option<PathBuf>,
    /// `GIT_COMMON_DIR`
    pub common_dir: Option<PathBuf>,
    /// `GIT_INDEX_FILE`
    pub index: Option<PathBuf>,
    /// `GIT_OBJECT_DIRECTORY`: in a hook on a server, the quarantine.
    pub objects: Option<PathBuf>,
    /// `GIT_ALTERNATE_OBJECT_DIRECTORIES`
    pub alternates: Vec<PathBuf>,
}

/// How a repository keeps its references.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReferenceFormat {
    /// One file each, and a file of packed ones.
    Files,
    /// Tables, which are not read.
    Reftable,
}

/// A repository.
pub struct Repository {
    /// How to open it again.
    pub(super) told: Told,
    reference_format: ReferenceFormat,
    git_dir: PathBuf,
    common_dir: PathBuf,
    /// What paths in the index are relative to.
    pub(super) work_tree: PathBuf,
    pub(super) index: PathBuf,
    pub(super) hash: gix_hash::Kind,
    pub(super) objects: Database,
}

/// Why a repository cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// There is none.
    #[error("there is no git repository here or above; go into one, or set GIT_DIR")]
    None,
    /// Its references are in a format that is not read.
    #[error(
        "this repository keeps its references in the `reftable` format, which is not read yet; \
         scan its folder instead"
    )]
    Reftable,
    /// A file of it cannot be read.
    #[error("cannot read {}: {error}", .path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// An object or the index makes no sense.
    #[error("{what}: {why}")]
    Damaged {
        /// What it is.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Repository {
    /// The repository that git told of, or the one that `current_dir` lies in.
    pub fn open(current_dir: &Path, told: Told) -> Result<Self, RepositoryError> {
        let again = told.clone();
        let (git_dir, found_in) = match told.git_dir {
            Some(git_dir) => (git_dir, current_dir),
            None => discover(current_dir).ok_or(RepositoryError::None)?,
        };
        if !git_dir.join("HEAD").exists() {
            return Err(RepositoryError::None);
        }
        let common_dir = told.common_dir.unwrap_or_else(|| common_folder(&git_dir));
        let reference_format = if common_dir.join("reftable").exists() {
            ReferenceFormat::Reftable
        } else {
            ReferenceFormat::Files
        };
        let own = common_dir.join("objects");
        let mut folders = vec![told.objects.unwrap_or(own)];
        folders.extend(told.alternates);
        Ok(Self {
            told: Told {
                git_dir: Some(git_dir.clone()),
                ..again
            },
            reference_format,
            index: told.index.unwrap_or_else(|| git_dir.join("index")),
            hash: hash_kind(&common_dir),
            objects: Database::new(with_alternates(folders)),
            work_tree: told.work_tree.unwrap_or_else(|| found_in.to_owned()),
            common_dir,
            git_dir,
        })
    }

    /// Where the repository's own files lie.
    pub(super) fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The commit that `HEAD` names; nothing before the first one.
    pub(super) fn head(&self) -> Result<Option<ObjectId>, RepositoryError> {
        self.follow("HEAD")
    }

    /// The object that a reference leads to, if it is there.
    pub(super) fn follow(&self, name: &str) -> Result<Option<ObjectId>, RepositoryError> {
        // A name becomes a path; one that leads out of the repository is no reference.
        if name.split('/').any(|part| part.is_empty() || part == "..") {
            return Ok(None);
        }
        let mut at = name.to_owned();
        for _ in 0..SYMBOLIC {
            let Some(text) = self.reference(&at)? else {
                return Ok(None);
            };
            let Some(next) = text.strip_prefix("ref: ") else {
                // `config` or `index` may be asked for, and are no references.
                return Ok(ObjectId::from_hex(text.trim_end().as_bytes()).ok());
            };
            next.trim_end().clone_into(&mut at);
        }
        Err(damaged(name, "it refers to a reference that refers to it"))
    }

    /// The folder that all worktrees share.
    pub(super) fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// All references whose names start with `prefix`, which ends in a slash, and what they lead
    /// to.
    pub(super) fn references(
        &self,
        prefix: &str,
    ) -> Result<Vec<(String, ObjectId)>, RepositoryError> {
        self.can_tell_references()?;
        let mut references = BTreeMap::new();
        for line in self.packed()?.split(|byte| *byte == b'\n') {
            let line = std::str::from_utf8(line).ok();
            if let Some((id, name)) = line.and_then(|line| line.split_once(' '))
                && name.starts_with(prefix)
            {
                let id = ObjectId::from_hex(id.as_bytes()).ok();
                references.extend(id.map(|id| (name.to_owned(), id)));
            }
        }
        let mut folders = vec![self.common_dir.join(prefix)];
        while let Some(folder) = folders.pop() {
            for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = file.path();
                // A link to a folder may lead in circles.
                if file.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(path);
                } else if let Ok(text) = pointer(&path)
                    && path.extension().is_none_or(|ending| ending != "lock")
                    && let Ok(name) = path.strip_prefix(&self.common_dir)
                {
                    let name = name.to_string_lossy().into_owned();
                    // A packed one of that name is from before. What names another reference leads
                    // nowhere else.
                    match ObjectId::from_hex(text.trim_ascii_end()) {
                        Ok(id) => drop(references.insert(name, id)),
                        Err(_) => drop(references.remove(&name)),
                    }
                }
            }
        }
        Ok(references.into_iter().collect())
    }

    /// What a reference holds, loose or packed.
    fn reference(&self, name: &str) -> Result<Option<String>, RepositoryError> {
        self.can_tell_references()?;
        for folder in [&self.git_dir, &self.common_dir] {
            let path = folder.join(name);
            match pointer(&path) {
                Ok(text) => return Ok(Some(String::from_utf8_lossy(&text).into_owned())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) if path.is_dir() => {}
                Err(error) => return Err(RepositoryError::Read { path, error }),
            }
        }
        let packed = self.packed()?;
        let mut lines = packed.split(|byte| *byte == b'\n');
        Ok(lines.find_map(|line| {
            let (id, packed) = std::str::from_utf8(line).ok()?.split_once(' ')?;
            (packed == name).then(|| id.to_owned())
        }))
    }

    fn can_tell_references(&self) -> Result<(), RepositoryError> {
        match self.reference_format {
            ReferenceFormat::Files => Ok(()),
            ReferenceFormat::Reftable => Err(RepositoryError::Reftable),
        }
    }

    /// The file of packed references; empty if there is none.
    fn packed(&self) -> Result<Vec<u8>, RepositoryError> {
        let path = self.common_dir.join("packed-refs");
        match pointer_up_to(&path, PACKED) {
            Ok(packed) => Ok(packed),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(RepositoryError::Read { path, error }),
        }
    }
}

/// Folders of objects, and those that they borrow from.
fn with_alternates(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    let mut known: Vec<PathBuf> = folders.iter().map(real).collect();
    let mut all = folders.clone();
    let mut next = folders;
    for _ in 0..ALTERNATES {
        let lists = next.iter().flat_map(|folder| {
            let list = alternates(folder, &folder.join("info/alternates"));
            list.unwrap_or_default()
        });
        let mut further = Vec::new();
        for path in lists {
            let real = real(&path);
            if !known.contains(&real) {
                known.push(real);
                further.push(path);
            }
        }
        all.extend_from_slice(&further);
        next = further;
    }
    all
}

/// Says of something in a repository that it makes no sense.
pub(super) fn damaged(what: &str, why: impl Into<String>) -> RepositoryError {
    RepositoryError::Damaged {
        what: what.to_owned(),
        why: why.into(),
    }
}

/// Looks for a repository in a folder and those above it; tells where it was found.
fn discover(current_dir: &Path) -> Option<(PathBuf, &Path)> {
    current_dir.ancestors().find_map(|folder| {
        let git = folder.join(".git");
        if git.is_dir() {
            return Some((git, folder));
        }
        if git.is_file() {
            return Some((pointed_to_folder(&git)?, folder));
        }
        let is_bare = folder.join("HEAD").is_file() && folder.join("objects").is_dir();
        is_bare.then(|| (folder.to_owned(), folder))
    })
}

/// How this repository names its objects.
fn hash_kind(common_dir: &Path) -> gix_hash::Kind {
    let config = pointer(&common_dir.join("config")).unwrap_or_default();
    let config = String::from_utf8_lossy(&config).to_ascii_lowercase();
    let format = config.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "objectformat").then(|| value.trim().to_owned())
    });
    match format.as_deref() {
        Some("sha256") => gix_hash::Kind::Sha256,
        Some(_) | None => gix_hash::Kind::Sha1,
    }
}
