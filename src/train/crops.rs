use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::{Error, Result};
use crate::pixels::Picture;

/// Sides that a photo is scaled to before crops are cut from it, shortest side in pixels: crops
/// then show whole objects as well as texture.
const SCALES: [u32; 6] = [160, 224, 288, 384, 512, 768];

/// A crop whose channels all span less than this is drawn again: plain backgrounds teach nothing.
const FLAT: u8 = 12;

/// Random square crops of photos: random photo, scale and place, mirrored half the time, with the
/// colours shifted a little. Photos are drawn in proportion to their side, so that cut-out objects
/// do not drown large scenes.
#[derive(Debug)]
pub struct CropSampler {
    /// One list of scales a photo.
    photos: Vec<Vec<Picture>>,
    /// Running sum of the photos' weights.
    weights: Vec<f32>,
    side: usize,
    range: [f32; 2],
    rng: ChaCha8Rng,
}

impl CropSampler {
    /// Crops of `side` pixels of `photos`, black and white mapped to `range`.
    ///
    /// # Errors
    /// [`Error::DatasetEmpty`] when no photo is at least as large as a crop.
    pub fn new(
        photos: impl IntoIterator<Item = Picture>,
        side: usize,
        range: [f32; 2],
        seed: u64,
    ) -> Result<Self> {
        let mut total = 0.0;
        let (weights, photos): (Vec<f32>, Vec<Vec<Picture>>) = photos
            .into_iter()
            .filter_map(|photo| {
                let weight = (photo.width() as f32 * photo.height() as f32).sqrt();
                let scales = scales_of(photo, side as u32);
                (!scales.is_empty()).then(|| {
                    total += weight;
                    (total, scales)
                })
            })
            .unzip();
        if photos.is_empty() {
            return Err(Error::DatasetEmpty(format!(
                "the pictures given (each side must be at least {side} pixels)"
            )));
        }
        Ok(Self {
            photos,
            weights,
            side,
            range,
            rng: ChaCha8Rng::seed_from_u64(seed),
        })
    }

    /// Number of photos that crops come from.
    pub fn photos(&self) -> usize {
        self.photos.len()
    }

    /// The next `count` crops, `[count, 3, side, side]` row-major.
    pub fn batch(&mut self, count: usize) -> Vec<f32> {
        let mut out = Vec::with_capacity(count * 3 * self.side * self.side);
        for _ in 0..count {
            self.crop(&mut out);
        }
        out
    }

    fn crop(&mut self, out: &mut Vec<f32>) {
        let (mut place, mut tries) = (self.place(), 0);
        while tries < 4 && self.is_flat(place) {
            (place, tries) = (self.place(), tries + 1);
        }
        let (photo, scale, left, top) = place;
        let photo = &self.photos[photo][scale];
        let width = photo.width() as usize;
        let (rng, side) = (&mut self.rng, self.side);
        let mirror: bool = rng.random();

        // Per-channel gain and offset around mid-grey, and now and then two channels swapped:
        // wallpapers alone lack skin, reds and saturated colour.
        let gain: f32 = rng.random_range(0.8..1.2);
        let mut source = [0, 1, 2];
        if rng.random_bool(0.25) {
            source.swap(rng.random_range(0..3), rng.random_range(0..3));
        }
        let offset: [f32; 3] = std::array::from_fn(|_| rng.random_range(-0.06..0.06));

        let [low, high] = self.range;
        for channel in 0..3 {
            for y in top..top + side {
                for i in 0..side {
                    let x = left + if mirror { side - 1 - i } else { i };
                    let byte = photo.rgb()[3 * (y * width + x) + source[channel]];
                    let value = (f32::from(byte) / 255.0 - 0.5) * gain + 0.5 + offset[channel];
                    out.push(low + value.clamp(0.0, 1.0) * (high - low));
                }
            }
        }
    }

    /// Index of a photo, of one of its scales, and the crop's left and top edge.
    fn place(&mut self) -> (usize, usize, usize, usize) {
        let rng = &mut self.rng;
        let total = self.weights.last().copied().unwrap_or_default();
        let at = rng.random_range(0.0..total);
        let photo = self.weights.partition_point(|&sum| sum <= at);
        let photo = photo.min(self.photos.len() - 1);
        let scale = rng.random_range(0..self.photos[photo].len());
        let picture = &self.photos[photo][scale];
        let left = rng.random_range(0..=picture.width() as usize - self.side);
        let top = rng.random_range(0..=picture.height() as usize - self.side);
        (photo, scale, left, top)
    }

    fn is_flat(&self, (photo, scale, left, top): (usize, usize, usize, usize)) -> bool {
        let picture = &self.photos[photo][scale];
        let row = 3 * picture.width() as usize;
        let mut bounds = [(u8::MAX, u8::MIN); 3];
        for y in (top..top + self.side).step_by(2) {
            let start = y * row + 3 * left;
            for pixel in picture.rgb()[start..start + 3 * self.side]
                .as_chunks::<3>()
                .0
            {
                for ((low, high), value) in bounds.iter_mut().zip(pixel) {
                    (*low, *high) = ((*low).min(*value), (*high).max(*value));
                }
            }
        }
        bounds
            .iter()
            .all(|(low, high)| high.saturating_sub(*low) < FLAT)
    }
}

/// The photo at each of [`SCALES`] that is no enlargement and holds a crop.
fn scales_of(photo: Picture, side: u32) -> Vec<Picture> {
    let (short, long) = (
        photo.width().min(photo.height()),
        photo.width().max(photo.height()),
    );
    if short < side {
        return vec![];
    }
    let mut scales: Vec<Picture> = SCALES
        .iter()
        .filter(|&&scale| scale >= side && scale < short)
        .map(|&scale| {
            photo.fit(
                (u64::from(scale) * u64::from(long)).div_ceil(u64::from(short)) as u32,
                false,
            )
        })
        .filter(|p| p.width().min(p.height()) >= side)
        .collect();
    if short <= SCALES[SCALES.len() - 1] {
        scales.push(photo);
    }
    scales
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(width: u32, height: u32) -> Picture {
        let rgb = (0..3 * width * height).map(|i| (i % 251) as u8).collect();
        Picture::from_rgb(width, height, rgb).unwrap()
    }

    #[test]
    fn batches_have_their_shape_and_range_and_repeat_by_seed() {
        let sampler = || CropSampler::new([photo(300, 200), photo(64, 64)], 64, [-1.0, 1.0], 7);
        let a = sampler().unwrap().batch(5);
        assert_eq!(a.len(), 5 * 3 * 64 * 64);
        assert!(a.iter().all(|v| (-1.0..=1.0).contains(v)));
        assert_eq!(a, sampler().unwrap().batch(5));
        assert_eq!(sampler().unwrap().photos(), 2);
    }

    #[test]
    fn photos_smaller_than_a_crop_are_no_data_set() {
        let error = CropSampler::new([photo(300, 63)], 64, [0.0, 1.0], 0).unwrap_err();
        assert_eq!(error.code(), "dataset_empty");
    }
}
