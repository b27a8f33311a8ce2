//! PSNR and SSIM against scikit-image's, on the pictures in `golden/metrics.safetensors`.

use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use tesserae::pixels::{Picture, metrics};

const GOLDEN: &[u8] = include_bytes!("golden/metrics.safetensors");

/// `[height, width, 3]` of bytes.
fn picture(tensor: &TensorView) -> Picture {
    let &[height, width, 3] = tensor.shape() else {
        panic!("a picture of shape {:?}", tensor.shape());
    };
    assert_eq!(tensor.dtype(), Dtype::U8);
    Picture::from_rgb(width as u32, height as u32, tensor.data().to_vec()).expect("a picture")
}

fn number(tensor: &TensorView) -> f64 {
    assert_eq!(tensor.dtype(), Dtype::F64);
    f64::from_le_bytes(tensor.data().try_into().expect("one number"))
}

#[test]
fn agrees_with_scikit_image() {
    let golden = SafeTensors::deserialize(GOLDEN).unwrap();
    // One picture's tensors are `a`, `b`, `psnr` and `ssim`, the others' have a prefix.
    let names = golden.names();
    let cases: Vec<_> = names
        .iter()
        .filter_map(|name| name.strip_suffix("psnr"))
        .collect();
    assert!(cases.len() >= 4, "{cases:?}");
    for case in cases {
        let side = |name| picture(&golden.tensor(&format!("{case}{name}")).unwrap());
        let expected = |name| number(&golden.tensor(&format!("{case}{name}")).unwrap());
        let (a, b) = (side("a"), side("b"));
        let (psnr, ssim) = (
            metrics::psnr(&a, &b).unwrap(),
            metrics::ssim(&a, &b).unwrap(),
        );
        let near = |found: f64, expected: f64| (found - expected).abs() <= 1e-9 * expected.abs();
        assert!(near(psnr, expected("psnr")), "{case}: PSNR {psnr}");
        assert!(near(ssim, expected("ssim")), "{case}: SSIM {ssim}");
    }
}
