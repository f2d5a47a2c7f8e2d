"""What takes other inputs than an estimator, or gives other results."""
