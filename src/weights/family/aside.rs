//! Tensors in checkpoints that are not part of the autoencoder.

/// Name prefixes: losses, LPIPS and discriminators, averages, the rest of a larger checkpoint,
/// statistics for a diffusion model (FLUX.2's `bn`), training buffers.
const BESIDE: [&str; 14] = [
    "loss.",
    "lpips.",
    "lpips_loss.",
    "perceptual.",
    "perceptual_loss.",
    "discriminator.",
    "disc.",
    "model_ema.",
    "model.diffusion_model.",
    "cond_stage_model.",
    "bn.",
    "colorize",
    "logvar",
    "loss_fn.",
];
/// Last components of quantizer names: code usage, and the EMA counts and sums of the codebook.
const STATISTICS: [&str; 9] = [
    "cluster_size",
    "codebook_used",
    "data_initialized",
    "embed_avg",
    "embed_prob",
    "initted",
    "usage",
    "used",
    "codebook_usage",
];

/// Whether a tensor is not part of the autoencoder in its file.
pub fn is_aside(name: &str) -> bool {
    BESIDE.iter().any(|start| name.starts_with(start)) || is_statistic(name)
}

fn is_statistic(name: &str) -> bool {
    let quantizer = name.starts_with("quantize") && name.contains('.');
    let last = name.rsplit('.').next().unwrap_or(name);
    let average = ["ema_", "_ema_"].iter().any(|part| last.starts_with(part));
    let nested = name.split('.').any(|part| part.starts_with("ema_"));
    quantizer && (STATISTICS.contains(&last) || average || nested)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_quantizer_counts_is_no_weight() {
        for name in [
            "quantize.used",
            "quantize.codebook_used",
            "quantize.embedding.cluster_size",
            "quantize.embedding.embed_avg",
            "quantize_t.cluster_size",
            "quantize.ema_cluster_size",
            "quantize.ema_w.weight",
            "lpips.lin0.model.1.weight",
            "loss.discriminator.main.0.weight",
            "bn.running_mean",
        ] {
            assert!(is_aside(name), "{name}");
        }
        for name in [
            "quantize.embedding.weight",
            "quantize.x",
            "quantize_t.embed",
            "quantize.proj.weight",
            "encoder.used",
            "used",
            "cluster_size",
        ] {
            assert!(!is_aside(name), "{name}");
        }
    }
}
