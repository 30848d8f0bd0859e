//! The console's files: part of the program, or in a directory.

use std::borrow::Cow;
use std::path::PathBuf;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use rust_embed::RustEmbed;

/// What `npm run build` left in the crate's directory. A debug build looks there at each request.
#[derive(RustEmbed)]
#[folder = "console/dist/"]
#[allow_missing = true]
struct Embedded;

/// Where files come from.
pub(super) struct Assets {
    directory: Option<PathBuf>,
}

/// One file.
pub(super) struct Asset {
    bytes: Cow<'static, [u8]>,
    tag: String,
}

impl Assets {
    pub(super) fn new(directory: Option<PathBuf>) -> Self {
        Self { directory }
    }

    /// A file by its path, which must be a [`clean`] one.
    pub(super) fn read(&self, path: &str) -> Option<Asset> {
        let Some(directory) = &self.directory else {
            let file = Embedded::get(path)?;
            let tag = file.metadata.sha256_hash().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
            return Some(Asset { bytes: file.data, tag });
        };
        let file = directory.join(path);
        let metadata = std::fs::metadata(&file).ok()?;
        if !metadata.is_file() {
            return None;
        }
        // A link must not lead out of the directory.
        let (inside, root) = (file.canonicalize().ok()?, directory.canonicalize().ok()?);
        if !inside.starts_with(root) {
            return None;
        }
        let changed = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        let bytes = std::fs::read(inside).ok()?;
        let tag = format!("{:x}-{:x}", changed.as_nanos(), bytes.len());
        Some(Asset { bytes: based(path, bytes).into(), tag })
    }
}

impl Asset {
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    pub(super) fn into_bytes(self) -> Bytes {
        match self.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        }
    }
}

/// The path of a file below the root, without a slash in front; none where the path leads elsewhere. The root is the
/// index.
pub(super) fn clean(path: &str) -> Option<String> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    let path = decoded.trim_matches('/');
    if path.is_empty() {
        return Some(super::INDEX.to_owned());
    }
    let harmless =
        |segment: &str| !segment.is_empty() && !segment.starts_with('.') && !segment.contains(['\\', '\0']);
    path.split('/').all(harmless).then(|| path.to_owned())
}

/// Kong Manager's files have a mark where the path of the page's root belongs.
fn based(path: &str, bytes: Vec<u8>) -> Vec<u8> {
    if ![".html", ".js", ".css"].iter().any(|ending| path.ends_with(ending)) {
        return bytes;
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.contains(BASE_MARK) => text.replace(BASE_MARK, "/").into_bytes(),
        Ok(text) => text.into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

const BASE_MARK: &str = "/__km_base__/";
