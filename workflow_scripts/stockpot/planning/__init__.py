"""From a checked config to a plan: every artefact of the study, with what it is made of."""
