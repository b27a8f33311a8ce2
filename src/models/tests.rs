use serde_json::Value;

use super::*;

#[test]
fn presets_are_valid_and_survive_json() {
    for name in ModelConfig::preset_names() {
        let config = ModelConfig::preset(name).unwrap();
        config.validate().unwrap();
        let json = config.to_json().unwrap();
        assert_eq!(ModelConfig::from_json(&json).unwrap(), config, "{name}");
        assert!(json.contains(&format!("\"kind\":\"{}\"", config.kind())));
    }
}

#[test]
fn json_is_flat_and_complete() {
    let json = ModelConfig::preset("kl-tiny").unwrap().to_json().unwrap();
    let fields: Value = serde_json::from_str(&json).unwrap();
    for (name, value) in [
        ("ch", Value::from(4)),
        ("layers", "taming".into()),
        ("decoder_norm", "group".into()),
        ("quant_conv", true.into()),
    ] {
        assert_eq!(fields[name], value, "{json}");
    }
}

#[test]
fn a_typo_names_the_field() {
    // A required field, an optional one, and one of another kind.
    for (preset, from, to) in [
        ("photos-f8", "z_channels", "z_chanels"),
        ("photos-f8", "mid_attention", "mid_atention"),
        ("vqvae-tiny", "hidden", "hiden"),
        ("kl-tiny", "quant_conv", "quantizer"),
        ("vqvae2-tiny", "residual_layers", "downsamplings"),
        ("maskgit-tiny", "heads", "head"),
        ("llamagen-tiny", "columns", "cols"),
        ("mingpt-tiny", "block", "hidden"),
    ] {
        let json = ModelConfig::preset(preset).unwrap().to_json().unwrap();
        let bad = json.replace(&format!("\"{from}\""), &format!("\"{to}\""));
        assert_ne!(bad, json, "{from} is not in {json}");
        let error = ModelConfig::from_json(&bad).unwrap_err();
        assert_eq!(error.code(), "config_invalid");
        assert!(error.to_string().contains(to), "{error}");
    }
    for json in ["{}", "[]", "4", "{\"kind\": \"gan\"}", "{\"kind\": 4}"] {
        let error = ModelConfig::from_json(json).unwrap_err();
        assert_eq!(error.code(), "config_invalid", "{json}");
    }
}

#[test]
fn impossible_sizes_are_refused() {
    for (preset, from, to) in [
        ("vqgan-tiny", "\"ch\":4", "\"ch\":0"),
        ("vqgan-tiny", "\"ch\":4", "\"ch\":5"),
        ("vqgan-tiny", "\"n_embed\":32", "\"n_embed\":99999999"),
        ("vqgan-tiny", "\"ch_mult\":[1,2,2]", "\"ch_mult\":[]"),
        (
            "vqgan-tiny",
            "\"ch_mult\":[1,2,2]",
            "\"ch_mult\":[18446744073709551615]",
        ),
        ("vqgan-tiny", "\"input\":[-1.0,1.0]", "\"input\":[1.0,1.0]"),
        ("vqgan-tiny", "\"in_channels\":3", "\"in_channels\":1"),
        ("vqgan-tiny", "\"out_ch\":3", "\"out_ch\":4"),
        ("kl-tiny", "\"ch\":4", "\"ch\":5"),
        ("kl-tiny", "\"embed_dim\":2", "\"embed_dim\":0"),
        // Without the convolution, nothing maps one width to the other.
        ("kl-tiny", "\"quant_conv\":true", "\"quant_conv\":false"),
        ("vqvae2-tiny", "\"hidden\":16", "\"hidden\":15"),
        ("vqvae2-tiny", "\"n_embed\":32", "\"n_embed\":0"),
        (
            "vqvae2-tiny",
            "\"residual_layers\":2",
            "\"residual_layers\":65",
        ),
        ("maskgit-tiny", "\"codes\":8", "\"codes\":0"),
        ("maskgit-tiny", "\"heads\":2", "\"heads\":17"),
        ("maskgit-tiny", "\"rows\":4", "\"rows\":129"),
        ("maskgit-tiny", "\"layers\":2", "\"layers\":0"),
        (
            "maskgit-tiny",
            "\"classes\":4",
            "\"classes\":18446744073709551615",
        ),
        // Heads of 16 / 3, and of a width that rotary positions cannot halve twice.
        ("llamagen-tiny", "\"heads\":2", "\"heads\":3"),
        ("llamagen-tiny", "\"heads\":2", "\"heads\":8"),
        ("mingpt-tiny", "\"heads\":2", "\"heads\":3"),
        ("mingpt-tiny", "\"classes\":4", "\"classes\":9"),
        ("mingpt-tiny", "\"block\":16", "\"block\":15"),
    ] {
        let json = ModelConfig::preset(preset).unwrap().to_json().unwrap();
        let bad = json.replace(from, to);
        assert_ne!(bad, json, "{from} is not in {json}");
        assert_eq!(
            ModelConfig::from_json(&bad).unwrap_err().code(),
            "config_invalid",
            "{to}"
        );
    }
}

#[test]
fn layers_and_norms_go_together() {
    for (preset, change, named) in [
        ("vqgan-tiny", r#"{"decoder_norm": "spatial"}"#, "32 groups"),
        ("vqgan-tiny", r#"{"layers": "maskgit"}"#, "mid_attention"),
        (
            "vqgan-tiny",
            r#"{"layers": "maskgit", "mid_attention": false, "attn_resolutions": [64]}"#,
            "attn_resolutions",
        ),
        (
            "vqgan-tiny",
            r#"{"layers": "maskgit", "mid_attention": false, "embed_dim": 4}"#,
            "embed_dim",
        ),
        (
            "vqgan-tiny",
            r#"{"layers": "maskgit", "decoder_norm": "spatial", "ch": 32}"#,
            "decoder_norm",
        ),
        (
            "kl-tiny",
            r#"{"decoder_norm": "spatial", "ch": 32}"#,
            "VQ-GAN",
        ),
        (
            "kl-tiny",
            r#"{"layers": "maskgit", "mid_attention": false}"#,
            "VQ-GAN",
        ),
        ("vqgan-tiny", r#"{"decoder_norm": "spatial", "ch": 32}"#, ""),
        (
            "vqgan-tiny",
            r#"{"layers": "maskgit", "mid_attention": false}"#,
            "",
        ),
    ] {
        let config = ModelConfig::preset(preset).unwrap();
        let mut json = serde_json::to_value(config).unwrap();
        let changes: Value = serde_json::from_str(change).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            json[name] = value.clone();
        }
        let said = match ModelConfig::from_json(&json.to_string()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(named), "{change}: {said}");
        assert_eq!(said.is_empty(), named.is_empty(), "{change}: {said}");
    }
}

#[test]
fn fields_that_may_be_absent_are_known_and_come_back() {
    let json = ModelConfig::preset("kl-tiny").unwrap().to_json().unwrap();
    let more = r#""stem":8,"scaling_factor":0.25,"shift_factor":-1.5,"#;
    let json = json.replacen(r#""kind":"kl","#, &format!(r#""kind":"kl",{more}"#), 1);
    let config = ModelConfig::from_json(&json).unwrap();
    let scale = config.autoencoder().unwrap().latent_scale();
    assert_eq!(
        scale,
        Some(LatentScale {
            scale: 0.25,
            shift: -1.5
        })
    );
    let again = config.to_json().unwrap();
    assert_eq!(ModelConfig::from_json(&again).unwrap(), config);
    for wrong in [r#""scaling_factor":0.0"#, r#""scaling_factor":-1.0"#] {
        let error = ModelConfig::from_json(&json.replace(r#""scaling_factor":0.25"#, wrong));
        assert!(
            error.unwrap_err().to_string().contains("`scaling_factor`"),
            "{wrong}"
        );
    }
}

#[test]
fn every_tensor_belongs_to_a_part() {
    for name in AutoencoderConfig::preset_names()
        .into_iter()
        .filter(|name| name.ends_with("-tiny"))
    {
        let config = AutoencoderConfig::preset(name).unwrap();
        let network = Autoencoder::new(&config, &burn::tensor::Device::flex()).unwrap();
        let tensors = crate::params::shapes(&network);
        let of = |part| {
            tensors
                .keys()
                .filter(|tensor| config.part(tensor) == Some(part))
                .count()
        };
        let counts = [Part::Encoder, Part::Codebook, Part::Decoder].map(of);
        assert_eq!(counts.iter().sum::<usize>(), tensors.len(), "{name}");
        assert_eq!(counts[1], config.grids().len(), "{name}: a codebook a grid");
    }
}

#[test]
fn the_scale_of_latents_is_no_part_of_the_architecture() {
    let json = ModelConfig::preset("kl-tiny").unwrap().to_json().unwrap();
    let scaled = json.replacen('{', r#"{"scaling_factor":0.5,"#, 1);
    let [plain, scaled] = [json, scaled].map(|json| ModelConfig::from_json(&json).unwrap());
    assert_ne!(plain, scaled);
    assert_eq!(plain.architecture(), scaled.architecture());
}
