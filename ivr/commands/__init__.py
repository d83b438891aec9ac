"""The commands of `ivr`, a module each."""
