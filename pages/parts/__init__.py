"""What the screens share: components, charts and the words for states and choices."""
