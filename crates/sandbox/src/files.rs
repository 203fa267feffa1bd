//! Files of a folder: their texts first, then all of them written, over what is there or beside
//! nothing at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};
use toml::Value;

/// A file that is to be written.
pub struct NewFile {
    /// Its path.
    pub path: PathBuf,
    text: SecretString,
    /// True if nobody but its owner may read it.
    private: bool,
}

impl NewFile {
    /// A file that everybody may read.
    pub fn open(path: PathBuf, text: String) -> Self {
        Self { path, text: text.into(), private: false }
    }

    /// A file that only its owner reads.
    pub fn private(path: PathBuf, text: &str) -> Self {
        Self { path, text: SecretString::from(text), private: true }
    }

    /// Writes it, and the folder that it is in; whatever is there must not be.
    fn write_new(&self) -> anyhow::Result<()> {
        let named = || format!("cannot write {}", self.path.display());
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).with_context(named)?;
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if self.private {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&self.path).with_context(named)?;
        file.write_all(self.text.expose_secret().as_bytes()).with_context(named)
    }
}

/// Writes all of them, each over what an earlier one left there.
pub fn write_over(files: &[NewFile]) -> anyhow::Result<()> {
    for file in files {
        remove(&file.path).with_context(|| format!("cannot replace {}", file.path.display()))?;
        file.write_new()?;
    }
    Ok(())
}

/// Writes all of them, if none of them is there.
pub fn write_new(files: &[NewFile]) -> anyhow::Result<()> {
    // A broken link is something, too.
    let there = files.iter().find(|file| fs::symlink_metadata(&file.path).is_ok());
    if let Some(file) = there {
        bail!(
            "{} exists, and nothing is ever overwritten: take another folder (--dir), or move that \
             one away",
            file.path.display()
        );
    }
    files.iter().try_for_each(NewFile::write_new)
}

/// Removes a file, if there is one.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A path as TOML writes it.
pub fn quoted(path: &Path) -> String {
    Value::from(path.display().to_string()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_beside_a_file_that_exists() {
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str| NewFile::open(home.path().join("new").join(name), name.to_owned());
        write_new(&[file("b")]).unwrap();
        let complaint = write_new(&[file("a"), file("b")]).unwrap_err().to_string();
        assert!(complaint.starts_with(&file("b").path.display().to_string()), "{complaint}");
        assert!(!file("a").path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_readable_by_its_owner_alone_also_where_another_one_was() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("secret");
        write_over(&[NewFile::open(path.clone(), "known to all".to_owned())]).unwrap();
        write_over(&[NewFile::private(path.clone(), "sesame")]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).unwrap(), "sesame");
    }
}
