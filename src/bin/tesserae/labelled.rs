//! Tokens with their classes, for priors: from token files, or from pictures that are encoded.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use tar::Archive;
use tesserae::tokens::Grid;
use tesserae::{Codec, Error, Picture, Result, Tokens};

use crate::files;

/// A picture, or its tokens, with the name of its class.
pub struct Example {
    class: String,
    path: PathBuf,
    /// Absent for a picture, which is read when its turn comes.
    tokens: Option<Tokens>,
}

impl Example {
    /// Those of `paths`, which lie in `data`. The class is the folder that a picture lies in,
    /// relative to `data`, or to the root of its archive.
    pub fn all(paths: Vec<PathBuf>, data: &Path) -> Result<Vec<Self>> {
        let mut examples = Vec::new();
        for path in paths {
            let class = folder_of(path.strip_prefix(data).unwrap_or(&path));
            if !files::is_tokens(&path) {
                let tokens = None;
                examples.push(Self {
                    class,
                    path,
                    tokens,
                });
            } else if path.extension().is_some_and(|extension| extension == "tar") {
                examples.extend(in_archive(&path)?);
            } else {
                let tokens = Some(tokens(&files::read(&path)?, &path)?);
                examples.push(Self {
                    class,
                    path,
                    tokens,
                });
            }
        }
        Ok(examples)
    }

    /// The number of its class among `classes`, or 0 if there are none.
    pub fn number(&self, classes: &[String]) -> Result<usize> {
        match classes.iter().position(|class| *class == self.class) {
            Some(number) => Ok(number),
            None if classes.is_empty() => Ok(0),
            None => {
                let told = format!("`{}` is not a folder of the training pictures", self.class);
                Err(Error::io(&self.path, told))
            }
        }
    }

    /// The picture, and the number of its class among `classes`.
    pub fn picture(&self, classes: &[String]) -> Result<(Picture, usize)> {
        let class = self.number(classes)?;
        Ok((files::picture(&self.path)?, class))
    }

    /// The names of all classes, sorted.
    pub fn classes(examples: &[Self]) -> Vec<String> {
        let names: BTreeSet<&String> = examples.iter().map(|example| &example.class).collect();
        names.into_iter().cloned().collect()
    }
}

/// The token files in an archive.
fn in_archive(path: &Path) -> Result<Vec<Example>> {
    let failed = |e| Error::io(path, e);
    let mut archive = Archive::new(File::open(path).map_err(failed)?);
    let mut examples = Vec::new();
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let name = entry.path().map_err(failed)?.into_owned();
        if !entry.header().entry_type().is_file() || !files::is_tokens(&name) {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(failed)?;
        let path = path.join(&name);
        examples.push(Example {
            class: folder_of(&name),
            tokens: Some(tokens(&bytes, &path)?),
            path,
        });
    }
    Ok(examples)
}

fn tokens(bytes: &[u8], path: &Path) -> Result<Tokens> {
    let told = |e: Error| Error::io(path, e.to_string().trim_end_matches('.'));
    Tokens::from_bytes(bytes).map_err(told)
}

/// The folder of a relative path, with slashes.
fn folder_of(path: &Path) -> String {
    let parts = path.parent().into_iter().flat_map(Path::components);
    let parts = parts.map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// How each picture is encoded: as it is, and perhaps in other ways besides.
#[derive(Debug, Clone, Copy, Default)]
pub struct Labelled {
    /// Also mirrored.
    pub mirror: bool,
    /// Also shifted by this many pixels in each of four directions.
    pub shift: u32,
}

impl Labelled {
    /// The tokens of all examples, each with the number of its class among `classes`, or 0 if there
    /// are none.
    pub async fn grids(
        self,
        examples: Vec<Example>,
        classes: &[String],
        codec: &Codec,
    ) -> Result<Vec<(Grid, usize)>> {
        let bar = ProgressBar::new(examples.len() as u64).with_style(
            ProgressStyle::with_template("encode {bar:30} {pos}/{len}")
                .map_err(|e| Error::Internal(e.to_string()))?,
        );
        let mut grids = Vec::new();
        for example in examples {
            let class = example.number(classes)?;
            let Example { path, tokens, .. } = example;
            for tokens in self.tokens(&path, tokens, codec).await? {
                grids.extend(tokens.grids.into_iter().map(|grid| (grid, class)));
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(grids)
    }

    /// The tokens of all versions of one example.
    async fn tokens(
        self,
        path: &Path,
        tokens: Option<Tokens>,
        codec: &Codec,
    ) -> Result<Vec<Tokens>> {
        let Some(tokens) = tokens else {
            let mut all = Vec::new();
            for version in self.versions(&files::picture(path)?)? {
                all.push(codec.encode(&version).await?);
            }
            return Ok(all);
        };
        if self.mirror || self.shift > 0 {
            let told = "tokens cannot be mirrored or shifted as the config says; train on pictures";
            return Err(Error::io(path, told));
        }
        let told = |e: Error| Error::io(path, e.to_string().trim_end_matches('.'));
        codec.check(&tokens).map_err(told)?;
        Ok(vec![tokens])
    }

    /// The picture, mirrored and shifted as configured.
    fn versions(self, picture: &Picture) -> Result<Vec<Picture>> {
        let by = self.shift as i32;
        let shifts: Vec<[i32; 2]> = match by {
            0 => vec![[0, 0]],
            by => vec![[0, 0], [by, 0], [-by, 0], [0, by], [0, -by]],
        };
        let mut versions = Vec::new();
        for [x, y] in shifts {
            versions.push(moved(picture, false, x, y)?);
            if self.mirror {
                versions.push(moved(picture, true, x, y)?);
            }
        }
        Ok(versions)
    }
}

/// A picture mirrored, then shifted; what comes in at an edge continues it.
fn moved(picture: &Picture, mirror: bool, x: i32, y: i32) -> Result<Picture> {
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    let mut rgb = Vec::with_capacity(picture.rgb().len());
    for row in 0..height {
        for column in 0..width {
            let row = (row - y).clamp(0, height - 1);
            let column = (column - x).clamp(0, width - 1);
            let column = if mirror { width - 1 - column } else { column };
            let at = 3 * (row * width + column) as usize;
            rgb.extend_from_slice(&picture.rgb()[at..at + 3]);
        }
    }
    Picture::from_rgb(picture.width(), picture.height(), rgb)
}
