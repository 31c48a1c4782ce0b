"""Pages for the report: self-contained HTML that needs no network."""
