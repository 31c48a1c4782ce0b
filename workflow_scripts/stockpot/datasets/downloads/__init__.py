"""Fetch published data sets, and unpack their archives."""
