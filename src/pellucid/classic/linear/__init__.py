"""Linear classifiers: support vector machine and softmax regression."""
