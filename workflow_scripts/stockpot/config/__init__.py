"""From the text of config files to a checked config."""
