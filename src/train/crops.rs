use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::DataConfig;
use super::leaves::dead_leaves;
use crate::error::{Error, Result};
use crate::pixels::Picture;

/// Shortest sides, in pixels, that photos are scaled to before cropping, so that crops show whole
/// objects as well as texture.
const SCALES: [u32; 6] = [160, 224, 288, 384, 512, 768];

/// Crops where every channel spans less than this are redrawn: plain backgrounds teach nothing.
const FLAT: u8 = 12;

/// Noise seeds reserved for each batch, more than any batch has crops.
const DRAWS: u64 = 1 << 32;

/// Random square crops: random photo, scale and position; optionally mirrored half the time and
/// colour-jittered. Photos are drawn in proportion to their side, so that cut-out objects do not
/// crowd out large scenes.
///
/// # Examples
/// ```
/// # use tesserae::Picture;
/// # use tesserae::train::{CropSampler, DataConfig};
/// # fn main() -> tesserae::Result<()> {
/// let data = DataConfig {
///     crop: 8,
///     mirror: true,
///     colour: true,
///     scales: true,
///     leaves: 0.0,
///     damage: None,
/// };
/// let photo = Picture::from_rgb(30, 20, (0..30 * 20 * 3).map(|i| i as u8).collect())?;
/// let crops = CropSampler::new([photo], &data, [-1.0, 1.0], 7)?;
/// let batch = crops.batch(0, 4);
/// assert_eq!(batch.len(), 4 * 3 * 8 * 8);
/// assert_eq!(batch, crops.batch(0, 4)); // by its number
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CropSampler {
    /// The scales of each photo.
    photos: Vec<Vec<Picture>>,
    /// Cumulative sum of the photos' weights.
    weights: Vec<f32>,
    config: DataConfig,
    range: [f32; 2],
    seed: u64,
}

/// A photo, one of its scales, and the crop's left and top edges.
type Place = (usize, usize, usize, usize);

impl CropSampler {
    /// Samples from `photos`, with black and white mapped to `range`.
    ///
    /// # Errors
    /// [`Error::DatasetEmpty`] when no photo is at least as large as a crop.
    pub fn new(
        photos: impl IntoIterator<Item = Picture>,
        config: &DataConfig,
        range: [f32; 2],
        seed: u64,
    ) -> Result<Self> {
        let side = config.crop;
        let mut total = 0.0;
        let (weights, photos): (Vec<f32>, Vec<Vec<Picture>>) = photos
            .into_iter()
            .filter_map(|photo| {
                let weight = (photo.width() as f32 * photo.height() as f32).sqrt();
                let scales = match config.scales {
                    true => scales_of(photo, side as u32),
                    false => whole(photo, side as u32),
                };
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
            config: config.clone(),
            range,
            seed,
        })
    }

    /// Side of a crop in pixels.
    pub fn side(&self) -> usize {
        self.config.crop
    }

    /// Number of photos to crop from.
    pub fn photos(&self) -> usize {
        self.photos.len()
    }

    /// Batch `number`: `count` crops, `[count, 3, side, side]` row-major. It depends only on the
    /// number, not on earlier draws.
    pub fn batch(&self, number: usize, count: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(number as u64);
        let side = self.side();
        let mut out = Vec::with_capacity(count * 3 * side * side);
        for _ in 0..count {
            self.crop(&mut rng, &mut out);
        }
        out
    }

    /// The model's input for batch `number`, of which `clean` is the target: damaged, if the config
    /// says so.
    ///
    /// # Errors
    /// The errors of [`Damage::apply`](super::Damage::apply).
    pub fn seen(&self, number: usize, clean: &[f32]) -> Result<Option<Vec<f32>>> {
        let Some(damage) = self.config.damage else {
            return Ok(None);
        };
        let (side, [low, high]) = (self.side(), self.range);
        let mut seen = Vec::with_capacity(clean.len());
        let first = self.seed.wrapping_add(number as u64).wrapping_mul(DRAWS);
        for (index, crop) in clean.chunks(3 * side * side).enumerate() {
            let crop = Picture::from_planar(crop, side as u32, side as u32, low, high)?;
            let damaged = damage.apply(&crop, first.wrapping_add(index as u64))?;
            seen.extend(damaged.to_planar(low, high));
        }
        Ok(Some(seen))
    }

    fn crop(&self, rng: &mut ChaCha8Rng, out: &mut Vec<f32>) {
        let side = self.side();
        // Without leaves no number is drawn, so that older configs repeat.
        let leaves = self.config.leaves > 0.0 && rng.random_bool(self.config.leaves);
        let drawn = leaves.then(|| dead_leaves(&self.photos, side, rng));
        let (rgb, width, left, top) = match &drawn {
            Some(drawn) => (drawn.as_slice(), side, 0, 0),
            None => {
                let (photo, scale, left, top) = self.varied_place(rng);
                let photo = &self.photos[photo][scale];
                (photo.rgb(), photo.width() as usize, left, top)
            }
        };
        let mirror = self.config.mirror && rng.random();

        // Per-channel gain and offset around mid-grey, and occasionally two swapped channels:
        // wallpapers alone lack skin tones, reds and saturated colours.
        let (mut gain, mut source, mut offset) = (1.0, [0, 1, 2], [0.0_f32; 3]);
        if self.config.colour {
            gain = rng.random_range(0.8..1.2_f32);
            if rng.random_bool(0.25) {
                source.swap(rng.random_range(0..3), rng.random_range(0..3));
            }
            offset = std::array::from_fn(|_| rng.random_range(-0.06..0.06));
        }

        let [low, high] = self.range;
        for channel in 0..3 {
            for y in top..top + side {
                for i in 0..side {
                    let x = left + if mirror { side - 1 - i } else { i };
                    let byte = rgb[3 * (y * width + x) + source[channel]];
                    let value = (f32::from(byte) / 255.0 - 0.5) * gain + 0.5 + offset[channel];
                    out.push(low + value.clamp(0.0, 1.0) * (high - low));
                }
            }
        }
    }

    /// A place that shows something, if one is found in a few tries.
    fn varied_place(&self, rng: &mut ChaCha8Rng) -> Place {
        let (mut place, mut tries) = (self.place(rng), 0);
        while tries < 4 && self.is_flat(place) {
            (place, tries) = (self.place(rng), tries + 1);
        }
        place
    }

    fn place(&self, rng: &mut ChaCha8Rng) -> Place {
        let total = self.weights.last().copied().unwrap_or_default();
        let at = rng.random_range(0.0..total);
        let photo = self.weights.partition_point(|&sum| sum <= at);
        let photo = photo.min(self.photos.len() - 1);
        let scale = rng.random_range(0..self.photos[photo].len());
        let picture = &self.photos[photo][scale];
        let left = rng.random_range(0..=picture.width() as usize - self.side());
        let top = rng.random_range(0..=picture.height() as usize - self.side());
        (photo, scale, left, top)
    }

    fn is_flat(&self, (photo, scale, left, top): Place) -> bool {
        let side = self.side();
        let picture = &self.photos[photo][scale];
        let row = 3 * picture.width() as usize;
        let mut bounds = [(u8::MAX, u8::MIN); 3];
        for y in (top..top + side).step_by(2) {
            let start = y * row + 3 * left;
            for pixel in picture.rgb()[start..start + 3 * side].as_chunks::<3>().0 {
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

/// The photo itself, if a crop fits in it.
fn whole(photo: Picture, side: u32) -> Vec<Picture> {
    let holds = photo.width().min(photo.height()) >= side;
    holds.then_some(photo).into_iter().collect()
}

/// The photo at each of [`SCALES`] that does not enlarge it and that a crop fits in.
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
    if scales.is_empty() || short <= SCALES[SCALES.len() - 1] {
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

    fn plain(crop: usize) -> DataConfig {
        DataConfig {
            crop,
            mirror: false,
            colour: false,
            scales: true,
            leaves: 0.0,
            damage: None,
        }
    }

    #[test]
    fn batches_have_their_shape_and_range_and_repeat_by_seed_and_number() {
        let augmented = DataConfig {
            mirror: true,
            colour: true,
            ..plain(64)
        };
        let sampler = |seed| {
            let photos = [photo(300, 200), photo(64, 64)];
            CropSampler::new(photos, &augmented, [-1.0, 1.0], seed).unwrap()
        };
        let first = sampler(7);
        let a = first.batch(3, 5);
        assert_eq!(a.len(), 5 * 3 * 64 * 64);
        assert!(a.iter().all(|v| (-1.0..=1.0).contains(v)));
        assert_eq!(first.photos(), 2);
        assert_ne!(a, first.batch(4, 5));
        assert_ne!(a, sampler(8).batch(3, 5));
        assert_eq!(a, sampler(7).batch(3, 5));
    }

    #[test]
    fn without_augmentation_a_crop_is_the_photo_itself() {
        let sampler = CropSampler::new([photo(32, 32)], &plain(32), [0.0, 255.0], 7).unwrap();
        let expected = photo(32, 32);
        let red: Vec<f32> = expected
            .rgb()
            .iter()
            .step_by(3)
            .map(|&b| b.into())
            .collect();
        for (found, expected) in sampler.batch(0, 1).iter().zip(red) {
            assert!((found - expected).abs() < 1e-3, "{found} is not {expected}");
        }
    }

    #[test]
    fn leaves_take_their_part_of_the_crops() {
        let config = |leaves| DataConfig {
            leaves,
            ..plain(24)
        };
        let sampler =
            |leaves| CropSampler::new([photo(90, 80)], &config(leaves), [0.0, 1.0], 5).unwrap();
        let (none, all, some) = (sampler(0.0), sampler(1.0), sampler(0.25));
        assert_eq!(all.batch(0, 2).len(), 2 * 3 * 24 * 24);
        assert_ne!(none.batch(0, 1), all.batch(0, 1));
        // Rows of the photo rise by one level from one value to the next; leaves break that.
        let smooth = |crop: &[f32]| {
            crop[..24].windows(2).all(|pair| {
                let step = (pair[1] - pair[0]) * 255.0;
                (step - 3.0).abs() < 0.01 || step < -200.0
            })
        };
        let drawn = (0..200).filter(|n| !smooth(&some.batch(*n, 1))).count();
        assert!((25..75).contains(&drawn), "{drawn} of 200");
    }

    #[test]
    fn a_crop_larger_than_every_scale_is_cut_from_the_photo_itself() {
        let sampler = CropSampler::new([photo(1000, 900)], &plain(800), [0.0, 1.0], 0).unwrap();
        assert_eq!(sampler.batch(0, 1).len(), 3 * 800 * 800);
    }

    #[test]
    fn photos_smaller_than_a_crop_are_no_data_set() {
        let error = CropSampler::new([photo(300, 63)], &plain(64), [0.0, 1.0], 0).unwrap_err();
        assert_eq!(error.code(), "dataset_empty");
    }
}
