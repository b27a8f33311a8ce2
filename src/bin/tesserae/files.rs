//! Files and folders: the only part of the program that touches them.

use std::fs;
use std::path::{Path, PathBuf};

use tesserae::{Error, Picture, Result};

/// The whole file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|e| Error::io(path, e))
}

/// The whole of a text file, which is always some config here.
pub fn text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|_| Error::ConfigInvalid("the file is not text".into()))
}

/// Writes to a new file beside `path`, then renames, so that a full disk or a crash leaves the old
/// file whole.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    fs::write(&part, bytes)
        .and_then(|()| fs::rename(&part, path))
        .map_err(|e| {
            // Nothing more can be done about a part that cannot be removed either.
            let _ = fs::remove_file(&part);
            Error::io(path, e)
        })
}

/// The pictures among `paths` and below the folders among them, by their extension, in the order
/// of their paths.
pub fn pictures(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if let Some(absent) = paths.iter().find(|path| !path.exists()) {
        return Err(Error::io(absent, "there is no such file or folder"));
    }
    let (mut folders, mut found): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.iter().cloned().partition(|path| path.is_dir());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|e| Error::io(&folder, e))? {
            let path = entry.map_err(|e| Error::io(&folder, e))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if has_picture_extension(&path) {
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

pub fn has_picture_extension(path: &Path) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .map(str::to_ascii_lowercase)
        .is_some_and(|e| ["jpg", "jpeg", "png", "webp"].contains(&e.as_str()))
}

/// A decoded picture.
pub fn picture(path: &Path) -> Result<Picture> {
    Picture::decode(&read(path)?)
}

/// Writes a picture as its file's extension says, PNG without one.
pub fn write_picture(path: &Path, picture: &Picture) -> Result<()> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("png");
    write(path, &picture.encode_as(extension)?)
}
