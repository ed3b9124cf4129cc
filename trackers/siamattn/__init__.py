"""SiamAttn (Yu et al., CVPR 2020) and SiamRPN++, the baseline it is measured against."""
