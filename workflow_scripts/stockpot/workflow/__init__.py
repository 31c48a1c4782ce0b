"""What the Snakefile and the rules use: the only package that knows Snakemake."""
