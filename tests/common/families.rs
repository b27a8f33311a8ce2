use tesserae::AutoencoderConfig;
use tesserae::weights::{CheckedWeights, Family, build};

use super::models::same_outputs;
use super::{Golden, On, golden};

/// Passes each body below to a macro that turns it into a test.
macro_rules! family_tests {
    ($make:ident) => {
        $make! {
            families::taming
            families::taming_nested
            families::taming_attn
            families::latent_diffusion
            families::gumbel
            families::diffusers
            families::diffusers_old_names
            families::diffusers_plain
            families::llamagen
            families::llamagen_plain
            families::movq
            families::movq_taming_names
            families::maskgit
            families::maskgit_deep
            families::kl_diffusers
            families::kl_diffusers_old_names
            families::kl_without_convolutions
            families::kl_latent_diffusion
            families::vqvae2
            families::vqvae2_deep
            families::vqvae2_parallel
        }
    };
}
pub(crate) use family_tests;

/// Attention layer names in diffusers, now and formerly.
const ATTENTION: [(&str, &str); 4] = [
    (".to_q.", ".query."),
    (".to_k.", ".key."),
    (".to_v.", ".value."),
    (".to_out.0.", ".proj_attn."),
];

/// What a checkpoint must be recognised as.
struct Expected<'a> {
    family: Family,
    assumed: &'a [&'a str],
    /// Prefixes of names that are not part of the model.
    aside: &'a [&'a str],
}

/// The checkpoint is recognised, its config matches the generator's, and its outputs match the
/// family's own implementation.
async fn loads(on: &On, golden: &Golden, bytes: Vec<u8>, expected: Expected<'_>) -> CheckedWeights {
    let hint = golden.json("config.json");
    let checked = CheckedWeights::of(bytes, hint.as_deref()).unwrap();
    let mut config = AutoencoderConfig::from_json(&golden.json("model").unwrap()).unwrap();
    if let AutoencoderConfig::Kl(kl) = &mut config {
        // Values that only diffusers' config.json contains.
        let hint: serde_json::Value =
            serde_json::from_str(hint.as_deref().unwrap_or("{}")).unwrap();
        let number = |name: &str| hint[name].as_f64().map(|value| value as f32);
        (kl.scaling_factor, kl.shift_factor) = (number("scaling_factor"), number("shift_factor"));
    }
    assert_eq!(checked.family, expected.family);
    assert_eq!(checked.config, config.clone().into());
    assert_eq!(checked.assumed, expected.assumed);
    let is_aside = |name: &&str| expected.aside.iter().any(|start| name.contains(start));
    let params = golden.names("param.");
    assert_eq!(
        checked.aside.len(),
        params.iter().copied().filter(is_aside).count()
    );
    assert!(checked.aside.iter().all(|name| is_aside(&name.as_str())));
    assert_eq!(checked.shapes.len() + checked.aside.len(), params.len());

    let loaded = build(&checked, &on.device).unwrap();
    assert_eq!(loaded.config, config.into());
    let network = loaded.autoencoder().unwrap().network;
    same_outputs(on, golden, &network, &["square"]).await;
    checked
}

const KL: Expected = Expected {
    family: Family::Diffusers,
    assumed: &["norm_eps", "input"],
    aside: &[],
};

/// Its codebooks are moving averages, whose sums and counts are saved along with them.
const VQVAE2: Expected = Expected {
    family: Family::Rosinality,
    assumed: &["input"],
    aside: &[".cluster_size", ".embed_avg"],
};

fn as_it_is(name: &str) -> String {
    name.to_owned()
}

const PUBLISHED: [&str; 4] = ["norm_groups", "norm_eps", "resolution", "input"];

/// Half precision, 32 groups, no config, and with a discriminator in the file.
pub async fn taming(on: &On) {
    let golden = golden!("checkpoint_taming");
    let expected = Expected {
        family: Family::Taming,
        assumed: &PUBLISHED,
        aside: &["loss.discriminator."],
    };
    let checked = loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
    assert_eq!(checked.aside.len(), 10);
}

/// The same model nested inside a larger file has the same hashes for token files.
pub async fn taming_nested(on: &On) {
    let golden = golden!("checkpoint_taming");
    let nested = golden.checkpoint(|name| format!("first_stage_model.{name}"));
    let expected = Expected {
        family: Family::Taming,
        assumed: &PUBLISHED,
        aside: &["loss.discriminator."],
    };
    let nested = loads(on, &golden, nested, expected).await;
    let plain = CheckedWeights::of(golden.checkpoint(as_it_is), None).unwrap();
    assert_eq!(nested.hashes, plain.hashes);
}

/// Attention in two non-adjacent levels, two blocks per level, uneven widths.
pub async fn taming_attn(on: &On) {
    let golden = golden!("checkpoint_taming_attn");
    let expected = Expected {
        family: Family::Taming,
        assumed: &["norm_eps", "resolution", "input"],
        aside: &[],
    };
    loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
}

/// No attention at all, inside a larger checkpoint.
pub async fn latent_diffusion(on: &On) {
    let golden = golden!("checkpoint_latent_diffusion");
    let expected = Expected {
        family: Family::Taming,
        assumed: &["norm_eps", "resolution", "input"],
        aside: &[
            "betas",
            "model_ema.",
            "model.diffusion_model.",
            "cond_stage_model.",
            "loss.discriminator.",
        ],
    };
    let checked = loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
    assert_eq!(checked.aside.len(), 5);
}

pub async fn gumbel(on: &On) {
    let golden = golden!("checkpoint_gumbel");
    let expected = Expected {
        family: Family::Taming,
        assumed: &["resolution", "input"],
        aside: &[],
    };
    loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
}

/// Uneven widths and attention in one level, with the config.json from `save_pretrained`.
pub async fn diffusers(on: &On) {
    let golden = golden!("checkpoint_diffusers");
    let expected = Expected {
        family: Family::Diffusers,
        assumed: &["norm_eps", "input"],
        aside: &[],
    };
    loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
}

pub async fn diffusers_old_names(on: &On) {
    let golden = golden!("checkpoint_diffusers");
    let expected = Expected {
        family: Family::Diffusers,
        assumed: &["norm_eps", "input"],
        aside: &[],
    };
    let old = loads(on, &golden, golden.checkpoint(old_name), expected).await;
    let hint = golden.json("config.json");
    let new = CheckedWeights::of(golden.checkpoint(as_it_is), hint.as_deref()).unwrap();
    assert_eq!(old.hashes, new.hashes);
}

/// Configured like aMUSEd: no attention, two blocks per level, codes as wide as the latent.
pub async fn diffusers_plain(on: &On) {
    let golden = golden!("checkpoint_diffusers_plain");
    let expected = Expected {
        family: Family::Diffusers,
        assumed: &["norm_eps", "input"],
        aside: &[],
    };
    loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
}

/// A codebook on the unit sphere, attention at the coarsest level, and a leftover training buffer.
pub async fn llamagen(on: &On) {
    let golden = golden!("checkpoint_llamagen");
    let expected = Expected {
        family: Family::LlamaGen,
        assumed: &["norm_eps", "resolution", "input", "quantizer"],
        aside: &["codebook_used"],
    };
    loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
}

/// Four levels, like VQ-8, with two blocks each.
pub async fn llamagen_plain(on: &On) {
    let golden = golden!("checkpoint_llamagen_plain");
    let expected = Expected {
        family: Family::LlamaGen,
        assumed: &["norm_eps", "resolution", "input", "quantizer"],
        aside: &[],
    };
    loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
}

/// A decoder whose norms are conditioned on the codes, with the config.json from `save_pretrained`.
pub async fn movq(on: &On) {
    let golden = golden!("checkpoint_movq");
    let expected = Expected {
        family: Family::Diffusers,
        assumed: &["norm_eps", "input"],
        aside: &[],
    };
    loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
}

/// MoVQ's own repository uses taming-transformers' layer names.
pub async fn movq_taming_names(on: &On) {
    let golden = golden!("checkpoint_movq");
    let expected = Expected {
        family: Family::Taming,
        assumed: &["norm_eps", "input"],
        aside: &[],
    };
    let own = loads(on, &golden, golden.checkpoint(taming_name), expected).await;
    let hint = golden.json("config.json");
    let diffusers = CheckedWeights::of(golden.checkpoint(as_it_is), hint.as_deref()).unwrap();
    assert_eq!(own.hashes, diffusers.hashes);
}

/// No attention, few biases, with open-muse's config.json.
pub async fn maskgit(on: &On) {
    let golden = golden!("checkpoint_maskgit");
    let expected = Expected {
        family: Family::MaskGit,
        assumed: &["norm_eps", "input"],
        aside: &[],
    };
    loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
}

/// Three levels with two blocks each, so two in the middle as well.
pub async fn maskgit_deep(on: &On) {
    let golden = golden!("checkpoint_maskgit_deep");
    let expected = Expected {
        family: Family::MaskGit,
        assumed: &["norm_eps", "resolution", "input"],
        aside: &[],
    };
    loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
}

/// The taming-transformers name of a tensor of the two-level MoVQ.
fn taming_name(name: &str) -> String {
    [
        ("mid_block.resnets.0", "mid.block_1"),
        ("mid_block.resnets.1", "mid.block_2"),
        ("mid_block.attentions.0", "mid.attn_1"),
        ("down_blocks", "down"),
        ("up_blocks.0", "up.1"),
        ("up_blocks.1", "up.0"),
        ("resnets", "block"),
        ("attentions", "attn"),
        ("downsamplers.0", "downsample"),
        ("upsamplers.0", "upsample"),
        ("conv_norm_out", "norm_out"),
        ("group_norm", "norm"),
        ("spatial_norm", "norm"),
        ("to_q", "q"),
        ("to_k", "k"),
        ("to_v", "v"),
        ("to_out.0", "proj_out"),
    ]
    .iter()
    .fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
}

/// A Gaussian posterior instead of a codebook, uneven widths, attention in one level.
pub async fn kl_diffusers(on: &On) {
    let golden = golden!("checkpoint_kl_diffusers");
    loads(on, &golden, golden.checkpoint(as_it_is), KL).await;
}

pub async fn kl_diffusers_old_names(on: &On) {
    let golden = golden!("checkpoint_kl_diffusers");
    loads(on, &golden, golden.checkpoint(old_name), KL).await;
}

/// The end of the encoder and the start of the decoder alone identify a Gaussian posterior.
pub async fn kl_without_convolutions(on: &On) {
    let golden = golden!("checkpoint_kl_no_quant");
    loads(on, &golden, golden.checkpoint(as_it_is), KL).await;
}

/// The first stage of a full checkpoint, as in Stable Diffusion's.
pub async fn kl_latent_diffusion(on: &On) {
    let golden = golden!("checkpoint_kl_ldm");
    let expected = Expected {
        family: Family::Taming,
        assumed: &["norm_eps", "resolution", "input"],
        aside: &[
            "betas",
            "scale_factor",
            "model_ema.",
            "model.diffusion_model.",
            "cond_stage_model.",
            "loss.",
        ],
    };
    loads(on, &golden, golden.checkpoint(as_it_is), expected).await;
}

pub async fn vqvae2(on: &On) {
    let golden = golden!("checkpoint_vqvae2");
    loads(on, &golden, golden.checkpoint(as_it_is), VQVAE2).await;
}

/// Three residual layers, and sizes that are not powers of two.
pub async fn vqvae2_deep(on: &On) {
    let golden = golden!("checkpoint_vqvae2_deep");
    loads(on, &golden, golden.checkpoint(as_it_is), VQVAE2).await;
}

/// Trained with data parallelism.
pub async fn vqvae2_parallel(on: &On) {
    let golden = golden!("checkpoint_vqvae2");
    let parallel = golden.checkpoint(|name| format!("module.{name}"));
    let parallel = loads(on, &golden, parallel, VQVAE2).await;
    let plain = CheckedWeights::of(golden.checkpoint(as_it_is), None).unwrap();
    assert_eq!(parallel.hashes, plain.hashes);
}

/// The name that diffusers used for a tensor before version 0.18.
pub fn old_name(name: &str) -> String {
    ATTENTION
        .iter()
        .fold(name.to_owned(), |name, (new, old)| name.replace(new, old))
}
