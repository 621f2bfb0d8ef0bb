//! JEPA world models on video: train, evaluate, plan.
