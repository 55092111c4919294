"""Pictures of what hand-made features and classical estimators do."""
