"""What an attack may put in a word's place."""
