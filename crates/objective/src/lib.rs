//! Prediction losses and the regularisers that prevent collapse.
