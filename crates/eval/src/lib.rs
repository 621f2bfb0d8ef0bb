//! What a frozen model knows: rollout error, probes, collapse, retrieval, and the report.
