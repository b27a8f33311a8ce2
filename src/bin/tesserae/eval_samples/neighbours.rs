use rayon::prelude::*;

/// Neighbours that span the manifold around a vector; Kynkäänniemi et al. use 3.
const NEIGHBOURS: usize = 3;

/// How far two sets of vectors cover each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coverage {
    /// Fraction of the samples that lie within the real ones' manifold.
    pub precision: f64,
    /// Fraction of the real ones that lie within the samples' manifold.
    pub recall: f64,
}

/// Source: Kynkäänniemi et al. 2019, <https://arxiv.org/abs/1904.06991>.
pub fn coverage(real: &[Vec<f32>], samples: &[Vec<f32>]) -> Coverage {
    Coverage {
        precision: covered(samples, real),
        recall: covered(real, samples),
    }
}

/// Fraction of `vectors` that are at least as near to one of `manifold` as its own third neighbour.
fn covered(vectors: &[Vec<f32>], manifold: &[Vec<f32>]) -> f64 {
    let reach = |vector: &Vec<f32>| {
        let mut all: Vec<f64> = manifold
            .iter()
            .map(|other| squared(vector, other))
            .collect();
        all.sort_by(f64::total_cmp);
        // The first is its own.
        all.get(NEIGHBOURS).or(all.last()).copied().unwrap_or(0.0)
    };
    let reaches: Vec<f64> = manifold.par_iter().map(reach).collect();
    let within = |vector: &&Vec<f32>| {
        let mut pairs = manifold.iter().zip(&reaches);
        pairs.any(|(other, reach)| squared(vector, other) <= *reach)
    };
    vectors.par_iter().filter(within).count() as f64 / vectors.len().max(1) as f64
}

/// Median distance of `vectors` to the nearest of `others`.
pub fn nearest(vectors: &[Vec<f32>], others: &[Vec<f32>]) -> f64 {
    let nearest = |vector: &Vec<f32>| {
        let all = others.iter().map(|other| squared(vector, other));
        all.fold(f64::INFINITY, f64::min).sqrt()
    };
    let mut all: Vec<f64> = vectors.par_iter().map(nearest).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

fn squared(a: &[f32], b: &[f32]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_cover_each_other_as_far_as_they_overlap() {
        let line = |from: i32, to: i32| (from..to).map(|x| vec![x as f32, 0.0]).collect::<Vec<_>>();
        let (real, samples) = (line(0, 100), line(50, 150));
        let Coverage { precision, recall } = coverage(&real, &samples);
        // Half of each, and what the third neighbour of the last one reaches.
        assert!((0.5..0.55).contains(&precision), "{precision}");
        assert!((0.5..0.55).contains(&recall), "{recall}");
        assert_eq!(coverage(&real, &real).precision, 1.0);
        assert_eq!(nearest(&line(0, 3), &[vec![0.0, 4.0]]), 17f64.sqrt());
    }
}
