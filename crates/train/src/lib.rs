//! Experiment configuration, optimisation, schedules, checkpoints, resume and metrics.
