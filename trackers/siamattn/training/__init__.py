"""Training of SiamAttn: data, targets, losses, schedule (paper sections 3.3, 3.4 and 4.2)."""
