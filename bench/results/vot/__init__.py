"""Files of the VOT challenge: trajectories as text and as vot-toolkit's binary, workspaces."""
