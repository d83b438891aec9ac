"""Where a call goes, and why. Pure: no clock, no network, no store."""
