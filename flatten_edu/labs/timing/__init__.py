"""The lab `timing`: at which N does linear attention beat softmax, on this machine?"""
