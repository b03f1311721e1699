"""Where an attack looks first."""
