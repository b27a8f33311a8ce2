//! Output files. They are checked before the work begins, and written atomically.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tesserae::{Error, Picture, Result};

use crate::{signals, terminal};

/// Maximum number of symbolic links to follow for one file, as on Linux.
const MAX_LINKS: usize = 40;

#[derive(Debug, clap::Args)]
pub struct OverwriteArgs {
    /// Allow outputs to replace input files.
    #[arg(long)]
    pub overwrite: bool,
}

/// A command's outputs, which must differ from its inputs and from each other.
pub struct Outputs {
    inputs: Vec<PathBuf>,
    claimed: Vec<Output>,
    overwrite: bool,
}

/// The destination of one result.
#[derive(Debug, Clone)]
pub struct Output {
    /// As given, for messages and for its extension.
    path: PathBuf,
    place: Place,
}

#[derive(Debug, Clone, PartialEq)]
enum Place {
    /// Standard output.
    Standard,
    /// A device, pipe or open descriptor: written to, never replaced.
    Special(PathBuf),
    /// A regular file, existing or not, after resolving all symbolic links.
    File(PathBuf),
}

impl Outputs {
    /// `inputs` are the files that are read; with `overwrite`, outputs may replace them.
    pub fn new<'a>(inputs: impl IntoIterator<Item = &'a Path>, overwrite: bool) -> Self {
        Self {
            inputs: inputs.into_iter().map(Path::to_owned).collect(),
            claimed: Vec::new(),
            overwrite,
        }
    }

    /// Checks that `path` can be written to; `-` is standard output.
    pub fn claim(&mut self, path: &Path) -> Result<Output> {
        let place = Place::of(path).map_err(|e| Error::io(path, e))?;
        if self.claimed.iter().any(|other| other.place.clashes(&place)) {
            return Err(Error::Argument(format!(
                "More than one output would be written to {}",
                path.display()
            )));
        }
        match &place {
            Place::Standard => terminal::take_stdout(),
            Place::Special(_) => {}
            Place::File(file) => {
                let same = |input: &&PathBuf| is_same(input, file);
                if let Some(input) = self.inputs.iter().find(same).filter(|_| !self.overwrite) {
                    return Err(Error::Argument(format!(
                        "{} is also the input {}; --overwrite allows that",
                        path.display(),
                        input.display()
                    )));
                }
                writable(file).map_err(|e| Error::io(path, e))?;
            }
        }
        let output = Output {
            path: path.to_owned(),
            place,
        };
        self.claimed.push(output.clone());
        Ok(output)
    }

    /// The same for a picture, whose extension determines the format.
    pub fn claim_picture(&mut self, path: &Path) -> Result<Output> {
        Picture::from_rgb(1, 1, vec![0; 3])?.encode_as(extension(path))?;
        self.claim(path)
    }
}

/// Fails unless files can be created in `folder`.
pub fn check_folder(folder: &Path) -> Result<()> {
    let part = part(folder, None).map_err(|e| Error::io(folder, e))?;
    part.close().map_err(|e| Error::io(folder, e))
}

/// Writes a file that nothing else claims.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    Outputs::new([], false).claim(path)?.write(bytes)
}

impl Output {
    /// The path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a regular file, existing or not.
    pub fn is_file(&self) -> bool {
        matches!(self.place, Place::File(_))
    }

    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        match &self.place {
            Place::Standard => return terminal::write_stdout(bytes),
            Place::Special(path) => write_into(path, bytes),
            Place::File(path) => signals::after(|| replace(path, bytes)),
        }
        .map_err(|e| Error::io(&self.path, e))
    }

    /// Encodes a picture in the format of the file's extension, or as PNG without one.
    pub fn write_picture(&self, picture: &Picture) -> Result<()> {
        self.write(&picture.encode_as(extension(&self.path))?)
    }
}

fn extension(path: &Path) -> &str {
    path.extension().and_then(|e| e.to_str()).unwrap_or("png")
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Standard);
        }
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            let name = path.file_name().map(ToOwned::to_owned);
            let Some(name) = name else {
                return Err(ErrorKind::IsADirectory.into());
            };
            let folder = match path.parent() {
                Some(folder) if folder != Path::new("") => folder,
                _ => Path::new("."),
            };
            let folder = fs::canonicalize(folder)?;
            path = folder.join(name);
            // Links there are for display only; opening one gives the descriptor's file.
            if folder.ends_with("fd") && folder.starts_with("/proc") {
                let own = folder == Path::new(&format!("/proc/{}/fd", std::process::id()));
                return Ok(match own && path.ends_with("1") {
                    true => Self::Standard,
                    false => Self::Special(path),
                });
            }
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => path = folder.join(fs::read_link(&path)?),
                Ok(found) if found.is_dir() => return Err(ErrorKind::IsADirectory.into()),
                Ok(found) if !found.is_file() => return Ok(Self::Special(path)),
                Ok(_) => return Ok(Self::File(path)),
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Self::File(path)),
                Err(e) => return Err(e),
            }
        }
        Err(io::Error::other("too many symbolic links"))
    }

    fn clashes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Standard, Self::Standard) => true,
            (Self::File(a), Self::File(b)) => a == b || is_same(a, b),
            _ => false,
        }
    }
}

/// Whether two paths refer to the same existing file, through any links.
pub fn is_same(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    let id = |path: &Path| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).ok().map(|m| (m.dev(), m.ino()))
    };
    #[cfg(not(unix))]
    let id = |path: &Path| fs::canonicalize(path).ok();
    id(a).is_some_and(|a| id(b) == Some(a))
}

/// Fails if a plain write would, or if no file can be created next to this one.
fn writable(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    part(folder_of(path), None)?.close()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

fn write_into(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    // A descriptor may refer to a file with existing content.
    match path.starts_with("/proc") {
        true => options.append(true),
        false => options.write(true),
    };
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.flush()
}

/// Writes to a temporary file next to `path`, then renames it, so that a full disk or a crash
/// leaves the old file intact.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = part(folder_of(path), fs::metadata(path).ok())?;
    part.write_all(bytes)?;
    part.as_file().sync_all()?;
    part.persist(path)?;
    // The rename is durable once the folder is synced; not every system can open folders.
    if let Ok(folder) = File::open(folder_of(path)) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// A temporary file with a random name, deleted on drop; with the owner and mode of the `old` file,
/// or those of any new file.
fn part(folder: &Path, old: Option<Metadata>) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tesserae-").suffix(".part").rand_bytes(12);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Minus the umask.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let part = builder.tempfile_in(folder)?;
    if let Some(old) = old {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, fchown};
            // Only root may change the owner.
            let _ = fchown(part.as_file(), Some(old.uid()), Some(old.gid()));
        }
        part.as_file().set_permissions(old.permissions())?;
    }
    Ok(part)
}
