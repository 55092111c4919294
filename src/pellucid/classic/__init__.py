"""Before deep nets: hand-made features and classical estimators, with the API of scikit-learn."""
