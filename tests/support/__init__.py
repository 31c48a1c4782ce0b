"""Helpers of the tests; tests import them, and they import no test."""
