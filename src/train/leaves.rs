use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::pixels::Picture;

/// Pictures are drawn at this multiple of their size and averaged down, so that edges are smooth.
const OVERSAMPLING: usize = 2;

/// Smallest radius of a leaf in pixels of the result.
const SMALLEST: f32 = 4.0;

/// Leaves after which what is still uncovered is filled by one last leaf.
const MOST: usize = 4000;

/// Samples per channel: a leaf's colour or texture.
enum Fill<'a> {
    Colour([u8; 3]),
    /// A photo, and the place in it of the drawing's first pixel.
    Texture(&'a Picture, [usize; 2]),
}

enum Shape {
    /// Semi-axes along and across, from half of the radius to the radius.
    Ellipse([f32; 2]),
    /// Half sides along and across, likewise.
    Rectangle([f32; 2]),
}

struct Leaf<'a> {
    centre: [f32; 2],
    radius: f32,
    /// Cosine and sine of its turn.
    turn: [f32; 2],
    shape: Shape,
    fill: Fill<'a>,
}

/// A picture of overlapping leaves, `side`×`side`, row-major RGB: ellipses and rectangles of random
/// place and turn, whose sizes follow a power law as objects' in photographs do, filled with the
/// colours and textures of `photos`. It has sharp edges between any two colours, which few
/// photographs have.
///
/// Source: Lee, Mumford and Huang 2001, "Occlusion Models for Natural Images", with radii of density
/// r⁻³.
pub fn dead_leaves(photos: &[Vec<Picture>], side: usize, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let drawn = OVERSAMPLING * side;
    let mut pixels = vec![[0_u8; 3]; drawn * drawn];
    let mut free = vec![true; drawn * drawn];
    let mut left = free.len();
    // From the front to the back, so that every pixel is painted once.
    for _ in 0..MOST {
        if left == 0 {
            break;
        }
        let leaf = Leaf::random(photos, drawn, rng);
        let [columns, rows] = leaf.bounds(drawn);
        for y in rows {
            for x in columns.clone() {
                let at = y * drawn + x;
                if free[at] && leaf.covers(x, y) {
                    (free[at], pixels[at]) = (false, leaf.fill.at(x, y));
                    left -= 1;
                }
            }
        }
    }
    let last = Fill::random(photos, drawn, rng);
    for (at, free) in free.into_iter().enumerate() {
        if free {
            pixels[at] = last.at(at % drawn, at / drawn);
        }
    }
    averaged(&pixels, side)
}

/// The mean of each square of pixels.
fn averaged(pixels: &[[u8; 3]], side: usize) -> Vec<u8> {
    let (drawn, count) = (OVERSAMPLING * side, OVERSAMPLING * OVERSAMPLING);
    let mean = |place: usize| {
        let corner = OVERSAMPLING * (place / side * drawn + place % side);
        let square = (0..count).map(|i| corner + i / OVERSAMPLING * drawn + i % OVERSAMPLING);
        let mut sums = [0_usize; 3];
        for at in square {
            for (sum, value) in sums.iter_mut().zip(pixels[at]) {
                *sum += usize::from(value);
            }
        }
        sums.map(|sum| ((sum + count / 2) / count) as u8)
    };
    (0..side * side).flat_map(mean).collect()
}

impl<'a> Leaf<'a> {
    fn random(photos: &'a [Vec<Picture>], drawn: usize, rng: &mut ChaCha8Rng) -> Self {
        let (least, most) = (SMALLEST * OVERSAMPLING as f32, drawn as f32 / 2.0);
        let least = least.min(most);
        // Inverse of the distribution function of the density r⁻³ from `least` to `most`.
        let within = 1.0 - (least / most).powi(2);
        let radius = least / (1.0 - rng.random::<f32>() * within).sqrt();
        let reach = drawn as f32 + 2.0 * radius;
        let centre = [0; 2].map(|_| rng.random::<f32>() * reach - radius);
        let (sine, cosine) = (rng.random::<f32>() * std::f32::consts::PI).sin_cos();
        let sides = [0; 2].map(|_| radius * rng.random_range(0.5..1.0_f32));
        Self {
            centre,
            radius,
            turn: [cosine, sine],
            shape: match rng.random() {
                true => Shape::Ellipse(sides),
                false => Shape::Rectangle(sides.map(|side| side * std::f32::consts::FRAC_1_SQRT_2)),
            },
            fill: Fill::random(photos, drawn, rng),
        }
    }

    /// Columns and rows that it may cover.
    fn bounds(&self, drawn: usize) -> [std::ops::Range<usize>; 2] {
        self.centre.map(|centre| {
            let low = (centre - self.radius).max(0.0) as usize;
            let high = (centre + self.radius + 1.0).clamp(0.0, drawn as f32) as usize;
            low.min(high)..high
        })
    }

    fn covers(&self, x: usize, y: usize) -> bool {
        let [cosine, sine] = self.turn;
        let (dx, dy) = (x as f32 - self.centre[0], y as f32 - self.centre[1]);
        let (along, across) = (cosine * dx + sine * dy, cosine * dy - sine * dx);
        match self.shape {
            Shape::Ellipse([a, b]) => (along / a).powi(2) + (across / b).powi(2) <= 1.0,
            Shape::Rectangle([a, b]) => along.abs() <= a && across.abs() <= b,
        }
    }
}

impl<'a> Fill<'a> {
    fn random(photos: &'a [Vec<Picture>], drawn: usize, rng: &mut ChaCha8Rng) -> Self {
        let scales = &photos[rng.random_range(0..photos.len())];
        let photo = &scales[rng.random_range(0..scales.len())];
        let [width, height] = [photo.width() as usize, photo.height() as usize];
        let place = [width, height].map(|side| rng.random_range(0..side));
        let texture = Self::Texture(photo, place);
        // A texture is repeated beyond the photo's edges, so it should seldom be needed.
        match rng.random::<bool>() || width.min(height) < drawn {
            true => Self::Colour(texture.at(0, 0)),
            false => texture,
        }
    }

    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        match self {
            Self::Colour(colour) => *colour,
            Self::Texture(photo, [left, top]) => {
                let (width, height) = (photo.width() as usize, photo.height() as usize);
                let start = 3 * ((top + y) % height * width + (left + x) % width);
                let rgb = photo.rgb();
                [rgb[start], rgb[start + 1], rgb[start + 2]]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn photos(colour: [u8; 3]) -> Vec<Vec<Picture>> {
        let rgb = colour.repeat(80 * 70);
        vec![vec![Picture::from_rgb(80, 70, rgb).unwrap()]]
    }

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    #[test]
    fn leaves_cover_everything_in_the_colours_of_the_photos() {
        for side in [1, 8, 33] {
            let drawn = dead_leaves(&photos([10, 200, 90]), side, &mut rng(1));
            assert_eq!(drawn, [10, 200, 90].repeat(side * side), "{side}");
        }
    }

    #[test]
    fn leaves_repeat_by_seed_and_have_edges() {
        let both = [photos([0; 3]), photos([255; 3])].concat();
        let drawn = dead_leaves(&both, 64, &mut rng(1));
        assert_eq!(drawn, dead_leaves(&both, 64, &mut rng(1)));
        assert_ne!(drawn, dead_leaves(&both, 64, &mut rng(2)));
        let count = |value| drawn.iter().filter(|v| **v == value).count() as f64;
        let (black, white, all) = (count(0), count(255), drawn.len() as f64);
        assert!(
            black > 0.1 * all && white > 0.1 * all,
            "{black} and {white}"
        );
        // Averaged over squares of four, edges have steps in between.
        let edges = all - black - white;
        assert!(edges > 0.01 * all && edges < 0.4 * all, "{edges} of {all}");
    }

    #[test]
    fn radii_follow_the_power_law() {
        let photos = photos([7; 3]);
        let mut rng = rng(3);
        let radii: Vec<f32> = (0..20_000)
            .map(|_| Leaf::random(&photos, 256, &mut rng).radius)
            .collect();
        // Of the density r⁻³ from 8 to 128, the part above r is about (8 / r)².
        for (radius, part) in [(16.0, 0.2470), (32.0, 0.0588), (64.0, 0.0118)] {
            let above = radii.iter().filter(|r| **r > radius).count() as f32 / 20_000.0;
            assert!((above - part).abs() < 0.01, "{above} above {radius}");
        }
        assert!(radii.iter().all(|r| (8.0..=128.0).contains(r)));
    }
}
