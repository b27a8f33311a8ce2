//! Pictures in folders that name their classes, as tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use tesserae::tokens::Grid;
use tesserae::{Codec, Error, Picture, Result};

use crate::files;

/// The names of the classes: the folders of `paths`, relative to `data`, sorted.
pub fn classes(paths: &[PathBuf], data: &Path) -> Vec<String> {
    // A folder's pictures need not be next to each other: another folder may sort between them.
    let names: BTreeSet<String> = paths.iter().map(|path| folder_of(path, data)).collect();
    names.into_iter().collect()
}

/// The folder of a picture relative to `data`, with slashes.
fn folder_of(path: &Path, data: &Path) -> String {
    let folder = path.parent().unwrap_or(data);
    let folder = folder.strip_prefix(data).unwrap_or(folder);
    let parts = folder
        .components()
        .map(|part| part.as_os_str().to_string_lossy());
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
    /// The tokens of pictures in `folder`, each with its class, which is that of 0 if there are
    /// none.
    pub async fn grids(
        self,
        paths: Vec<PathBuf>,
        folder: &Path,
        classes: &[String],
        codec: &Codec,
    ) -> Result<Vec<(Grid, usize)>> {
        let numbers: BTreeMap<&str, usize> = classes
            .iter()
            .enumerate()
            .map(|(number, name)| (name.as_str(), number))
            .collect();
        let bar = ProgressBar::new(paths.len() as u64).with_style(
            ProgressStyle::with_template("encode {bar:30} {pos}/{len}")
                .map_err(|e| Error::Internal(e.to_string()))?,
        );
        let mut grids = Vec::new();
        for path in paths {
            let name = folder_of(&path, folder);
            let class = match numbers.get(name.as_str()) {
                Some(class) => *class,
                None if classes.is_empty() => 0,
                None => {
                    let told = format!("`{name}` is not a folder of the training pictures");
                    return Err(Error::io(&path, told));
                }
            };
            let picture = files::picture(&path)?;
            for picture in self.versions(&picture)? {
                let tokens = codec.encode(&picture).await?;
                grids.extend(tokens.grids.into_iter().map(|grid| (grid, class)));
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(grids)
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
