"""Training of SiamAttn: data, targets, losses, schedule (paper sections 3.3 and 4.1)."""
