"""Telling people: who is told, on which channel, in which words."""
