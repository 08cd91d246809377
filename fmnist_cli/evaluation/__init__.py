"""Labels and probabilities to scores, plots and pages."""
