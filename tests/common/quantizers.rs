use burn::tensor::Tensor;
use tesserae::quantize::{
    EmaCodebook, GumbelQuantizer, Quantized, VectorQuantizer, flatten, margins, nearest, unflatten,
};
use tesserae::tokens::Usage;

use super::differences::{APART, STEP, direction, spread};
use super::on::{floats, ints};
use super::{Golden, On, golden};

/// Passes each body below to a macro that turns it into a test.
macro_rules! quantizer_tests {
    ($make:ident) => {
        $make! {
            quantizers::vq
            quantizers::vq_gradients
            quantizers::gumbel
            quantizers::gumbel_sample
            quantizers::ema
            quantizers::straight_through_slopes
            quantizers::ema_slopes
        }
    };
}
pub(crate) use quantizer_tests;

/// Codebook loss plus β · commitment loss, as in equation 3 of van den Oord et al. 2017.
pub fn loss(quantized: &Quantized, beta: f32) -> Tensor<1> {
    quantized.codebook.clone() + quantized.commitment.clone().mul_scalar(beta)
}

/// With β on the codebook loss instead: taming-transformers' behaviour without `legacy=False`, with
/// which its published models were trained.
fn legacy_loss(quantized: &Quantized, beta: f32) -> Tensor<1> {
    quantized.codebook.clone().mul_scalar(beta) + quantized.commitment.clone()
}

pub async fn vq(on: &On) {
    let golden = golden!("quantize_vq");
    let codes = golden.setting("n_embed") as usize;
    let dim = golden.setting("embed_dim") as usize;
    let quantizer = golden.fill(VectorQuantizer::new(codes, dim, &on.device));
    let z: Tensor<4> = golden.tensor("input", &on.device);

    let indices = quantizer.indices(z.clone());
    on.same_codes(&golden, "", "", indices.clone()).await;
    on.close(&golden, "output", quantizer.lookup(indices.clone()))
        .await;
    let found = margins(flatten(z.clone()), quantizer.codebook());
    on.close(&golden, "nearest", found).await;

    let used = ints(indices).await.into_iter().map(|i| i as u32);
    let perplexity = Usage::of(used).perplexity;
    assert!(
        (perplexity - golden.double("perplexity")).abs() < 1e-9,
        "{perplexity}"
    );
}

pub async fn vq_gradients(on: &On) {
    let golden = golden!("quantize_vq");
    let device = on.autodiff();
    let codes = golden.setting("n_embed") as usize;
    let dim = golden.setting("embed_dim") as usize;
    let beta = golden.setting("beta") as f32;
    for case in ["legacy", "paper"] {
        let quantizer = golden.fill(VectorQuantizer::new(codes, dim, &device));
        let z: Tensor<4> = golden.tensor("input", &device).require_grad();
        let quantized = quantizer.forward(z.clone());
        on.same_codes(&golden, "", "", quantized.indices.clone())
            .await;
        on.close(&golden, "output", quantized.z_q.clone()).await;
        let loss = match case {
            "legacy" => legacy_loss(&quantized, beta),
            _ => loss(&quantized, beta),
        };
        on.close(&golden, &format!("{case}.loss"), loss.clone())
            .await;
        let downstream = (quantized.z_q * golden.tensor("cotangent", &device)).mean();
        let grads = (loss + downstream).backward();
        let grad = z.grad(&grads).unwrap();
        on.close(&golden, &format!("{case}.grad.input"), grad).await;
        on.same_gradients(&golden, &format!("{case}.grad."), &quantizer, &grads)
            .await;
    }
}

pub async fn gumbel(on: &On) {
    let golden = golden!("quantize_gumbel");
    let codes = golden.setting("n_embed") as usize;
    let dim = golden.setting("embed_dim") as usize;
    let device = on.autodiff();
    let quantizer = golden.fill(GumbelQuantizer::new(dim, codes, dim, &device));
    let z: Tensor<4> = golden.tensor("input", &device).require_grad();

    let logits = quantizer.proj.forward(z.clone());
    on.close(&golden, "logits", logits).await;
    let indices = quantizer.indices(z.clone());
    let want: Vec<i64> = golden.ints("indices").into_iter().map(i64::from).collect();
    assert_eq!(ints(indices.clone()).await, want);
    on.close(&golden, "output", quantizer.lookup(indices)).await;

    // The sample is random, but the divergence does not depend on it.
    let divergence = quantizer.forward(z.clone(), 1.0).divergence;
    on.close(&golden, "divergence", divergence.clone()).await;
    let grads = divergence.backward();
    on.close(&golden, "grad.input", z.grad(&grads).unwrap())
        .await;
    on.same_gradients(&golden, "grad.", &quantizer, &grads)
        .await;
}

/// A sample has one code per position, and its gradient bypasses the hard choice to reach the
/// logits.
pub async fn gumbel_sample(on: &On) {
    let golden = golden!("quantize_gumbel");
    let codes = golden.setting("n_embed") as usize;
    let dim = golden.setting("embed_dim") as usize;
    let device = on.autodiff();
    let quantizer = golden.fill(GumbelQuantizer::new(dim, codes, dim, &device));
    let z: Tensor<4> = golden.tensor("input", &device).require_grad();
    let output = quantizer.forward(z.clone(), 0.7);

    let want = quantizer.lookup(output.indices.clone());
    let off = (output.z_q.clone() - want).abs().max();
    let off = super::on::floats(off).await[0];
    assert!(off <= on.tolerance, "{off}");
    let indices = ints(output.indices).await;
    assert!(
        indices.iter().all(|i| (0..codes as i64).contains(i)),
        "{indices:?}"
    );
    assert_ne!(indices, vec![indices[0]; indices.len()]);

    let grads = output.z_q.square().mean().backward();
    let weight = quantizer.proj.weight.val().grad(&grads).unwrap();
    let largest = super::on::floats(weight.abs().max()).await[0];
    assert!(largest.is_finite() && largest > 1e-4, "{largest}");
}

pub async fn ema(on: &On) {
    let golden = golden!("quantize_ema");
    let mut codebook: Tensor<2> = golden.tensor("embedding.0", &on.device);
    assert_eq!(EmaCodebook::new(codebook.clone(), 0.99).epsilon, 1e-5);
    let mut ema = EmaCodebook {
        cluster_size: golden.tensor("cluster_size.0", &on.device),
        embed_sum: golden.tensor("embed_sum.0", &on.device),
        decay: golden.setting("decay") as f32,
        epsilon: golden.setting("epsilon") as f32,
    };
    for step in [1, 2] {
        let z: Tensor<2> = golden.tensor(&format!("input.{step}"), &on.device);
        let indices = nearest(z.clone(), codebook);
        let name = format!("indices.{step}");
        let want: Vec<i64> = golden.ints(&name).into_iter().map(i64::from).collect();
        assert_eq!(ints(indices.clone()).await, want, "step {step}");
        codebook = ema.update(z, indices);
        for (what, got) in [
            ("embedding", codebook.clone()),
            ("embed_sum", ema.embed_sum.clone()),
        ] {
            on.close(&golden, &format!("{what}.{step}"), got).await;
        }
        let size = ema.cluster_size.clone();
        on.close(&golden, &format!("cluster_size.{step}"), size)
            .await;
    }
}

/// Fails unless the slope `got` agrees with the central difference with step `STEP`.
async fn same_slope(got: Tensor<1>, moved: impl Fn(f32) -> Tensor<1>) {
    let got = floats(got).await[0];
    let [up, down] = [STEP, -STEP].map(moved);
    let want = floats(up - down).await[0] / (2.0 * STEP);
    assert!(got.abs() > 1e-3, "the slope is {got}");
    let apart = (got - want).abs() / got.abs().max(want.abs());
    assert!(apart <= APART, "the slope is {got}, by differences {want}");
}

/// The straight-through gradient equals the decoder's at the chosen codes, as if they moved with
/// the latents; the choice itself is fixed, and each loss term only moves what it should.
pub async fn straight_through_slopes(on: &On) {
    let golden = golden!("quantize_vq");
    let codes = golden.setting("n_embed") as usize;
    let dim = golden.setting("embed_dim") as usize;
    let device = on.autodiff();
    let beta = 0.25;
    let quantizer = golden.fill(VectorQuantizer::new(codes, dim, &device));
    let z: Tensor<4> = golden.tensor("input", &device).require_grad();
    let weigh = |z_q: Tensor<4>| {
        let weights = Tensor::from_data(spread(&z_q.dims(), 1), &z_q.device());
        (z_q.square() * weights).sum()
    };
    let quantized = quantizer.forward(z.clone());
    let grads = (weigh(quantized.z_q.clone()) + loss(&quantized, beta)).backward();
    let of_z = z.grad(&grads).unwrap();
    let of_codebook = quantizer.embedding.weight.val().grad(&grads).unwrap();

    let (z, codebook) = (z.inner(), quantizer.codebook().inner());
    let indices = quantized.indices.inner();
    let dims = indices.dims();
    let rows = |codebook: Tensor<2>| {
        let all = indices.clone().flatten::<1>(0, 2);
        unflatten(codebook.select(0, all), dims)
    };
    let chosen = rows(codebook.clone());
    let mean_square = |a: Tensor<4>, b: Tensor<4>| (a - b).square().mean();

    let along = direction(of_z.clone());
    let slope = (of_z.reshape(along.dims()) * along.clone()).sum();
    same_slope(slope, |by| {
        let by = along.clone().mul_scalar(by).reshape(z.dims());
        let commitment = mean_square(chosen.clone(), z.clone() + by.clone());
        weigh(chosen.clone() + by) + commitment.mul_scalar(beta)
    })
    .await;
    let along = direction(of_codebook.clone());
    let slope = (of_codebook.reshape(along.dims()) * along.clone()).sum();
    same_slope(slope, |by| {
        let by = along.clone().mul_scalar(by).reshape(codebook.dims());
        mean_square(rows(codebook.clone() + by), z.clone())
    })
    .await;
}

/// Starting from steady averages, an EMA step is gradient descent on the squared distance of the
/// latents to their codes: the codebook moves by −(1 − decay) / 2N of its gradient, where N are the
/// new cluster sizes.
pub async fn ema_slopes(on: &On) {
    let golden: Golden = golden!("quantize_ema");
    let codebook: Tensor<2> = golden.tensor("embedding.0", &on.device);
    let z: Tensor<2> = golden.tensor("input.1", &on.device);
    let indices = nearest(z.clone(), codebook.clone());
    let mut ema = EmaCodebook {
        epsilon: 0.0,
        ..EmaCodebook::new(codebook.clone(), 0.9)
    };
    let step = ema.update(z.clone(), indices.clone()) - codebook.clone();
    let sizes = ema.cluster_size.reshape([codebook.dims()[0], 1]);
    let downhill = step.mul(sizes).mul_scalar(-2.0 / (1.0 - ema.decay));
    let along = direction(downhill.clone());
    let slope = (downhill.reshape(along.dims()) * along.clone()).sum();
    same_slope(slope, |by| {
        let by = along.clone().mul_scalar(by).reshape(codebook.dims());
        let moved = (codebook.clone() + by).select(0, indices.clone());
        (moved - z.clone()).square().sum()
    })
    .await;
}
