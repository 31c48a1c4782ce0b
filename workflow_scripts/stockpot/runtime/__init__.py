"""How jobs run: logs, locks, limits, digests, errors. It computes no number of a study."""
