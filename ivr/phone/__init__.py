"""The simulated telephony: one engine that drives the real webhooks."""
