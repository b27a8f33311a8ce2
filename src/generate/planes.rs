use crate::error::{Error, Result};
use crate::models::Generated;
use crate::pixels::Picture;

/// Samples of a picture, plane by plane, in a generator's range. For a generator of grey pictures they
/// are the means of the channels.
///
/// # Errors
/// [`Error::WeightsMismatch`] for a picture of another size.
pub fn planes(picture: &Picture, config: &dyn Generated) -> Result<Vec<f32>> {
    let [channels, height, width] = config.shape();
    let [tall, wide] = [picture.height() as usize, picture.width() as usize];
    if [tall, wide] != [height, width] {
        return Err(Error::WeightsMismatch(format!(
            "a picture has {wide}×{tall} pixels, but the generator makes {width}×{height}"
        )));
    }
    let [low, high] = config.range();
    let planes = picture.to_planar(low, high);
    if channels == 3 {
        return Ok(planes);
    }
    let plane = height * width;
    let mean = |i: usize| (planes[i] + planes[plane + i] + planes[2 * plane + i]) / 3.0;
    Ok((0..plane).map(mean).collect())
}
