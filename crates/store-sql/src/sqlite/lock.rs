//! One process writes. `SQLite` itself would let two processes take turns, and each would believe that
//! it alone sends what is due.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::sql::OpenError;

/// Held for as long as the database is open for writing. The system releases it when the process
/// ends, however it ends; the file stays.
#[derive(Debug)]
pub(super) struct WriterLock(#[expect(dead_code, reason = "held, not read")] File);

impl WriterLock {
    /// Takes the lock beside the database `path`, whose folder must exist: a folder that is missing is
    /// a mistyped path more often than a new installation, and a new database knows none of the
    /// payments that were made.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        folder_of(path)?;
        let lock_path = beside(path, ".lock");
        let mut file = private_file(&lock_path).map_err(|error| io(&lock_path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.to_owned();
                return Err(OpenError::InUse { path, holder: holder(&lock_path) });
            }
            Err(TryLockError::Error(error)) => return Err(io(&lock_path, error)),
        }
        let named = file.set_len(0).and_then(|()| write!(file, "process {}", std::process::id()));
        named.map_err(|error| io(&lock_path, error))?;
        private_file(path).map_err(|error| io(path, error))?;
        Ok(Self(file))
    }
}

/// Fails if the folder that a database is to be in does not exist.
pub(super) fn folder_of(path: &Path) -> Result<(), OpenError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(io(folder, std::io::ErrorKind::NotADirectory.into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(OpenError::NoFolder { path: path.to_owned(), folder: folder.to_owned() })
        }
        Err(error) => Err(io(folder, error)),
    }
}

fn holder(lock_path: &Path) -> String {
    let text = fs::read_to_string(lock_path).unwrap_or_default();
    let plausible = text.starts_with("process ") && text.len() < 40;
    if plausible { text } else { "another process".to_owned() }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn io(path: &Path, error: std::io::Error) -> OpenError {
    OpenError::Io { path: path.to_owned(), error }
}

/// Opens a file for reading and writing, and creates it for its owner only. `SQLite` gives the files
/// that it puts beside the database the same mode.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
