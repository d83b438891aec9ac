"""The shell: HTTP, the provider, the clock, the environment and the screen."""
