"""风行: a believable company for the demo. It drives people and brings food in five cities."""
