//! Sources of many pictures: files, folders, and tar shards.

use std::fmt::Display;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use indicatif::ProgressBar;
use tar::Archive;
use tesserae::{Error, Picture, Result};

use crate::files;
use crate::model::FitArgs;
use crate::terminal;

/// A picture's bytes: a file, or part of a tar shard.
pub struct Entry {
    /// Its name within its folder or shard.
    pub name: String,
    place: Place,
}

enum Place {
    File(PathBuf),
    Part {
        tar: Rc<Path>,
        start: u64,
        length: u64,
    },
}

impl Entry {
    /// Its path for display: a shard's path followed by the name inside it.
    pub fn path(&self) -> PathBuf {
        match &self.place {
            Place::File(path) => path.clone(),
            Place::Part { tar, .. } => tar.join(&self.name),
        }
    }

    /// The file that it is read from.
    pub fn file(&self) -> &Path {
        match &self.place {
            Place::File(path) => path,
            Place::Part { tar, .. } => tar,
        }
    }

    fn picture(&self, fit: &FitArgs) -> Result<Picture> {
        match &self.place {
            Place::File(path) => fit.picture(path),
            Place::Part { tar, start, length } => {
                let mut bytes = Vec::new();
                File::open(tar)
                    .and_then(|mut file| {
                        file.seek(SeekFrom::Start(*start))?;
                        file.take(*length).read_to_end(&mut bytes)
                    })
                    .map_err(|e| Error::io(tar, e))?;
                fit.decode(&bytes)
            }
        }
    }
}

pub fn is_tar(path: &Path) -> bool {
    let extension = path.extension();
    extension.is_some_and(|e| e.eq_ignore_ascii_case("tar")) && !path.is_dir()
}

/// The pictures in the tar shards among `paths`, in order, then those of [`files::pictures`] for
/// the other paths. Fails on a damaged shard before any work begins.
pub fn entries(paths: &[PathBuf]) -> Result<Vec<Entry>> {
    let (tars, others): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.iter().cloned().partition(|path| is_tar(path));
    let mut found = Vec::new();
    for tar in &tars {
        found.extend(in_tar(tar)?);
    }
    if !others.is_empty() {
        found.extend(files::pictures(&others)?.into_iter().map(|path| {
            let below = others
                .iter()
                .find_map(|other| path.strip_prefix(other).ok());
            let name = below.filter(|name| name.file_name().is_some());
            Entry {
                name: named(name.unwrap_or(&path)),
                place: Place::File(path),
            }
        }));
    }
    if found.is_empty() {
        let named: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
        return Err(Error::DatasetEmpty(named.join(", ")));
    }
    Ok(found)
}

/// Reads only the headers.
fn in_tar(path: &Path) -> Result<Vec<Entry>> {
    files::not_compressed(path)?;
    let failed = |e| Error::io(path, e);
    let damaged = |reason: &dyn Display| {
        let told = format!("this is not a tar file, or it is damaged: {reason}");
        Error::io(path, told)
    };
    let file = File::open(path).map_err(failed)?;
    let whole = file.metadata().map_err(failed)?.len();
    let tar: Rc<Path> = path.into();
    let mut found = Vec::new();
    let mut archive = Archive::new(file);
    for entry in archive.entries_with_seek().map_err(failed)? {
        let mut entry = entry.map_err(|e| damaged(&e))?;
        let (start, length) = (entry.raw_file_position(), entry.size());
        // A part past the end would be skipped, not read.
        if start.checked_add(length).is_none_or(|end| end > whole) {
            return Err(damaged(&"it ends too early"));
        }
        let name = entry.path().map_err(|e| damaged(&e))?.into_owned();
        let is_file = entry.header().entry_type().is_file();
        let head = || {
            let mut head = Vec::new();
            entry
                .by_ref()
                .take(files::HEAD)
                .read_to_end(&mut head)
                .ok()?;
            Some(head)
        };
        if is_file && files::is_picture(&name, head) {
            found.push(Entry {
                name: named(&name),
                place: Place::Part {
                    tar: Rc::clone(&tar),
                    start,
                    length,
                },
            });
        }
    }
    Ok(found)
}

/// The name with `/` separators, without parts that lead upwards or characters that a terminal
/// cannot show.
fn named(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    // These names end up in archives and reports, which other programs print.
    parts.join("/").replace(char::is_control, "\u{fffd}")
}

/// Calls `work` with each picture after preprocessing. Pictures that are unreadable or too large
/// for the model are reported and skipped; returns how many.
pub async fn each_picture(
    entries: &[Entry],
    fit: &FitArgs,
    mut work: impl AsyncFnMut(&Entry, Picture) -> Result<()>,
) -> Result<usize> {
    let bar = ProgressBar::new(entries.len() as u64);
    let mut skipped = 0;
    for entry in entries {
        bar.inc(1);
        let unusable = match entry.picture(fit) {
            Ok(picture) => match work(entry, picture).await {
                Ok(()) => continue,
                Err(error @ Error::ImageTooLarge { .. }) => error,
                Err(error) => return Err(error),
            },
            // If the tar can no longer be read, the picture in it is not at fault.
            Err(error @ Error::Io { .. }) if matches!(entry.place, Place::Part { .. }) => {
                return Err(error);
            }
            Err(error) => error,
        };
        let line = files::left_out_line(&entry.path(), &unusable);
        bar.suspend(|| terminal::warn(line));
        skipped += 1;
    }
    bar.finish_and_clear();
    Ok(skipped)
}
