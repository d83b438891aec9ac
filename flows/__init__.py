"""The conversation with a caller. Pure: what is heard goes in, what is said comes out."""
