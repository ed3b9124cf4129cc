"""SiamAttn (Yu et al., CVPR 2020), and the trackers of PySOT's model zoo on the same network."""
