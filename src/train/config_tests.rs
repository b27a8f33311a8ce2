use super::*;

fn config() -> TrainConfig {
    let model = AutoencoderConfig::preset("vqgan-tiny")
        .unwrap()
        .to_json()
        .unwrap();
    TrainConfig::from_json(&format!(
        r#"{{"model": {model}, "data": {{"crop": 16}}, "batch": 2, "steps": 100,
            "optimizer": {{"learning_rate": 0.001, "warmup": 10}}}}"#
    ))
    .unwrap()
}

#[test]
fn the_rate_rises_then_falls_to_a_hundredth() {
    let optimizer = config().optimizer;
    let rate = |step| optimizer.rate(step, 100);
    assert!(rate(0) < rate(9));
    assert!(rate(9) > rate(60));
    assert!((rate(100) - 1e-5).abs() < 1e-9);
}

/// An invalid change of the config, with the name of the field it breaks.
type Break = (&'static str, fn(&mut TrainConfig));

#[test]
fn numbers_that_no_training_starts_with_are_refused_by_name() {
    let breaks: [Break; 23] = [
        ("crop", |c| c.data.crop = usize::MAX & !7),
        ("crop", |c| c.data.crop = 0),
        ("crop", |c| c.data.crop = 18),
        ("batch", |c| c.batch = usize::MAX),
        ("accumulate", |c| c.accumulate = 0),
        ("steps", |c| c.steps = 0),
        ("beta", |c| c.loss.beta = -3.0),
        ("gradient", |c| c.loss.gradient = f32::INFINITY),
        ("dead_below", |c| c.codebook.dead_below = f32::NAN),
        ("decay", |c| c.codebook.decay = 1.0),
        ("learning_rate", |c| c.optimizer.learning_rate = f64::NAN),
        ("clip", |c| c.optimizer.clip = Some(0.0)),
        ("average", |c| c.optimizer.average = Some(1.0)),
        ("beta_1", |c| c.optimizer.beta_1 = -0.1),
        ("final_share", |c| c.optimizer.final_share = 2.0),
        ("ndf", |c| adversary(c).discriminator.ndf = 0),
        ("crop", |c| adversary(c).discriminator.n_layers = 4),
        ("weight", |c| adversary(c).weight = -1.0),
        ("start", |c| adversary(c).start = 100),
        ("features", |c| c.loss.features = -1.0),
        ("feature_contrast", |c| c.loss.feature_contrast = 0.5),
        ("leaves", |c| c.data.leaves = 1.5),
        ("LPIPS", |c| {
            c.loss.perceptual = 1.0;
            c.data.crop = 8;
        }),
    ];
    for (field, change) in breaks {
        let mut bad = config();
        change(&mut bad);
        let error = bad.validate().unwrap_err();
        assert_eq!(error.code(), "config_invalid");
        assert!(error.to_string().contains(field), "{field}: {error}");
    }
}

fn adversary(config: &mut TrainConfig) -> &mut AdversaryConfig {
    let optimizer = config.optimizer.clone();
    config.adversary.insert(AdversaryConfig {
        discriminator: DiscriminatorConfig {
            in_channels: 3,
            ndf: 4,
            n_layers: 1,
        },
        optimizer,
        start: 0,
        weight: 0.8,
        feature_matching: 0.0,
    })
}

#[test]
fn a_config_with_a_discriminator_is_fine() {
    let mut config = config();
    adversary(&mut config);
    config.validate().unwrap();
}
