"""Models on labeled images: scores, comparisons, plots and pages."""
