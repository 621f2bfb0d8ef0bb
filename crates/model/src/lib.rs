//! Encoders, target encoder, predictors, masks and heads of a JEPA.
