"""What a turn, a decision and a proof cost, as ratios of floors that are measured in the same run."""
