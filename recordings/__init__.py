"""What is kept of a call: the log, the cases, the directory. The only SQL of the house."""
