//! Contact sheets of pictures.

use tesserae::{Error, Picture, Result};

/// Longest side of a picture on a sheet, in pixels.
pub const SIDE: u32 = 128;
/// Maximum number of columns, each with one picture and its reconstructions.
pub const COLUMNS: usize = 12;

/// Pictures in rows, as square as they go.
pub fn square(pictures: Vec<Picture>) -> Result<Picture> {
    let columns = pictures.len().isqrt().max(1);
    let columns = if columns * columns < pictures.len() {
        columns + 1
    } else {
        columns
    };
    let column = |x: usize| pictures.iter().skip(x).step_by(columns).cloned().collect();
    rows(&(0..columns).map(column).collect::<Vec<Vec<Picture>>>())
}

/// One column per entry of `columns`, with its pictures stacked; padded with white to the size of
/// the largest.
pub fn sheet(columns: &[Vec<Picture>]) -> Result<Picture> {
    rows(&columns[..columns.len().min(COLUMNS)])
}

fn rows(columns: &[Vec<Picture>]) -> Result<Picture> {
    let rows = columns.iter().map(Vec::len).max().unwrap_or_default();
    let all = || columns.iter().flatten();
    let cell = |side: fn(&Picture) -> u32| all().map(side).max().unwrap_or(1) as usize;
    let (width, height) = (cell(Picture::width), cell(Picture::height));
    let row = 3 * width * columns.len();
    let mut rgb = vec![u8::MAX; row * height * rows];
    for (x, column) in columns.iter().enumerate() {
        for (y, picture) in column.iter().enumerate() {
            let line = 3 * picture.width() as usize;
            for (i, pixels) in picture.rgb().chunks_exact(line).enumerate() {
                let start = row * (y * height + i) + 3 * width * x;
                rgb[start..start + line].copy_from_slice(pixels);
            }
        }
    }
    let size = |n: usize| u32::try_from(n).map_err(|_| Error::Internal("a huge sheet".to_owned()));
    Picture::from_rgb(size(row / 3)?, size(height * rows)?, rgb)
}
