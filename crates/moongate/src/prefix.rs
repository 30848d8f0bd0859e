//! The directory of a gateway's own files.
//!
//! A lock on the pid file, and not the pid in it, tells whether a gateway runs: the system lets go of a lock
//! when its process ends, however it ends, while a pid may long belong to another process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrefixError {
    /// Another gateway has it.
    #[error(
        "a gateway{} already runs at {prefix}; stop it with `moongate quit`, or give this one another directory \
         with `--prefix`",
        pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
    )]
    Taken {
        /// The directory.
        prefix: String,
        /// Its process, if it said so.
        pid: Option<i32>,
    },
    /// A file in it cannot be read or written.
    #[error("{path}: {error}; `prefix` must be a directory that the gateway may write to")]
    File {
        /// The file or directory.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The node's identity is none.
    #[error("{path}: `{found}` is no UUID; remove the file, and the node gets a new identity")]
    NodeId {
        /// The file.
        path: String,
        /// What is in it.
        found: String,
    },
}

/// The directory; nothing is read or made until asked for.
#[derive(Debug, Clone)]
pub(crate) struct Prefix {
    directory: PathBuf,
}

/// A running gateway's right to its directory, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Claim {
    prefix: Prefix,
    _locked: File,
}

impl Prefix {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// Where compiled plugins are kept.
    pub(crate) fn compile_cache(&self) -> PathBuf {
        self.directory.join("compile-cache")
    }

    /// Makes the directory if it is missing, and takes it for this process.
    pub(crate) fn claim(&self) -> Result<Claim, PrefixError> {
        fs::create_dir_all(&self.directory).map_err(failed(&self.directory))?;
        let path = self.pid_file();
        for _ in 0..ATTEMPTS {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(failed(&path))?;
            match file.try_lock() {
                // The file that was locked may just have been removed by the gateway before this one.
                Ok(()) if is_file_at(&file, &path) => {
                    write_pid(&file).map_err(failed(&path))?;
                    return Ok(Claim { prefix: self.clone(), _locked: file });
                }
                // A command that looks whether a gateway runs has the lock for a moment.
                Ok(()) | Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(failed(&path)(error)),
            }
        }
        let pid = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
        Err(PrefixError::Taken { prefix: self.directory.display().to_string(), pid })
    }

    /// The process of the gateway that runs here, if one does.
    pub(crate) fn running(&self) -> Result<Option<i32>, PrefixError> {
        let path = self.pid_file();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path)(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(failed(&path))?;
                // Empty in the moment before a starting gateway has written it.
                Ok(text.trim().parse().ok().filter(|pid| *pid > 0))
            }
            Err(TryLockError::Error(error)) => Err(failed(&path)(error)),
        }
    }

    /// Where the Admin API of the gateway that runs here can be reached.
    pub(crate) fn admin_address(&self) -> Option<SocketAddr> {
        fs::read_to_string(self.admin_file()).ok()?.trim().parse().ok()
    }

    fn pid_file(&self) -> PathBuf {
        self.directory.join("moongate.pid")
    }

    fn admin_file(&self) -> PathBuf {
        self.directory.join("admin_address")
    }
}

impl Claim {
    /// The identity of this node, made at the first start.
    pub(crate) fn node_id(&self) -> Result<Uuid, PrefixError> {
        let path = self.prefix.directory.join("node_id");
        match fs::read_to_string(&path) {
            Ok(text) => {
                let found = text.trim();
                let invalid =
                    |_| PrefixError::NodeId { path: path.display().to_string(), found: found.to_owned() };
                Uuid::try_parse(found).map_err(invalid)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let id = Uuid::new_v4();
                replace(&path, &id.to_string())?;
                Ok(id)
            }
            Err(error) => Err(failed(&path)(error)),
        }
    }

    /// The certificate of a gateway that was given none, and its key, in PEM; made at the first start that needs them.
    pub(crate) fn own_certificate(&self) -> Result<(String, String), PrefixError> {
        let directory = self.prefix.directory.join("ssl");
        let (cert_path, key_path) = (directory.join("moongate.crt"), directory.join("moongate.key"));
        match (fs::read_to_string(&cert_path), fs::read_to_string(&key_path)) {
            (Ok(cert), Ok(key)) => return Ok((cert, key)),
            (Err(error), _) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&cert_path)(error));
            }
            (_, Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&key_path)(error));
            }
            _ => {}
        }
        let (cert, key) =
            moongate_proxy::self_signed().map_err(|error| failed(&cert_path)(io::Error::other(error)))?;
        fs::create_dir_all(&directory).map_err(failed(&directory))?;
        write_secret(&key_path, &key)?;
        replace(&cert_path, cert.trim_end())?;
        Ok((cert, key))
    }

    /// Lets commands find the Admin API, also where the system chose its port.
    pub(crate) fn publish_admin_address(&self, address: Option<SocketAddr>) -> Result<(), PrefixError> {
        let path = self.prefix.admin_file();
        match address {
            Some(address) => replace(&path, &address.to_string()),
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&path)(error)),
                _ => Ok(()),
            },
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Before the lock goes, so that they are no other gateway's.
        let _ = fs::remove_file(self.prefix.admin_file());
        let _ = fs::remove_file(self.prefix.pid_file());
    }
}

fn write_pid(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn is_file_at(file: &File, path: &Path) -> bool {
    let inode = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().map(inode).ok() == fs::metadata(path).map(inode).ok()
}

/// Writes a file that only its owner may read.
fn write_secret(path: &Path, text: &str) -> Result<(), PrefixError> {
    let temporary = path.with_extension("tmp");
    let _ = fs::remove_file(&temporary);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(failed(path))
}

/// Writes a file so that nobody sees a part of it.
fn replace(path: &Path, text: &str) -> Result<(), PrefixError> {
    let temporary = path.with_extension("tmp");
    let written = fs::write(&temporary, format!("{text}\n")).and_then(|()| fs::rename(&temporary, path));
    written.map_err(failed(path))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> PrefixError {
    let path = path.display().to_string();
    move |error| PrefixError::File { path: path.clone(), error }
}

const ATTEMPTS: usize = 10;

const PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_gateway_is_refused_while_the_first_one_runs() {
        let directory = tempfile::tempdir().unwrap();
        let prefix = Prefix::new(&directory.path().join("new"));
        assert_eq!(prefix.running().unwrap(), None);

        let first = prefix.claim().unwrap();
        let refused = prefix.claim().unwrap_err().to_string();
        let pid = std::process::id();
        assert!(refused.starts_with(&format!("a gateway (pid {pid}) already runs at ")), "{refused}");
        assert_eq!(prefix.running().unwrap(), Some(pid as i32));

        drop(first);
        assert_eq!(prefix.running().unwrap(), None);
        drop(prefix.claim().unwrap());
    }

    #[test]
    fn a_pid_file_that_was_left_behind_is_no_running_gateway() {
        let directory = tempfile::tempdir().unwrap();
        let prefix = Prefix::new(directory.path());
        fs::write(prefix.pid_file(), "1\n").unwrap();
        assert_eq!(prefix.running().unwrap(), None);
        let claim = prefix.claim().unwrap();
        assert_eq!(fs::read_to_string(prefix.pid_file()).unwrap().trim(), std::process::id().to_string());
        drop(claim);
    }

    #[test]
    fn the_identity_is_the_same_at_the_next_start_and_nonsense_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let prefix = Prefix::new(directory.path());
        let first = prefix.claim().unwrap().node_id().unwrap();
        assert_eq!(prefix.claim().unwrap().node_id().unwrap(), first);

        fs::write(directory.path().join("node_id"), "me").unwrap();
        let refused = prefix.claim().unwrap().node_id().unwrap_err().to_string();
        assert!(
            refused.ends_with("`me` is no UUID; remove the file, and the node gets a new identity"),
            "{refused}"
        );
    }

    #[test]
    fn the_admin_address_is_there_while_the_gateway_is() {
        let directory = tempfile::tempdir().unwrap();
        let prefix = Prefix::new(directory.path());
        let claim = prefix.claim().unwrap();
        let address: SocketAddr = "127.0.0.1:4321".parse().unwrap();
        claim.publish_admin_address(Some(address)).unwrap();
        assert_eq!(prefix.admin_address(), Some(address));
        claim.publish_admin_address(None).unwrap();
        assert_eq!(prefix.admin_address(), None);
    }
}
