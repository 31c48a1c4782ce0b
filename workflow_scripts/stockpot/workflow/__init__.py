"""What the Snakefile and the rules ask for: the only package that knows Snakemake."""
