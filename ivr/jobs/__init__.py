"""What goes on behind the calls: each kind of work that a turn leaves to be done, and what is looked at regularly."""
