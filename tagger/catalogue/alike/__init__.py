"""What is alike: photos that are there twice, and photos that look like one another."""
