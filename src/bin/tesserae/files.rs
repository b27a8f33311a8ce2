//! Files and folders: the only part of the program that accesses them.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use image::ImageFormat;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use tesserae::{Error, Picture, Result};

use crate::terminal;

/// Reads a whole file; `-` is standard input.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |e| Error::io(path, e);
    if path != Path::new("-") {
        return fs::read(path).map_err(failed);
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// SHA-256 of a file's bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

/// Reads a whole text file, which is always a config here.
pub fn text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|_| Error::ConfigInvalid("the file is not text".into()))
}

/// The pictures among `paths` and, recursively, in the folders among them, sorted by path. A file
/// in a folder counts as a picture by its extension or first bytes, and only once, regardless of
/// symbolic links to its folder.
pub fn pictures(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    found(paths, |path| is_picture(path, || head(path).ok()))
}

/// The same, and token files and archives of them ([`is_tokens`]).
pub fn pictures_and_tokens(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    found(paths, |path| {
        is_tokens(path) || is_picture(path, || head(path).ok())
    })
}

/// Whether a file is named like tokens or an archive of them, as `encode` writes.
pub fn is_tokens(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !name.starts_with('.') && (name.ends_with(".tokens") || name.ends_with(".tokens.tar"))
}

/// The files among `paths`, and those in the folders among them that are `wanted`.
fn found(paths: &[PathBuf], wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    if let Some(absent) = paths.iter().find(|path| !path.exists()) {
        return Err(Error::io(absent, "there is no such file or folder"));
    }
    let (mut folders, mut found): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.iter().cloned().partition(|path| path.is_dir());
    found.iter().try_for_each(|path| not_compressed(path))?;
    let mut visited = HashSet::new();
    while let Some(folder) = folders.pop() {
        let failed = |e| Error::io(&folder, e);
        if !visited.insert(fs::canonicalize(&folder).map_err(failed)?) {
            continue;
        }
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if wanted(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.is_empty() {
        let named: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
        return Err(Error::DatasetEmpty(named.join(", ")));
    }
    Ok(found)
}

/// Whether a file in a folder or an archive is a picture: by its extension, or else by its first
/// bytes, from `head`. Hidden files are skipped whatever their extension: they belong to other
/// programs, such as macOS's `._*`, editor locks and unfinished outputs.
pub fn is_picture(path: &Path, head: impl FnOnce() -> Option<Vec<u8>>) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    if name.starts_with(b".") {
        return false;
    }
    let extension = path.extension().and_then(|e| e.to_str());
    let extension = extension.map(str::to_ascii_lowercase);
    if extension.is_some_and(|e| ["jpg", "jpeg", "png", "webp"].contains(&e.as_str())) {
        return true;
    }
    let known = |head: Vec<u8>| {
        let format = image::guess_format(&head);
        let read = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP];
        format.is_ok_and(|format| read.contains(&format))
    };
    head().is_some_and(known)
}

/// Number of bytes that identify a file's type.
pub const HEAD: u64 = 16;

/// The first [`HEAD`] bytes of a file; empty unless it is a regular file.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    if fs::metadata(path)?.is_file() {
        File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    }
    Ok(head)
}

/// Rejects an archive that has to be decompressed first.
pub fn not_compressed(path: &Path) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    let endings = [
        ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".zip",
    ];
    if !name.ends_with(".tar") && !endings.iter().any(|ending| name.ends_with(ending)) {
        return Ok(());
    }
    let head = head(path).map_err(|e| Error::io(path, e))?;
    let kinds: [(&[u8], &str); 5] = [
        (b"\x1f\x8b", "gzip"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"PK\x03\x04", "zip"),
    ];
    match kinds.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, kind)) => {
            let told =
                format!("this archive is compressed ({kind}); unpack it into a folder first");
            Err(Error::io(path, told))
        }
        None => Ok(()),
    }
}

/// Reads all pictures among `paths` (see [`pictures`]) with `read`. Unreadable ones are reported
/// and skipped.
pub fn read_pictures(
    paths: &[PathBuf],
    read: impl Fn(&Path) -> Result<Picture> + Sync,
) -> Result<Vec<Picture>> {
    read_found(paths, &pictures(paths)?, read)
}

/// The same for `files` that were found among `paths`.
pub fn read_found(
    paths: &[PathBuf],
    files: &[PathBuf],
    read: impl Fn(&Path) -> Result<Picture> + Sync,
) -> Result<Vec<Picture>> {
    let mut read: Vec<Result<Picture>> = files.par_iter().map(|path| read(path)).collect();
    // If only this file was requested, its error is the result.
    if files == paths && files.len() == 1 {
        return Ok(vec![read.remove(0)?]);
    }
    let mut left_out = 0;
    for (path, read) in files.iter().zip(&read) {
        if let Err(error) = read {
            terminal::warn(left_out_line(path, error));
            left_out += 1;
        }
    }
    if left_out > 0 {
        let plural = if left_out == 1 { "" } else { "s" };
        terminal::warn(format_args!("{left_out} file{plural} left out"));
    }
    let read: Vec<Picture> = read.into_iter().flatten().collect();
    if read.is_empty() {
        let named: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
        return Err(Error::DatasetEmpty(named.join(", ")));
    }
    Ok(read)
}

/// The message for a skipped picture; the error may already begin with the path.
pub fn left_out_line(path: &Path, error: &Error) -> String {
    let (path, error) = (path.display(), error.to_string());
    let reason = error.strip_prefix(&format!("{path}: ")).unwrap_or(&error);
    format!("left out: {path}: {reason}")
}

/// Decodes a picture file.
pub fn picture(path: &Path) -> Result<Picture> {
    Picture::decode(&read(path)?)
}
