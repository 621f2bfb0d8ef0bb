//! The cases of `prevision bench`: one file each, and how they are measured.

mod conv;
mod encode;
mod lewm;
mod measure;
mod plan;
mod predictors;
mod products;
mod regularise;
mod rollout;
pub(crate) mod routes;
mod step;
mod vit;
mod work;

use anyhow::Result;
use burn::tensor::Device;
use clap::ValueEnum;
use prevision_model::VideoVitConfig;

pub(crate) use measure::measure;
pub(crate) use products::matmul_flops_per_second;
pub(crate) use work::Work;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Case {
    /// Training step of a transformer 192 wide, 6 deep: 32 clips, 196 tokens
    VitTrain,
    /// The same transformer, encoding
    VitInfer,
    /// Training step of a CNN of six 3x3 layers: 128 frames of 64x64
    ConvTrain,
    /// The same CNN, encoding
    ConvInfer,
    /// A residual MLP 512 wide imagines 512 sequences of 16 actions
    Rollout,
    /// A GRU 256 wide imagines 512 sequences of 16 actions
    GruRollout,
    /// Training step of the same GRU: 64 sequences of 16 actions
    GruTrain,
    /// Training step of the action transformer: 256 windows of 3 latents
    TransformerTrain,
    /// SIGReg, variance and covariance of 2048 latents, with gradients
    Regularise,
    /// Training step of experiments/two-rooms, in memory
    TwoRoomsTrain,
    /// Training step of experiments/video-pretraining, in memory
    VideoPretrainingTrain,
    /// V-JEPA 2's ViT-B encodes 16 frames of 224x224
    VjepaEncode,
    /// V-JEPA 2's ViT-B encodes 16 frames of 256x256
    EncodeBase,
    /// V-JEPA 2's ViT-L encodes 16 frames of 256x256
    EncodeLarge,
    /// CEM plans 5 steps with the model of experiments/two-rooms
    CemPlan,
    /// CEM plans 90 steps, IMPALA 512 and GRU 512: 200 samples, 20 iterations
    GruPlan,
    /// The same plan of 12 steps: 100 samples, 5 iterations
    GruPlanShort,
    /// CEM plans 5 steps with the networks of LeWM: 300 samples, 30 iterations
    LewmPlan,
    /// LeWM encodes 16 frames of 224x224
    LewmEncode,
    /// LeWM imagines 300 sequences of 5 actions
    LewmRollout,
}

impl Case {
    /// Builds the models and their inputs.
    pub(crate) fn prepare(self, device: &Device) -> Result<Work> {
        match self {
            Self::VitTrain => Ok(vit::train(device)),
            Self::VitInfer => Ok(vit::infer(device)),
            Self::ConvTrain => Ok(conv::train(device)),
            Self::ConvInfer => Ok(conv::infer(device)),
            Self::Rollout => Ok(rollout::rollout(device)),
            Self::GruRollout => Ok(predictors::gru_rollout(device)),
            Self::GruTrain => Ok(predictors::gru_train(device)),
            Self::TransformerTrain => Ok(predictors::transformer_train(device)),
            Self::Regularise => Ok(regularise::regularise(device)),
            Self::TwoRoomsTrain => step::two_rooms(device),
            Self::VideoPretrainingTrain => step::video_pretraining(device),
            Self::VjepaEncode => Ok(encode::encode(&VideoVitConfig::base(), 224, device)),
            Self::EncodeBase => Ok(encode::encode(&VideoVitConfig::base(), 256, device)),
            Self::EncodeLarge => Ok(encode::encode(&VideoVitConfig::large(), 256, device)),
            Self::CemPlan => plan::two_rooms(device),
            Self::GruPlan => plan::gru(device, 90, 200, 20),
            Self::GruPlanShort => plan::gru(device, 12, 100, 5),
            Self::LewmPlan => plan::lewm(device),
            Self::LewmEncode => Ok(lewm::encode(device)),
            Self::LewmRollout => Ok(lewm::rollout(device)),
        }
    }
}
