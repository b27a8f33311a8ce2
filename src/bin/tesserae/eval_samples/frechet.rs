use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// The Fréchet distance of the Gaussians with the means and covariances of two sets of vectors:
/// |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁^½ Σ₂ Σ₁^½)^½).
///
/// Source: Heusel et al. 2017, <https://arxiv.org/abs/1706.08500>, equation 6.
pub fn frechet(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    let ((mean_a, a), (mean_b, b)) = (gaussian(a), gaussian(b));
    let root = root(&a);
    let both = &root * &b * &root;
    let cross: f64 = eigenvalues(both).iter().map(|value| value.sqrt()).sum();
    (mean_a - mean_b).norm_squared() + a.trace() + b.trace() - 2.0 * cross
}

/// Mean and covariance, with n − 1 in the denominator, as in NumPy.
fn gaussian(vectors: &[Vec<f32>]) -> (DVector<f64>, DMatrix<f64>) {
    let width = vectors.first().map_or(0, Vec::len);
    let values = vectors.iter().flatten().copied().map(f64::from);
    let mut centred = DMatrix::from_row_iterator(vectors.len(), width, values);
    let mean = centred.row_mean();
    for mut row in centred.row_iter_mut() {
        row -= &mean;
    }
    let covariance = centred.transpose() * &centred / (vectors.len().max(2) - 1) as f64;
    (mean.transpose(), covariance)
}

/// The eigenvalues of a matrix that is symmetric and positive semidefinite up to rounding.
fn eigenvalues(matrix: DMatrix<f64>) -> Vec<f64> {
    let symmetric = (&matrix + matrix.transpose()) / 2.0;
    let values = symmetric.symmetric_eigenvalues();
    values.iter().map(|value| value.max(0.0)).collect()
}

fn root(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let SymmetricEigen {
        eigenvectors,
        eigenvalues,
    } = SymmetricEigen::new(matrix.clone());
    let roots = DMatrix::from_diagonal(&eigenvalues.map(|value| value.max(0.0).sqrt()));
    &eigenvectors * roots * eigenvectors.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_known_gaussians() {
        // Means 0 and (3, 4), covariances diag(1, 4) and diag(9, 1): 25 + (1 − 3)² + (2 − 1)².
        let corner = |mean: [f32; 2], spread: [f32; 2]| {
            let signs = [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]];
            // Of four vectors with n − 1 in the denominator.
            let scale = (3.0f32 / 4.0).sqrt();
            signs.map(|sign| {
                [0, 1]
                    .map(|i| mean[i] + sign[i] * spread[i] * scale)
                    .to_vec()
            })
        };
        let (a, b) = (
            corner([0.0, 0.0], [1.0, 2.0]),
            corner([3.0, 4.0], [3.0, 1.0]),
        );
        assert!((frechet(&a, &b) - 30.0).abs() < 1e-4, "{}", frechet(&a, &b));
        assert!(frechet(&a, &a).abs() < 1e-6);
    }
}
