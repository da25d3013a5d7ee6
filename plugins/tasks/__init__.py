"""A to-do list: the sample plugin, written as a plugin of yours would be."""
