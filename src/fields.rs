//! Validation of config fields: bounds, and defaults of optional fields.

use crate::error::{Error, Result};

/// Bounds far above any published model; larger configs would only exhaust memory.
pub const MAX_WIDTH: usize = 1 << 14;
/// See [`MAX_WIDTH`].
pub const MAX_CODES: usize = 1 << 20;
/// See [`MAX_WIDTH`].
pub const MAX_LEVELS: usize = 8;
/// See [`MAX_WIDTH`].
pub const MAX_LAYERS: usize = 128;
/// Most rows and columns of a prior's grid: attention grows by their fourth power.
pub const MAX_SIDE: usize = 128;

pub fn yes() -> bool {
    true
}
pub fn rgb() -> usize {
    3
}
pub fn thirty_two() -> usize {
    32
}
pub fn micro() -> f64 {
    1e-6
}
pub fn signed() -> [f32; 2] {
    [-1.0, 1.0]
}
pub fn centred() -> [f32; 2] {
    [-0.5, 0.5]
}

/// Requires 1 ≤ `value` ≤ `max`.
pub fn within(name: &str, value: usize, max: usize) -> Result<()> {
    if (1..=max).contains(&value) {
        Ok(())
    } else {
        Err(Error::ConfigInvalid(format!(
            "`{name}` is {value}, outside 1 to {max}"
        )))
    }
}

/// Requires three channels.
pub fn rgb_only(name: &str, value: usize) -> Result<()> {
    if value == 3 {
        Ok(())
    } else {
        Err(Error::ConfigInvalid(format!(
            "`{name}` is {value}, but pictures have 3 channels"
        )))
    }
}

/// Requires two finite values, black and white, the first one smaller.
pub fn input_range([low, high]: [f32; 2]) -> Result<()> {
    if low.is_finite() && high.is_finite() && low < high {
        return Ok(());
    }
    Err(Error::ConfigInvalid(
        "`input` must be two finite numbers, black below white".into(),
    ))
}

/// Requires a valid codebook size.
pub fn codebook(codes: usize, width: usize) -> Result<()> {
    within("n_embed", codes, MAX_CODES)?;
    within("embed_dim", width, MAX_WIDTH)
}

/// Requires a grid of tokens that a transformer can attend over.
pub fn grid(rows: usize, columns: usize) -> Result<()> {
    within("rows", rows, MAX_SIDE)?;
    within("columns", columns, MAX_SIDE)
}

/// Requires valid sizes of a transformer over tokens.
pub fn transformer(
    codes: usize,
    classes: usize,
    width: usize,
    layers: usize,
    heads: usize,
) -> Result<()> {
    within("codes", codes, MAX_CODES)?;
    // One more stands for no class.
    within("classes", classes.saturating_add(1), MAX_CODES)?;
    within("width", width, MAX_WIDTH)?;
    within("layers", layers, MAX_LAYERS)?;
    within("heads", heads, width)
}

/// Requires valid residual layer widths.
pub fn residual_layers(hidden: usize, inside: usize, layers: usize) -> Result<()> {
    within("hidden", hidden, MAX_WIDTH)?;
    within("residual_hidden", inside, MAX_WIDTH)?;
    within("residual_layers", layers, 64)?;
    if !hidden.is_multiple_of(2) {
        return Err(Error::ConfigInvalid("`hidden` must be even".into()));
    }
    Ok(())
}
