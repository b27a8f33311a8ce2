use rand::{Rng, RngExt};

use crate::error::{Error, Result};
use crate::generate::planes;
use crate::models::{GeneratorConfig, makes_pictures};
use crate::pixels::Picture;

/// The training data of a generator: pictures of its size, each with its class.
#[derive(Debug, Clone)]
pub struct LabelledPictures {
    /// Planes of each picture in the generator's range, and its class.
    pictures: Vec<(Vec<f32>, usize)>,
    shape: [usize; 3],
}

impl LabelledPictures {
    /// Checks `pictures`, each with its class, against the generator. Colour pictures for a
    /// generator of grey ones become the mean of their channels.
    ///
    /// # Errors
    /// [`Error::DatasetEmpty`] without pictures, [`Error::WeightsMismatch`] for one of another size
    /// or with a class that the generator does not have, [`Error::ConfigInvalid`] for a generator of
    /// something else than pictures.
    pub fn new(
        pictures: impl IntoIterator<Item = (Picture, usize)>,
        config: &GeneratorConfig,
    ) -> Result<Self> {
        makes_pictures(&**config)?;
        let mut all = Vec::new();
        for (picture, class) in pictures {
            let planes = planes(&picture, &**config)?;
            if class > 0 && class >= config.classes() {
                return Err(Error::WeightsMismatch(format!(
                    "a picture has class {class}, but the generator only {}",
                    config.classes()
                )));
            }
            all.push((planes, class));
        }
        if all.is_empty() {
            return Err(Error::DatasetEmpty("the pictures given".to_owned()));
        }
        Ok(Self {
            pictures: all,
            shape: config.shape(),
        })
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    /// Whether there are none; never, by [`LabelledPictures::new`].
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    /// Adds the planes of the picture `index` to `planes`; returns its class.
    pub fn add(&self, index: usize, planes: &mut Vec<f32>) -> usize {
        let (picture, class) = &self.pictures[index];
        planes.extend_from_slice(picture);
        *class
    }

    /// Adds the planes of a random picture to `planes`, shifted by at most `shift` pixels; what comes
    /// in at an edge continues it. Returns its class.
    pub fn draw(&self, shift: u32, rng: &mut impl Rng, planes: &mut Vec<f32>) -> usize {
        let index = rng.random_range(0..self.pictures.len());
        let by = shift as i32;
        let [x, y] = [(); 2].map(|()| rng.random_range(-by..=by) as isize);
        let [_, height, width] = self.shape;
        let (picture, class) = &self.pictures[index];
        for plane in picture.chunks_exact(height * width) {
            for row in 0..height {
                let row = row.saturating_add_signed(-y).min(height - 1);
                for column in 0..width {
                    let column = column.saturating_add_signed(-x).min(width - 1);
                    planes.push(plane[row * width + column]);
                }
            }
        }
        *class
    }
}
