//! Masks that are drawn as pictures.

use std::path::Path;

use tesserae::{Picture, Result, Tokens};

use crate::files;

/// Whether the mask in the file, scaled to the picture, is white anywhere in each token's cell,
/// row-major.
pub fn cells(path: &Path, tokens: &Tokens) -> Result<Vec<bool>> {
    let grid = tokens.grid()?;
    let mask = files::picture(path)?;
    let across = spans(grid.columns, tokens.width, mask.width());
    let down = spans(grid.rows, tokens.height, mask.height());
    let cells = down.iter().flat_map(|rows| {
        across.iter().map(|columns| {
            rows.clone()
                .any(|y| columns.clone().any(|x| is_white(&mask, x, y)))
        })
    });
    Ok(cells.collect())
}

/// The pixels of a mask that is `length` long that lie over each of `count` cells, which cover `side`
/// pixels; the last cell may reach beyond them.
fn spans(count: u32, side: u32, length: u32) -> Vec<std::ops::Range<u32>> {
    let [side, length] = [side, length].map(u64::from);
    let cell = side.div_ceil(u64::from(count));
    let at = |pixel: u64| pixel.min(side) * length / side;
    (0..u64::from(count))
        .map(|index| {
            let start = at(index * cell).min(length - 1);
            // At least one pixel, also of a mask that is smaller than the grid.
            let end = at((index + 1) * cell).max(start + 1);
            start as u32..end as u32
        })
        .collect()
}

fn is_white(mask: &Picture, x: u32, y: u32) -> bool {
    let at = 3 * (y as usize * mask.width() as usize + x as usize);
    let sum: u32 = mask.rgb()[at..at + 3].iter().copied().map(u32::from).sum();
    sum > 3 * 127
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_its_part_of_the_mask() {
        assert_eq!(spans(4, 32, 32), [0..8, 8..16, 16..24, 24..32]);
        // The last cell reaches beyond the picture.
        assert_eq!(spans(3, 20, 20), [0..7, 7..14, 14..20]);
        // A mask twice as large, and one smaller than the grid.
        assert_eq!(spans(2, 16, 32), [0..16, 16..32]);
        assert_eq!(spans(4, 32, 2), [0..1, 0..1, 1..2, 1..2]);
        assert_eq!(spans(2, 16, 1), [0..1, 0..1]);
    }
}
