"""Running this toolkit's trackers in other toolkits, over TraX or inside vot-toolkit."""
