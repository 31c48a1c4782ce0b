"""The synthetic world: small rendered images with captions, for studies without downloads."""
