use burn::tensor::Tensor;
use tesserae::quantize::{
    EmaCodebook, GumbelQuantizer, VectorQuantizer, flatten, margins, nearest,
};
use tesserae::tokens::Usage;

use super::on::ints;
use super::{On, golden};

/// Passes each body below to a macro that makes a test of it.
macro_rules! quantizer_tests {
    ($make:ident) => {
        $make! {
            quantizers::vq
            quantizers::vq_gradients
            quantizers::gumbel
            quantizers::gumbel_sample
            quantizers::ema
        }
    };
}
pub(crate) use quantizer_tests;

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
            "legacy" => quantized.loss_legacy(beta),
            _ => quantized.loss(beta),
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

    // The sample is random, but the divergence is not a function of it.
    let divergence = quantizer.forward(z.clone(), 1.0).divergence;
    on.close(&golden, "divergence", divergence.clone()).await;
    let grads = divergence.backward();
    on.close(&golden, "grad.input", z.grad(&grads).unwrap())
        .await;
    on.same_gradients(&golden, "grad.", &quantizer, &grads)
        .await;
}

/// A sample is one code a position, and the gradient goes past the hard choice to the logits.
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
