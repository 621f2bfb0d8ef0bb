//! The built-in heads.

mod attentive;
mod grid;
mod knn;
mod linear;
mod retrieval;

use prevision_core::config::{NoKeys, Registry};

use super::{ProbeHead, ProbeHeads};

/// The built-in heads: `attentive`, `linear`, `knn`, `retrieval`.
pub fn built_in_heads() -> ProbeHeads {
    Registry::new("probe head")
        .with("attentive", |keys: attentive::AttentiveKeys, ()| {
            Ok(Box::new(attentive::Attentive { keys }) as Box<dyn ProbeHead>)
        })
        .with("linear", |keys: linear::LinearKeys, ()| Ok(Box::new(linear::LinearHead { keys }) as Box<dyn ProbeHead>))
        .with("knn", |keys: knn::KnnKeys, ()| Ok(Box::new(knn::Knn { keys }) as Box<dyn ProbeHead>))
        .with("retrieval", |_: NoKeys, ()| Ok(Box::new(retrieval::Retrieval) as Box<dyn ProbeHead>))
}

/// Cosine similarity.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let size = (dot(a, a) * dot(b, b)).sqrt();
    if size > 0.0 { dot(a, b) / size } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probing::{ACCURACY, Features, Fold, Measured, ProbeData};
    use burn::tensor::Device;
    use prevision_core::seed;
    use rand::Rng;

    const TOKENS: usize = 4;
    const WIDTH: usize = 8;

    /// 300 rows of noise in two classes. Class 1 has `told` more in the first number of every token, or, if `in_one` is set, of one token at a
    /// random place, which the second number marks.
    fn rows(told: f32, in_one: bool) -> (Features, Vec<usize>, Fold) {
        let mut rng = seed::rng(5, "probe-test", 0, 0);
        let mut features = Features::new("model");
        let mut classes = Vec::new();
        for row in 0..300 {
            let class = row % 2;
            let mut tokens: Vec<f32> = (0..TOKENS * WIDTH).map(|_| rng.random_range(-1.0..1.0)).collect();
            let marked = rng.random_range(0..TOKENS);
            for (place, token) in tokens.chunks_exact_mut(WIDTH).enumerate() {
                let counts = !in_one || place == marked;
                if in_one && counts {
                    token[1] += 6.0;
                }
                // In the others the same, for the other class: the mean token says nothing.
                let sign = if class == 1 { 1.0 } else { -1.0 };
                token[0] += if counts { sign * told } else { -sign * told / (TOKENS - 1) as f32 };
            }
            features.push(&tokens, WIDTH, 1);
            classes.push(class);
        }
        let fold = Fold { training: (0..150).collect(), validation: (150..200).collect(), test: (200..300).collect() };
        (features, classes, fold)
    }

    fn measure(head: &str, keys: &str, told: f32, in_one: bool) -> Measured {
        let head = built_in_heads().make(&format!("head.{head}"), head, &keys.parse().unwrap(), &()).unwrap();
        let (features, classes, fold) = rows(told, in_one);
        let device = Device::flex();
        let data =
            ProbeData { features: &features, classes: &classes, class_count: 2, fold: &fold, seed: 3, device: &device };
        head.measure(&data, &mut |_| ()).unwrap()
    }

    fn mean(measured: &Measured, metric: &str) -> f64 {
        let (_, values) = measured.metrics.iter().find(|(name, _)| *name == metric).unwrap();
        assert_eq!(values.len(), 100);
        values.iter().sum::<f64>() / 100.0
    }

    #[test]
    fn what_is_there_is_found_and_nothing_else() {
        for (head, metric) in [("attentive", ACCURACY), ("linear", ACCURACY), ("knn", ACCURACY), ("retrieval", "top1")]
        {
            let found = mean(&measure(head, "", 1.0, false), metric);
            assert!(found > 0.85, "{head}: {found}");
            let nothing = mean(&measure(head, "", 0.0, false), metric);
            assert!((0.3..0.7).contains(&nothing), "{head}: {nothing}");
        }
    }

    #[test]
    fn only_attention_finds_what_one_token_says() {
        let linear = mean(&measure("linear", "", 1.5, true), ACCURACY);
        assert!((0.3..0.7).contains(&linear), "{linear}");
        for depth in [0, 1] {
            let found = mean(&measure("attentive", &format!("depth = {depth}"), 1.5, true), ACCURACY);
            assert!(found > 0.75, "depth {depth}: {found}");
        }
    }

    #[test]
    fn a_head_is_chosen_by_validation_and_results_repeat() {
        let measured = measure("linear", "rates = [1e-9, 1e-2]\ndecays = [0.1]", 1.0, false);
        assert_eq!(measured.chosen["rate"], 1e-2);
        assert_eq!(measured.chosen["decay"], 0.1);
        for head in ["attentive", "linear", "knn"] {
            let [one, two] = [(); 2].map(|()| measure(head, "", 0.3, false));
            assert_eq!((one.metrics, one.chosen), (two.metrics, two.chosen), "{head}");
        }
    }

    #[test]
    fn wrong_keys_are_named() {
        let refused = |head: &str, keys: &str| {
            let made = built_in_heads().make(&format!("head.{head}"), head, &keys.parse().unwrap(), &());
            made.err().unwrap()
        };
        assert_eq!(refused("linear", "rates = []"), "head.linear.rates is [], but must be at least one number above 0");
        assert_eq!(
            refused("attentive", "decays = [-1.0]"),
            "head.attentive.decays is [-1.0], but must be at least one number, 0 or more"
        );
        assert_eq!(
            refused("knn", "neighbours = [0]"),
            "head.knn.neighbours is [0], but must be at least one number above 0"
        );
        assert_eq!(refused("attentive", "steps = 0"), "head.attentive.steps is 0, but must be 1 or more");
    }

    #[test]
    fn cosines() {
        assert!((cosine(&[3.0, 0.0], &[1.0, 1.0]) - 0.5_f64.sqrt()).abs() < 1e-12);
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 1.0]), 0.0);
    }
}
